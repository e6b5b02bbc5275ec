using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Cluster.Chaos.Proxy;

namespace Cluster.Cli.Tests.EndToEnd;

/// <summary><c>cluster proxy</c> as a person uses it: orders on standard input, a line for each thing that happens.</summary>
[Trait("Clock", "wall")]
public sealed class ProxyVerbSpecs
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task Orders_change_the_network_while_it_carries_a_connection()
    {
        using var target = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        target.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        target.Listen();
        using var process = Start("--listen", "127.0.0.1:0", "--to", target.LocalEndPoint!.ToString()!, "--delay", "1", "--seed", "5");
        var first = await LineAsync(process);
        Assert.Matches($"^listening at 127.0.0.1:[0-9]+, to {target.LocalEndPoint}; delay 1 ms$", first);
        var port = int.Parse(first.Split(':', ',')[1]);

        using var near = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await near.ConnectAsync(IPAddress.Loopback, port);
        using var far = await target.AcceptAsync().WaitAsync(Patience);
        Assert.Equal("connection 1: open", await LineAsync(process));
        await near.SendAsync(new byte[1_000]);
        Assert.Equal(new byte[1_000], await ReceiveAsync(far, 1_000));

        Assert.Equal("now undisturbed", await OrderAsync(process, "heal"));
        Assert.Equal("now nothing passes out", await OrderAsync(process, "black-hole-out"));
        await near.SendAsync(new byte[] { 7 });
        await far.SendAsync(new byte[] { 8 });
        Assert.Equal([8], await ReceiveAsync(near, 1));
        Assert.Equal("connection 1: 1000 bytes out, 1 bytes in", await OrderAsync(process, "connections"));
        Assert.Equal("now undisturbed", await OrderAsync(process, "heal"));
        Assert.Equal([7], await ReceiveAsync(far, 1));

        Assert.Equal("corrupt: waits for a read of 500 bytes", await OrderAsync(process, "corrupt 500"));
        await near.SendAsync(new byte[600]);
        Assert.Single(await ReceiveAsync(far, 600), static b => b != 0);
        Assert.Matches("^connection 1: flipped a bit of byte 1[0-9]{3}, on the way out$", await LineAsync(process));

        await process.StandardInput.WriteLineAsync("hael");
        Assert.StartsWith("cluster: 'hael' is no order; did you mean heal?", await process.StandardError.ReadLineAsync().WaitAsync(Patience));
        Assert.Equal("connection 1: cut", await OrderAsync(process, "cut"));
        Assert.Equal("cut 1 connections", await LineAsync(process));
        process.StandardInput.Close();
        await process.WaitForExitAsync().WaitAsync(Patience);
        Assert.Equal(0, process.ExitCode);
    }

    [Fact]
    public async Task Interrupted_proxy_ends_with_130()
    {
        using var process = Start("--listen", "127.0.0.1:0", "--to", "127.0.0.1:1");
        await LineAsync(process);
        Assert.Equal(0, Processes.Run("/bin/kill", "/", "-INT", $"{process.Id}").ExitCode);
        await process.WaitForExitAsync().WaitAsync(Patience);
        Assert.Equal(130, process.ExitCode);
    }

    [Fact]
    public void Mistakes_on_the_command_line_are_all_told_one_line_each()
    {
        var outcome = Processes.Run(Processes.Cluster, "/", "proxy", "--listen", "nowhere", "--to", "127.0.0.1:0", "--delay", "x", "--reorder-every", "5", "--seed", "-1", "--rat", "3");
        Assert.Equal(2, outcome.ExitCode);
        Assert.Equal(
            [
                "cluster: unknown option --rat; did you mean --rate?",
                "cluster: --listen 'nowhere' has no port: write HOST:PORT, e.g. 127.0.0.1:7070, or unix:/PATH",
                "cluster: --to 127.0.0.1:0: nobody listens at port 0; give the port",
                "cluster: --seed -1: must be a whole number from 0 on",
                "cluster: --delay x: give a number from 0 to 60000",
                "cluster: --reorder-every 5: give 0 or at least 2896 bytes",
            ], outcome.ErrorLines);
        Assert.Empty(outcome.Output);
    }

    [Fact]
    public void Help_lists_every_order()
    {
        var help = Processes.Run(Processes.Cluster, "/", "help", "proxy").Output;
        Assert.All(ProxySettings.Orders, order => Assert.Contains($"  {order.Word} ", help));
    }

    private static Process Start(params string[] arguments)
    {
        var start = new ProcessStartInfo("/usr/bin/env", ["--default-signal=INT,TERM", Processes.Cluster, "proxy", .. arguments])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
        };
        return Process.Start(start)!;
    }

    private static async Task<string> OrderAsync(Process process, string order)
    {
        await process.StandardInput.WriteLineAsync(order);
        return await LineAsync(process);
    }

    private static async Task<string> LineAsync(Process process) =>
        await process.StandardOutput.ReadLineAsync().WaitAsync(Patience) ?? throw new InvalidOperationException($"the proxy ended: {await process.StandardError.ReadToEndAsync()}");

    private static async Task<byte[]> ReceiveAsync(Socket socket, int count)
    {
        var bytes = new byte[count];
        for (var at = 0; at < count;)
        {
            var got = await socket.ReceiveAsync(bytes.AsMemory(at)).AsTask().WaitAsync(Patience);
            Assert.NotEqual(0, got);
            at += got;
        }
        return bytes;
    }
}
