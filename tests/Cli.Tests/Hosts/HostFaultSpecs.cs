using Cluster.Cli.Bench.Hosts;
using Cluster.Cli.Tests.EndToEnd;

namespace Cluster.Cli.Tests.Hosts;

/// <summary>A run over hosts with addresses of their own, which lose power and lose each other. The long form is <c>bench hosts</c>.</summary>
[Collection(SeveralProcesses.Name)]
[Trait("Clock", "wall")]
public sealed class HostFaultSpecs
{
    [Fact]
    public async Task Hosts_that_lose_power_and_lose_each_other_change_no_bit_and_no_step_is_lost_or_twice()
    {
        var options = new HostRunOptions { Steps = 105, Program = Processes.Cluster };
        using var network = SeveralHosts.Make(options.Hosts);
        using var world = new World();
        var stop = TestContext.Current.CancellationToken;
        HostFault[] faults =
        [
            new(HostFaultKind.Kill, [1], 0.6, 5, 0),
            new(HostFaultKind.Split, [2], 0.8, 25, 0),
            new(HostFaultKind.Kill, [0], 0.5, 45, 0),
            new(HostFaultKind.OneWay, [1], 0.8, 65, 0),
            new(HostFaultKind.Slow, [2], 0.5, 85, 0),
        ];
        using var run = await HostRun.BeginAsync(network, options, world.Folder, stop);
        foreach (var fault in faults)
        {
            await run.ReachesAsync(fault.Step, stop);
            Assert.NotNull(await run.StrikeAsync(fault, stop));
        }
        var result = await run.EndAsync(stop);
        Assert.True(result.IsSame, $"{result}\n{string.Join('\n', RunEvents.Of(run.Folder))}");
        // The faults were there: each left its trace in the run's own words.
        Assert.Contains(RunEvents.Of(run.Folder), static e => e.Kind == "shard-lost");
        Assert.Contains(RunEvents.Of(run.Folder), static e => e.Kind == "took-over");
        Assert.Contains(RunEvents.Of(run.Folder), static e => e.Kind == "worker-lost");
    }

    [Fact]
    public void Network_of_hosts_loses_one_way_alone_and_heals()
    {
        using var network = SeveralHosts.Make(2);
        Assert.True(Answers(network, 0, 1));
        network.Lose([(0, 1)]);
        Assert.False(Answers(network, 0, 1));
        // What host 1 sends arrives; only the answer is lost.
        Assert.False(Answers(network, 1, 0));
        network.Heal();
        Assert.True(Answers(network, 0, 1));
        Assert.True(Answers(network, 1, 0));
    }

    /// <summary>Whether an echo comes back; bash opens the connection, since ping is not everywhere.</summary>
    private static bool Answers(HostNetwork network, int from, int to)
    {
        // A closed port answers with a reset, at once: the way there and back is open. A lost way says nothing.
        var (program, arguments) = network.On(from, "timeout", ["0.5", "bash", "-c", $"echo > /dev/tcp/{network.AddressOf(to)}/9"]);
        return Processes.Run(program, "/", arguments).ExitCode != 124;
    }
}
