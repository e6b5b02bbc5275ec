using System.Net;
using System.Net.Sockets;
using Cluster.Cli.Hosting.Monitoring;
using Cluster.Cli.Tests.EndToEnd;

namespace Cluster.Cli.Tests.Monitoring;

/// <summary>Where a run is shown, and what becomes of it when it cannot be.</summary>
[Trait("Clock", "wall")]
public sealed class PageServingSpecs : IDisposable
{
    private readonly World _world = new();

    public void Dispose() => _world.Dispose();

    [Theory]
    [InlineData("5")]
    [InlineData("127.0.0.1")]
    [InlineData("localhost:http")]
    [InlineData("127.0.0.1:70000")]
    [InlineData("example.org:80")]
    [InlineData("non")]
    public void A_bad_address_is_a_mistake_of_one_line(string address)
    {
        var mistake = Assert.Single(_world.MistakesOf(null, "--monitor", address));
        Assert.Contains($"--monitor {address}: write HOST:PORT", mistake);
        Assert.Contains("or none", mistake);
    }

    [Theory]
    [InlineData("none")]
    [InlineData("localhost:0")]
    [InlineData("[::1]:8080")]
    [InlineData("0.0.0.0:8080")]
    public void A_good_one_is_taken(string address) => Assert.Equal(address, _world.Resolve(null, "--monitor", address).Options.Monitor);

    [Fact]
    public void A_port_in_use_is_one_warning_and_training_goes_on()
    {
        using var taken = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        taken.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        taken.Listen();
        var address = taken.LocalEndPoint!.ToString()!;
        var outcome = Processes.Run(Processes.Cluster, _world.Folder, Training.Arguments("a", 2, "--monitor", address));
        Assert.NotEmpty(Training.HashOf(outcome));
        var warning = Assert.Single(outcome.OutputLines, line => line.Contains("is not shown", StringComparison.Ordinal));
        Assert.Contains(address, warning);
        Assert.Contains("--monitor 127.0.0.1:0 takes any free port. Training goes on.", warning);
    }

    [Fact]
    public void A_run_that_goes_on_is_shown_where_it_was_before()
    {
        var first = Processes.Run(Processes.Cluster, _world.Folder, Training.Arguments("a", 2));
        Assert.Equal([PortOf(AddressIn(first))], File.ReadAllLines(_world.PathOf("a/monitor")));
        // One that no other process is given by chance meanwhile.
        var port = FreePortOutsideOfThoseGivenByChance();
        _world.Write("a/monitor", $"{port}\n");
        var second = Processes.Run(Processes.Cluster, _world.Folder, "train", "--resume", "--out", "a", "--steps", "3");
        Assert.NotEmpty(Training.HashOf(second));
        Assert.Equal($"{port}", PortOf(AddressIn(second)));
    }

    private static string PortOf(string address) => address[(address.LastIndexOf(':') + 1)..];

    /// <summary>Linux gives ports from 32768 on (ip(7), ip_local_port_range).</summary>
    private static int FreePortOutsideOfThoseGivenByChance()
    {
        while (true)
        {
            var port = Random.Shared.Next(20_000, 30_000);
            using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            try
            {
                socket.Bind(new IPEndPoint(IPAddress.Loopback, port));
                return port;
            }
            catch (SocketException)
            {
                // Somebody's; the next one.
            }
        }
    }

    private static string AddressIn(Outcome outcome)
    {
        var line = Assert.Single(outcome.OutputLines, static line => line.Contains("watch it at ", StringComparison.Ordinal));
        Assert.Matches(@"watch it at http://127\.0\.0\.1:\d+$", line);
        return line[line.IndexOf("http", StringComparison.Ordinal)..];
    }

    [Fact]
    public void The_past_is_read_from_the_end_of_events_and_damage_is_passed_over()
    {
        var lines = Enumerable.Range(0, 2000).Select(static i => $$"""{"time":"2026-05-04T12:00:00.000Z","kind":"fault","node":null,"phase":"process","sentence":"number {{i}}"}""");
        _world.Write("events.jsonl", string.Join('\n', lines) + "\n[1]\n{\"time\":5,\"kind\":\"fault\",\"sentence\":\"x\"}\n{\"kind\":\"fault\"}\n\n{\"time\":\"2026-05-");
        var past = PageHistory.Read(_world.Folder);
        Assert.InRange(past.Count, 100, 1000);
        Assert.Equal("number 1999", past[^1].Sentence);
        Assert.All(past, static e => Assert.Null(e.Node));
        Assert.Empty(PageHistory.Read(_world.PathOf("nowhere")));
    }
}
