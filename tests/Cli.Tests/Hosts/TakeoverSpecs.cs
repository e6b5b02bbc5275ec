using Cluster.Cli.Bench.Hosts;
using Cluster.Cli.Tests.EndToEnd;
using Cluster.Membership;

namespace Cluster.Cli.Tests.Hosts;

/// <summary>Two coordinators that find each other through Akka.Cluster. The long form is <c>bench takeover</c>.</summary>
[Collection(SeveralProcesses.Name)]
[Trait("Clock", "wall")]
public sealed class TakeoverSpecs
{
    [Fact]
    public async Task Coordinator_whose_host_loses_power_is_followed_by_the_other_one_under_TLS_and_no_bit_changes()
    {
        Assert.SkipUnless(MembershipEngines.HasAkka, "this build has no Akka.Cluster: it needs -p:Feed=full");
        using var world = new World();
        var options = new HostRunOptions { Gossips = true, Steps = 40, Program = Processes.Cluster, Security = ["--tls", world.PathOf("pki")] };
        using var network = SeveralHosts.Make(options.Hosts);
        var made = Processes.Run(Processes.Cluster, world.Folder, ["certs", world.PathOf("pki"), "--hosts", string.Join(',', Enumerable.Range(0, options.Hosts).Select(network.AddressOf))]);
        Assert.True(made.ExitCode == 0, made.Error);
        var stop = TestContext.Current.CancellationToken;
        using var run = await HostRun.BeginAsync(network, options, world.Folder, stop);
        await run.ReachesAsync(5, stop);
        await run.StandbyAsync(stop);
        var first = run.Seat!.Value;
        Assert.NotNull(await run.SurviveAsync(first, stop));
        Assert.NotEqual(first, run.Seat);
        var result = await run.EndAsync(stop);
        Assert.True(result.IsSame, $"{result}\n{string.Join('\n', RunEvents.Of(run.Folder))}");
        Assert.Contains(RunEvents.Of(run.Folder), static e => e.Kind == "took-over");
    }

    [Fact]
    public void Measurement_of_takeovers_says_which_build_it_needs()
    {
        Assert.SkipWhen(MembershipEngines.HasAkka, "this build has Akka.Cluster");
        var run = Processes.Run(Processes.Cluster, "/", ["bench", "takeover"]);
        Assert.Equal(2, run.ExitCode);
        Assert.Contains("-p:Feed=full", Assert.Single(run.ErrorLines), StringComparison.Ordinal);
    }
}
