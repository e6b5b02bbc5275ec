using System.Collections.Immutable;
using Cluster.Contracts;
using Cluster.Coordinator.Core;

namespace Cluster.Core.Tests.Protocol;

public sealed class RunProtocolSpecs
{
    private const long Claimant = 7;
    private static readonly ReplicaReport Empty = new(null, false, null, false, []);

    private static NodeId Node(int index, long incarnation = 1) => new(index, incarnation);

    private static ReplicaId Slot(int shard, int node) => new(new ShardId(shard), Node(node));

    private static CommitRecord Record(long step, bool applied = true) =>
        new(new Term(1), new StepId(step), 1, 0, 4, 1, 0.5, 1, 1, 0.1, applied, [new LeafRecord(new WorkerId(0), 4, 9)]);

    private static ReplicaReport Holds(long version, bool hasPrevious = true, long? sumOf = null, bool wasPrimary = false, params CommitRecord[] records) =>
        new(new WeightsVersion(version), hasPrevious, sumOf is { } step ? new SumKey(new Term(1), new StepId(step), 1) : null, wasPrimary, records);

    private static RunState Start(int nodes, int shards, int replicas, long diskTerm = 0) => RunState.Start(
        new TermRules(nodes, replicas, GraceMilliseconds: 1_000), new StepRules(shards, 1, StepScaling.Off, NonFinitePolicy.Recompute, StragglerRules.Off), Claimant, new Term(diskTerm));

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

    private static IEnumerable<(ReplicaId Replica, T Message)> Sent<T>(IEnumerable<StepEffect> effects) where T : IReplicaInput =>
        effects.OfType<StepEffect.ToReplica>().Where(e => e.Message is T).Select(e => (e.Replica, (T)e.Message));

    /// <summary>All nodes are up, the term is written, every slot has promised with this report, and the log ends there.</summary>
    private static (RunState State, List<StepEffect> Effects) Adopted(RunState state, Func<ReplicaId, ReplicaReport> report, long last = 0, long checkpoint = 0, params CommitRecord[] recorded)
    {
        (state, _) = After(state, [.. Enumerable.Range(0, state.Rules.Nodes).Select(n => new NodeUp(Node(n)))]);
        return Claimed(state, report, last, checkpoint, recorded);
    }

    private static (RunState State, List<StepEffect> Effects) Claimed(RunState state, Func<ReplicaId, ReplicaReport> report, long last, long checkpoint, CommitRecord[] recorded)
    {
        (state, _) = After(state, new TermWritten(state.Term));
        (state, _) = After(state, [.. state.Awaited.Select(r => new TermPromised(state.Term, Claimant, r, report(r)))]);
        Assert.Equal(TermPhase.AdoptingLog, state.Phase);
        return After(state, new LogAdopted(new StepId(last), new WeightsVersion(checkpoint), recorded));
    }

    private static (RunState State, List<StepEffect> Effects) Placed(RunState state) => After(state, [.. state.Awaited.Select(r => new PlaceHeld(state.Term, r))]);

    private static (RunState State, List<StepEffect> Effects) Loaded(RunState state) => After(state, [.. state.Awaited.Select(r => new ShardLoaded(state.Term, state.Loading!.Value, r))]);

    private static RunState Running(int nodes, int shards, int replicas) => Loaded(Placed(Adopted(Start(nodes, shards, replicas), _ => Empty).State).State).State;

    [Fact]
    public void A_new_run_waits_for_all_its_nodes_then_for_the_disk_then_for_every_promise()
    {
        var (state, effects) = After(Start(2, 2, 1), new NodeUp(Node(0)));
        Assert.Equal(TermPhase.WaitingForNodes, state.Phase);
        Assert.IsType<StepEffect.StartGrace>(Assert.Single(effects));
        (state, effects) = After(state, new NodeUp(Node(1)));
        Assert.Equal(new StepEffect.WriteTerm(new Term(1), new Term(0)), effects[^1]);
        Assert.Empty(Sent<ClaimTerm>(effects));
        (state, effects) = After(state, new TermWritten(new Term(1)));
        Assert.Equal(4, Sent<ClaimTerm>(effects).Count());
        foreach (var replica in state.Awaited)
        {
            Assert.Equal(TermPhase.Claiming, state.Phase);
            (state, effects) = After(state, new TermPromised(new Term(1), Claimant, replica, Empty));
        }
        Assert.IsType<StepEffect.AdoptLog>(Assert.Single(effects));
    }

    [Fact]
    public void A_missing_node_is_waited_for_until_the_grace_is_over()
    {
        var (state, effects) = After(Start(2, 1, 0), new NodeUp(Node(1)), new GraceSpent());
        Assert.Equal(TermPhase.WritingTerm, state.Phase);
        Assert.Contains(effects, e => e is StepEffect.WriteTerm);
        Assert.Equal(TermPhase.WaitingForNodes, After(Start(2, 1, 0), new GraceSpent()).State.Phase);
    }

    [Fact]
    public void A_new_run_loads_the_first_weights_and_opens_step_one()
    {
        var (state, effects) = Adopted(Start(2, 2, 1), _ => Empty);
        Assert.Equal([Node(0), Node(1)], state.Places.Select(p => p.Primary));
        Assert.Equal([Node(1), Node(0)], state.Places.Select(p => p.Standby!.Value));
        Assert.All(Sent<HoldPlace>(effects), m => Assert.False(m.Message.Seed));
        (state, effects) = Placed(state);
        Assert.Equal(WeightsVersion.Initial, Assert.IsType<StepEffect.LoadVersion>(Assert.Single(effects)).Version);
        (state, effects) = Loaded(state);
        Assert.Equal(TermPhase.Running, state.Phase);
        Assert.IsType<StepEffect.InForce>(effects[0]);
        var open = Assert.IsType<StepEffect.OpenNext>(effects[^1]);
        Assert.Equal((new StepId(1), null), (open.Step, open.Recorded));
    }

    [Fact]
    public void A_takeover_takes_the_longest_log_of_the_promises()
    {
        var (state, _) = After(Start(2, 1, 0, diskTerm: 4), new NodeUp(Node(0)), new NodeUp(Node(1)), new TermWritten(new Term(5)));
        var (_, effects) = After(state,
            new TermPromised(new Term(5), Claimant, Slot(0, 0), Holds(2, records: [Record(1), Record(2)])),
            new TermPromised(new Term(5), Claimant, Slot(0, 1), Holds(3, records: [Record(1), Record(2), Record(3)])));
        Assert.Equal(3, Assert.IsType<StepEffect.AdoptLog>(Assert.Single(effects)).Promised.Count);
    }

    [Fact]
    public void Shards_that_all_hold_the_last_record_go_on_with_the_next_step()
    {
        var (state, _) = Adopted(Start(2, 2, 0, 1), r => r.Node.Index == r.Shard.Index ? Holds(3, wasPrimary: true) : Empty, last: 3, checkpoint: 0, Record(1), Record(2), Record(3));
        var (running, effects) = Placed(state);
        Assert.Equal(TermPhase.Running, running.Phase);
        Assert.Equal(new StepId(4), Assert.Single(effects.OfType<StepEffect.OpenNext>()).Step);
        Assert.Null(Assert.Single(effects.OfType<StepEffect.OpenNext>()).Recorded);
    }

    [Theory]
    [InlineData(true), InlineData(false)]
    public void A_shard_one_version_behind_is_redone_from_its_sum_or_computed_again(bool hasSum)
    {
        var (state, _) = Adopted(Start(2, 2, 0, 1), r =>
            r == Slot(0, 0) ? Holds(3, wasPrimary: true) : r == Slot(1, 1) ? Holds(2, sumOf: hasSum ? 3 : null, wasPrimary: true) : Empty, 3, 0, Record(1), Record(2), Record(3));
        var (_, effects) = Placed(state);
        var open = Assert.Single(effects.OfType<StepEffect.OpenNext>());
        Assert.Equal((new StepId(3), hasSum), (open.Step, open.HaveSums));
        Assert.Equal([true, false], open.Ahead);
        Assert.Equal(new StepId(3), open.Recorded!.Step);
    }

    [Fact]
    public void A_step_cannot_be_computed_again_without_the_version_before_it_so_the_checkpoint_is_loaded()
    {
        var (state, _) = Adopted(Start(2, 2, 0, 1), r =>
            r == Slot(0, 0) ? Holds(3, hasPrevious: false, wasPrimary: true) : r == Slot(1, 1) ? Holds(2, wasPrimary: true) : Empty, 3, 1, Record(2), Record(3));
        Assert.Equal(new WeightsVersion(1), state.Loading);
        (state, _) = Placed(state);
        var (_, effects) = Loaded(state);
        Assert.Equal((new StepId(2), new StepId(2)), (effects.OfType<StepEffect.OpenNext>().Single().Step, effects.OfType<StepEffect.OpenNext>().Single().Recorded!.Step));
    }

    [Fact]
    public void A_standby_is_promoted_when_the_primary_is_gone_and_nothing_is_loaded()
    {
        var running = Running(2, 1, 1);
        Assert.Equal((Node(0), Node(1)), (running.Places[0].Primary, running.Places[0].Standby!.Value));
        var (state, effects) = After(running, new NodeLost(Node(0), "its link was closed"));
        Assert.Equal(TermPhase.WritingTerm, state.Phase);
        Assert.Contains("shard ps-0", Assert.Single(effects.OfType<StepEffect.Say>(), s => s.Kind == "shard-lost").Sentence);
        (state, _) = Claimed(state, _ => Holds(0, hasPrevious: false), 0, 0, []);
        Assert.Equal((Node(1), null, null), (state.Places[0].Primary, state.Places[0].Standby, state.Loading));
        (state, _) = Placed(state);
        // The node comes back empty: it is made a standby between two steps, in a new term.
        (state, effects) = After(state, new NodeUp(Node(0, 2)));
        Assert.Empty(effects);
        (state, effects) = After(state, new GoOn());
        Assert.Equal(new StepEffect.WriteTerm(new Term(3), new Term(2)), effects[^1]);
        (state, effects) = Claimed(state, r => r.Node.Index == 1 ? Holds(0, hasPrevious: false, wasPrimary: true) : Empty, 0, 0, []);
        Assert.Equal((Node(1), Node(0, 2)), (state.Places[0].Primary, state.Places[0].Standby!.Value));
        Assert.All(Sent<HoldPlace>(effects), m => Assert.True(m.Message.Seed));
    }

    [Fact]
    public void The_loss_of_a_shard_without_a_standby_waits_for_its_node_and_then_goes_on_without_it()
    {
        var (state, effects) = After(Running(2, 2, 0), new NodeLost(Node(1), "its link was closed"));
        Assert.Equal(TermPhase.WaitingForNodes, state.Phase);
        Assert.Contains(effects, e => e is StepEffect.StartGrace);
        (state, _) = After(state, new GraceSpent());
        (state, _) = Claimed(state, r => r.Shard.Index == 0 ? Holds(0) : Empty, 0, 0, []);
        Assert.Equal([Node(0), Node(0)], state.Places.Select(p => p.Primary));
        Assert.Equal(WeightsVersion.Initial, state.Loading);
    }

    [Fact]
    public void A_refusal_begins_a_higher_term_and_the_disk_says_whether_to_step_down()
    {
        var running = Running(1, 1, 0);
        Assert.IsType<StepEffect.Drop>(Assert.Single(After(running, new TermRefused(new Term(0), new Term(9), Slot(0, 0))).Effects));
        var (state, effects) = After(running, new TermRefused(new Term(1), new Term(9), Slot(0, 0)));
        Assert.Equal(new StepEffect.WriteTerm(new Term(10), new Term(1)), effects[^1]);
        (state, effects) = After(state, new TermTaken(new Term(9)));
        Assert.Equal(TermPhase.SteppedDown, state.Phase);
        Assert.IsType<StepEffect.StepDown>(effects[^1]);
        Assert.IsType<StepEffect.Drop>(Assert.Single(After(state, new NodeUp(Node(3))).Effects));
    }

    [Fact]
    public void Whatever_the_missing_answers_wait_for_is_sent_again()
    {
        var (claiming, _) = After(Start(2, 1, 1), new NodeUp(Node(0)), new NodeUp(Node(1)), new TermWritten(new Term(1)), new TermPromised(new Term(1), Claimant, Slot(0, 0), Empty));
        Assert.Equal([Slot(0, 1)], Sent<ClaimTerm>(After(claiming, new AskAgain()).Effects).Select(m => m.Replica));

        var (placing, _) = Adopted(Start(2, 1, 1, 1), r => r.Node.Index == 0 ? Holds(2) : Empty, 2, 0, Record(1), Record(2));
        (placing, _) = After(placing, new PlaceHeld(placing.Term, Slot(0, 0)));
        // The primary has to send its state again as well.
        Assert.Equal([Slot(0, 0), Slot(0, 1)], Sent<HoldPlace>(After(placing, new AskAgain()).Effects).Select(m => m.Replica));

        var (loading, _) = Placed(Adopted(Start(2, 1, 1), _ => Empty).State);
        (loading, _) = After(loading, new ShardLoaded(loading.Term, WeightsVersion.Initial, Slot(0, 1)));
        Assert.Equal([Slot(0, 0)], Assert.Single(After(loading, new AskAgain()).Effects.OfType<StepEffect.LoadVersion>()).Replicas);

        // In a running term: routes for the workers, and a question that an old coordinator is refused.
        var (running, _) = After(Running(1, 1, 0), new WorkerJoined(new WorkerId(4)));
        var effects = After(running, new AskAgain()).Effects;
        Assert.Equal(new WorkerId(4), Assert.Single(effects.OfType<StepEffect.TellRoutes>()).Worker);
        Assert.Equal(Slot(0, 0), Assert.Single(Sent<HoldPlace>(effects)).Replica);
        // And to the disk, should everybody that it can reach be on its own side of a split.
        Assert.Contains(new StepEffect.WriteTerm(new Term(1), new Term(1)), effects);
        Assert.IsType<StepEffect.Drop>(Assert.Single(After(running, new TermWritten(new Term(1))).Effects));
        Assert.Equal(TermPhase.SteppedDown, After(running, new TermTaken(new Term(2))).State.Phase);
    }

    [Fact]
    public void Coordinator_whose_nodes_have_all_gone_to_another_learns_it_from_the_disk()
    {
        var (waiting, _) = After(Running(1, 1, 0), new NodeLost(Node(0), "it gave the link up"));
        Assert.Equal(TermPhase.WaitingForNodes, waiting.Phase);
        Assert.Equal(new StepEffect.WriteTerm(new Term(1), new Term(1)), Assert.Single(After(waiting, new AskAgain()).Effects));
        Assert.Equal(TermPhase.WaitingForNodes, After(waiting, new TermWritten(new Term(1))).State.Phase);
        var (after, effects) = After(waiting, new TermTaken(new Term(2)));
        Assert.Equal(TermPhase.SteppedDown, after.Phase);
        Assert.Contains(effects, static e => e is StepEffect.Say { Kind: "stepped-down" });
    }

    [Theory]
    [MemberData(nameof(Inputs))]
    public void Every_message_has_an_answer_in_every_phase(string name)
    {
        var (writing, _) = After(Start(1, 1, 0), new NodeUp(Node(0)));
        var (claiming, _) = After(writing, new TermWritten(new Term(1)));
        var (adopting, _) = After(claiming, new TermPromised(new Term(1), Claimant, Slot(0, 0), Empty));
        var (placing, _) = After(adopting, new LogAdopted(new StepId(0), WeightsVersion.Initial, []));
        var (loading, _) = Placed(placing);
        var (running, _) = Loaded(loading);
        var (stepping, _) = After(running, new WorkerJoined(new WorkerId(0)), new OpenStep(new StepPlan(new StepId(1), 0, 0, 4, 1), 0.1));
        var (down, _) = After(running, new TermTaken(new Term(2)));
        foreach (var state in new[] { Start(1, 1, 0), writing, claiming, adopting, placing, loading, running, stepping, down })
        {
            var input = Input(name);
            var (next, effects) = After(state, input);
            Assert.NotNull(next);
            // What comes from another term changes nothing.
            if (input is LeafDone or ShardReduced or ShardApplied or TermPromised or PlaceHeld or ShardLoaded)
            {
                Assert.Equal(state, next);
                Assert.All(effects, e => Assert.IsType<StepEffect.Drop>(e));
            }
        }
    }

    public static TheoryData<string> Inputs => ["leaf", "reduced", "applied", "promised", "held", "loaded", "refused", "up", "lost", "grace", "joined", "worker lost", "budget", "ask", "taken", "go on"];

    private static IStepInput Input(string name) => name switch
    {
        "leaf" => new LeafDone(new Term(9), new StepId(1), 1, 0, new WorkerId(0), 4, 0, 0, 0, true, null, default),
        "reduced" => new ShardReduced(new Term(9), new StepId(1), 1, new ShardId(0), 0, [1.0], [], default),
        "applied" => new ShardApplied(new Term(9), new WeightsVersion(1), new ShardId(0), default),
        "promised" => new TermPromised(new Term(9), Claimant, Slot(0, 0), Empty),
        "held" => new PlaceHeld(new Term(9), Slot(0, 0)),
        "loaded" => new ShardLoaded(new Term(9), WeightsVersion.Initial, Slot(0, 0)),
        "refused" => new TermRefused(new Term(1), new Term(4), Slot(0, 0)),
        "up" => new NodeUp(Node(0)),
        "lost" => new NodeLost(Node(0), "gone"),
        "grace" => new GraceSpent(),
        "joined" => new WorkerJoined(new WorkerId(5)),
        "worker lost" => new WorkerLost(new WorkerId(0), "gone"),
        "budget" => new BudgetSpent(new StepId(1), 1),
        "ask" => new AskAgain(),
        "taken" => new TermTaken(new Term(4)),
        _ => new GoOn(),
    };
}
