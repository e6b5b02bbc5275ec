using System.Collections.Immutable;
using Cluster.Contracts;
using Cluster.Coordinator.Core;

namespace Cluster.Core.Tests.Protocol;

/// <summary>Shards and their standbys over hosts: a host dies as a whole.</summary>
public sealed class PlacementSpecs
{
    private const long Claimant = 7;
    private static readonly ReplicaReport Empty = new(null, false, null, false, []);

    private static NodeId Node(int index, long incarnation = 1) => new(index, incarnation);

    private static (RunState State, List<StepEffect> Effects) After(RunState state, params IStepInput[] inputs)
    {
        var all = new List<StepEffect>();
        foreach (var input in inputs)
        {
            (state, var effects) = RunProtocol.Advance(state, input, now: 0);
            all.AddRange(effects);
        }
        return (state, all);
    }

    /// <summary>A new run of one shard for each host in the list, up to the places.</summary>
    private static (RunState State, List<StepEffect> Effects) Placed(params string[] hosts)
    {
        var rules = new StepRules(hosts.Length, 1, StepScaling.Off, NonFinitePolicy.Recompute, StragglerRules.Off);
        var state = RunState.Start(new TermRules(hosts.Length, 1, GraceMilliseconds: 1_000), rules, Claimant, new Term(0));
        (state, _) = After(state, [.. hosts.Select((host, index) => new NodeUp(Node(index), host))]);
        return Claimed(state, _ => Empty);
    }

    private static (RunState State, List<StepEffect> Effects) Claimed(RunState state, Func<ReplicaId, ReplicaReport> report, long last = 0)
    {
        (state, _) = After(state, new TermWritten(state.Term));
        (state, _) = After(state, [.. state.Awaited.Select(r => new TermPromised(state.Term, Claimant, r, report(r)))]);
        return After(state, new LogAdopted(new StepId(last), new WeightsVersion(last), []));
    }

    private static RunState Running(RunState placed)
    {
        var (state, _) = After(placed, [.. placed.Awaited.Select(r => new PlaceHeld(placed.Term, r))]);
        return state.Loading is { } version ? After(state, [.. state.Awaited.Select(r => new ShardLoaded(state.Term, version, r))]).State : state;
    }

    [Theory]
    [InlineData("a", "b")]
    [InlineData("a", "b", "c")]
    [InlineData("a", "a", "b")]
    [InlineData("a", "b", "a", "b")]
    [InlineData("a", "a", "a", "b")]
    public void Standby_lies_on_another_host_than_its_shard(params string[] hosts)
    {
        var (state, effects) = Placed(hosts);
        Assert.All(state.Places, p => Assert.NotEqual(hosts[p.Primary.Index], hosts[p.Standby!.Value.Index]));
        Assert.DoesNotContain(effects, static e => e is StepEffect.Say { Kind: "standby-same-host" });
    }

    [Fact]
    public void Two_on_one_host_where_there_is_no_other_is_said()
    {
        var (state, effects) = Placed("a", "a");
        Assert.All(state.Places, static p => Assert.NotEqual(p.Primary, p.Standby));
        var said = Assert.Single(effects.OfType<StepEffect.Say>(), static s => s.Kind == "standby-same-host");
        Assert.Equal("Shards 0, 1 and their standbys are each on one host (a), since no other host has a process for shards: if that host is lost, the run goes back to its last checkpoint.", said.Sentence);
    }

    [Fact]
    public void Hosts_that_are_not_known_are_of_no_interest()
    {
        var (state, effects) = Placed("", "");
        Assert.All(state.Places, static p => Assert.NotNull(p.Standby));
        Assert.DoesNotContain(effects, static e => e is StepEffect.Say { Kind: "standby-same-host" });
    }

    [Fact]
    public void Standbys_move_when_a_process_on_another_host_comes()
    {
        var running = Running(Placed("a", "a").State);
        Assert.Equal(TermPhase.Running, running.Phase);
        Assert.Null(After(running, new NodeUp(Node(2), "a")).State.RehouseReason);
        var (state, _) = After(running, new NodeUp(Node(2), "b"));
        Assert.Equal("ps-2 can hold standbys on another host", state.RehouseReason);
    }

    [Fact]
    public void Standby_on_another_host_is_worth_sending_the_state_again()
    {
        // Shard 0's host b is lost and comes back: ps-1 has the version, but lies on the host of ps-0.
        var state = RunState.Start(new TermRules(3, 1, 1_000), new StepRules(1, 1, StepScaling.Off, NonFinitePolicy.Recompute, StragglerRules.Off), Claimant, new Term(3));
        (state, _) = After(state, new NodeUp(Node(0), "a"), new NodeUp(Node(1), "a"), new NodeUp(Node(2), "b"));
        (state, _) = Claimed(state, r => r.Node.Index == 2 ? Empty : new ReplicaReport(new WeightsVersion(4), true, null, r.Node.Index == 0, []), last: 4);
        Assert.Equal(new ShardPlace(new ShardId(0), Node(0), Node(2)), Assert.Single(state.Places));
        Assert.Equal([new ReplicaId(new ShardId(0), Node(2))], state.Seeded);
        Assert.Null(state.Loading);
    }

    [Fact]
    public void Host_of_a_node_that_is_lost_is_forgotten()
    {
        var (state, _) = After(Running(Placed("a", "b").State), new NodeLost(Node(1), "it is gone"));
        Assert.Equal([Node(0)], state.Hosts.Keys);
        Assert.Equal("c", After(state, new NodeUp(Node(1, 2), "c")).State.Hosts[Node(1, 2)]);
    }
}
