using System.Diagnostics;
using System.Globalization;
using Cluster.Contracts;

namespace Cluster.Link.Tests;

/// <summary>A peer in a process of its own. It sends bulk frames until its end, and is there to be killed or stopped.</summary>
internal sealed class PeerProcess : IDisposable
{
    /// <summary>Length of the tensors of <see cref="RunHolder"/> and <see cref="RunLender"/>.</summary>
    public const int Floats = 1 << 20;

    private readonly Process _process;

    private PeerProcess(Process process) => _process = process;

    /// <param name="address">Where to dial.</param>
    /// <param name="folder">Of ca.pem, worker.pem and worker.key; null = no TLS.</param>
    public static int Run(string address, string? folder = null)
    {
        using var tls = folder is null ? null : LinkTls.Load(TlsFiles.In(folder, "worker"), TimeProvider.System);
        // Everything that comes goes back: an answer proves that the link is still open here.
        using var recorder = new Recorder { OnControl = (to, type, body) => to.SendControl(type, body) };
        using var tensor = NativeBuffer.Allocate(1 << 20);
        var link = Links.Connect(LinkAddress.Parse(address), Peers.Dialler("child", tls is null ? null : LinkOptions.Default with { Silence = TimeSpan.FromMinutes(1) }) with { Tls = tls }, recorder);
        while (link.SendBulk(1, [], tensor, 0, tensor.Length)) { }
        return 0;
    }

    /// <summary>Takes two tensors where they lie and keeps the second; when the link has ended, says on standard output what it reads there.</summary>
    public static int RunHolder(string address)
    {
        using var recorder = new Recorder { TakeReferences = true };
        var link = Links.Connect(LinkAddress.Parse(address), Peers.Dialler("holder"), recorder);
        recorder.NextBulk().Dispose();
        link.SendControl(1, []);
        using var held = recorder.NextBulk();
        link.SendControl(2, []);
        recorder.WaitForClosed();
        var first = held.Values[0];
        Console.WriteLine(held.Values.IndexOfAnyExcept(first) < 0 ? $"whole {first.ToString(CultureInfo.InvariantCulture)}" : "torn");
        return 0;
    }

    /// <summary>Sends one tensor of sevens twice, the second time where it lies, and waits to be killed.</summary>
    public static int RunLender(string address)
    {
        using var recorder = new Recorder();
        var link = (SocketLink)Links.Connect(LinkAddress.Parse(address), Peers.Dialler("lender"), recorder);
        using var tensor = NativeBuffer.Allocate(Floats, SharedMemory.Instance);
        tensor.Span.Fill(7);
        link.SendBulk(1, [], tensor, 0, Floats);
        SpinWait.SpinUntil(() => link.Lender.MappedCount == 1, Recorder.Patience);
        link.SendBulk(2, [], tensor, 0, Floats);
        recorder.WaitForClosed();
        return 0;
    }

    /// <param name="address">Where it dials.</param>
    /// <param name="mode">See <see cref="Program"/>.</param>
    /// <param name="folder">Its certificate's, where the mode takes one.</param>
    public static PeerProcess Start(LinkAddress address, string mode = "peer", string? folder = null)
    {
        var start = new ProcessStartInfo(Environment.ProcessPath!) { UseShellExecute = false, RedirectStandardOutput = mode is not ("peer" or "peer-tls") };
        start.ArgumentList.Add(mode);
        start.ArgumentList.Add(address.ToString());
        if (folder is not null) start.ArgumentList.Add(folder);
        return new PeerProcess(Process.Start(start)!);
    }

    /// <summary>STOP or CONT.</summary>
    public void Signal(string name)
    {
        using var kill = Process.Start("/bin/kill", [$"-{name}", _process.Id.ToString(System.Globalization.CultureInfo.InvariantCulture)]);
        kill.WaitForExit();
    }

    /// <summary>What it said, when it has ended.</summary>
    public string ReadOutput() => _process.StandardOutput.ReadToEnd().Trim();

    public void Kill() => _process.Kill();

    public void Dispose()
    {
        _process.Kill();
        _process.WaitForExit();
        _process.Dispose();
    }
}
