using System.Collections.Immutable;
using Cluster.Contracts;
using Cluster.Coordinator.Core;

namespace Cluster.Core.Tests.Protocol;

/// <summary>Silent data corruption: a leaf that two workers compute, and what happens when their bits differ.</summary>
public sealed class LeafAuditSpecs
{
    private const string Right = "aaaa", Wrong = "bbbb", Other = "cccc";
    private const double Patience = 5_000;

    private static readonly StragglerRules Stragglers = new(1.5, 5, 2_000, 60_000);

    private StepState _state;
    private readonly List<StepEffect> _effects = [];
    private double _now;

    public LeafAuditSpecs() => _state = With(workers: 3);

    private static StepState With(int workers)
    {
        var rules = new StepRules(1, 1, StepScaling.Off, NonFinitePolicy.Recompute, Stragglers) { AuditEvery = 2, DisputePatience = Patience };
        var state = StepState.Start(rules, Term.First, new StepId(1));
        for (var w = 0; w < workers; w++) (state, _) = StepProtocol.Advance(state, new WorkerJoined(new WorkerId(w)), 0);
        return state;
    }

    private void Open(long step = 2, CommitRecord? recorded = null) => Feed(new OpenStep(new StepPlan(new StepId(step), 0, 0, 8, 2), 0.1, recorded));

    private void Feed(IStepInput input)
    {
        _effects.Clear();
        (_state, var effects) = StepProtocol.Advance(_state, input, _now);
        _effects.AddRange(effects);
    }

    private int Audited => (_state.Audit ?? throw new InvalidOperationException("nothing is audited")).Leaf;

    private WorkerId[] Holders(int leaf) => [.. _state.Leases.Where(l => l.Leaves.Contains(leaf)).Select(static l => l.Worker)];

    private void Report(WorkerId worker, int leaf, string? hash = null) =>
        Feed(new LeafDone(_state.Term, _state.Step, _state.Attempt, leaf, worker, 4, leaf * 0.5, 1, (ulong)leaf, true, null, default, hash));

    /// <summary>Everything of this attempt but the audited leaf's reports; the sum is of the copies of those who hold each leaf first.</summary>
    private void TheRest()
    {
        foreach (var leaf in Enumerable.Range(0, 2).Where(l => l != _state.Audit?.Leaf)) Report(Holders(leaf)[0], leaf);
        Reduce();
    }

    private void Reduce() =>
        Feed(new ShardReduced(_state.Term, _state.Step, _state.Attempt, new ShardId(0), 0, [4], [.. Enumerable.Range(0, 2).Select(l => new Contribution(TreeNode.Leaf(l), Holders(l)[0]))], default));

    private CommitRecord Record => Assert.Single(_effects.OfType<StepEffect.AppendCommit>()).Record;

    [Fact]
    public void Only_every_nth_step_is_audited_and_a_replay_never()
    {
        Open(2);
        Assert.Equal(2, Holders(Audited).Length);
        var state = With(3) with { Committed = new StepId(2) };
        var (odd, _) = StepProtocol.Advance(state, new OpenStep(new StepPlan(new StepId(3), 0, 0, 8, 2), 0.1), 0);
        Assert.Null(odd.Audit);
        var record = new CommitRecord(Term.First, new StepId(2), 1, 0, 8, 1, 1, 1, 1, 0.1, true, []);
        _state = With(3);
        Open(2, record);
        Assert.Null(_state.Audit);
        _state = With(1);
        Open(2);
        Assert.Null(_state.Audit);
    }

    [Fact]
    public void An_audited_step_waits_for_both_copies_and_commits_when_they_are_equal()
    {
        Open();
        var holders = Holders(Audited);
        Report(holders[0], Audited, Right);
        TheRest();
        Assert.Equal(StepPhase.Gathering, _state.Phase);
        Report(holders[1], Audited, Right);
        Assert.Null(Record.Quarantined);
        Assert.Equal(1, Record.Attempt);
    }

    [Theory]
    [InlineData(0), InlineData(1)]
    public void A_third_worker_names_the_liar_whose_leaves_are_computed_again_by_others_and_whose_name_is_in_the_record(int liar)
    {
        Open();
        var holders = Holders(Audited);
        Report(holders[0], Audited, liar == 0 ? Wrong : Right);
        Report(holders[1], Audited, liar == 1 ? Wrong : Right);
        Assert.Equal((2, StepPhase.Gathering), (_state.Attempt, _state.Phase));
        Assert.Contains(_effects, static e => e is StepEffect.Say { Kind: "audit-dispute" });
        Assert.Equal(3, Holders(Audited).Length);
        var third = Assert.Single(_state.Workers.Keys.Except(holders));
        Report(third, Audited, Right);
        var said = Assert.Single(_effects.OfType<StepEffect.Say>(), static s => s.Kind == "worker-quarantined");
        Assert.Equal(holders[liar].ToString(), said.Node);
        Assert.Contains("gave wrong bits for leaf", said.Sentence, StringComparison.Ordinal);
        Assert.Equal((3, false), (_state.Attempt, _state.Workers.ContainsKey(holders[liar])));
        Assert.DoesNotContain(_state.Leases, l => l.Worker == holders[liar]);
        TheRest();
        Assert.Equal([holders[liar]], Record.Quarantined);
        Assert.DoesNotContain(Record.Leaves, l => l.Worker == holders[liar]);
        // Started again, it is as wrong as before.
        Feed(new WorkerJoined(holders[liar]));
        Assert.DoesNotContain(holders[liar], _state.Workers.Keys);
        Assert.Contains("its bits were wrong in step 2", Assert.Single(_effects.OfType<StepEffect.Say>()).Sentence, StringComparison.Ordinal);
        // The next record does not name it again, and the next term still knows.
        Feed(new CommitWritten(_state.Step));
        Assert.Empty(_state.Unlogged);
        Assert.Contains(holders[liar], _state.InTerm(new Term(5), new StepId(2)).Quarantined.Keys);
    }

    [Fact]
    public void Of_two_workers_the_one_that_contradicts_itself_is_the_liar()
    {
        var holders = Disputed();
        Assert.Equal(2, _state.Attempt);
        Report(holders[1], Audited, Other);
        Assert.Equal([holders[1]], _state.Quarantined.Keys);
    }

    [Fact]
    public void Two_workers_that_both_stand_by_their_bits_wait_for_a_third_and_then_the_run_halts()
    {
        var holders = Disputed();
        Report(holders[1], Audited, Wrong);
        Assert.Contains("waits for one more worker", Assert.Single(_effects.OfType<StepEffect.Say>()).Sentence, StringComparison.Ordinal);
        _now = Patience - 1;
        Feed(new BudgetSpent(_state.Step, _state.Attempt));
        Assert.Equal(StepPhase.Gathering, _state.Phase);
        _now = Patience;
        Feed(new BudgetSpent(_state.Step, _state.Attempt));
        Assert.Contains("Resume with one more worker", Assert.Single(_effects.OfType<StepEffect.Halt>()).Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void A_worker_that_joins_settles_the_dispute_of_two()
    {
        var holders = Disputed();
        Report(holders[1], Audited, Wrong);
        Feed(new WorkerJoined(new WorkerId(7)));
        Assert.Contains(_effects, static e => e is StepEffect.Grant { Worker.Index: 7, Leases.Count: 1 });
        Report(new WorkerId(7), Audited, Wrong);
        Assert.Equal([holders[0]], _state.Quarantined.Keys);
    }

    /// <summary>Two workers, one has repeated its word in the second attempt.</summary>
    private WorkerId[] Disputed()
    {
        _state = With(2);
        Open();
        var holders = Holders(Audited);
        Report(holders[0], Audited, Right);
        Report(holders[1], Audited, Wrong);
        Report(holders[0], Audited, Right);
        return holders;
    }

    [Fact]
    public void Another_worker_is_asked_when_the_one_that_was_is_lost_and_nobody_is_waited_for_when_none_is_left()
    {
        Open();
        var holders = Holders(Audited);
        var third = Assert.Single(_state.Workers.Keys.Except(holders));
        Report(holders[0], Audited, Right);
        TheRest();
        Feed(new WorkerLost(holders[1], "killed"));
        Assert.Contains(_effects, e => e is StepEffect.Grant grant && grant.Worker == third && grant.Leases.Any(l => l.Contains(Audited)));
        Feed(new WorkerLost(third, "killed"));
        // Leaves that only the lost ones held are computed again; the audit is let go.
        foreach (var lease in _state.Leases.Where(l => l.Worker == holders[0]).ToArray())
            for (var leaf = lease.Leaves.First; leaf < lease.Leaves.End; leaf++)
                if (!_state.Leaves[leaf].Reporters.Contains(holders[0])) Report(holders[0], leaf, leaf == _state.Audit!.Leaf ? Right : null);
        Assert.NotEqual(StepPhase.Halted, _state.Phase);
        Assert.Contains(holders[0], _state.Workers.Keys);
    }

    [Fact]
    public void A_hung_auditor_does_not_hold_the_step_for_ever()
    {
        _state = With(2);
        Open();
        var (owner, auditor) = (Holders(Audited)[0], Holders(Audited)[1]);
        _now = 10;
        for (var leaf = 0; leaf < 2; leaf++)
            foreach (var holder in Holders(leaf).Where(h => leaf != Audited || h == owner)) Report(holder, leaf, leaf == Audited ? Right : null);
        Reduce();
        Assert.Equal(StepPhase.Gathering, _state.Phase);
        _now = 3_000;
        Feed(new BudgetSpent(_state.Step, _state.Attempt));
        Assert.True(_state.Workers[auditor].IsHung);
        Assert.Equal(StepPhase.Committing, _state.Phase);
    }

    [Fact]
    public void Quarantine_is_read_back_from_the_log()
    {
        var record = new CommitRecord(new Term(3), new StepId(1), 2, 0, 8, 1, 0.5, 1, 1, 0.1, true, [new LeafRecord(new WorkerId(1), 8, 7)], [new WorkerId(2), new WorkerId(5)]);
        var read = Assert.Single(CommitLog.Read(CommitLog.Write(record, 1)).Lines).Record;
        Assert.Equal(record.Quarantined, read.Quarantined);
        Assert.Equal(new StepId(1), CommitLog.QuarantinedIn([read, read with { Step = new StepId(9) }])[new WorkerId(5)]);
    }

    [Fact]
    public void Coordinator_that_takes_over_keeps_the_quarantined_out()
    {
        var found = ImmutableDictionary<WorkerId, StepId>.Empty.Add(new WorkerId(1), new StepId(4));
        var node = new NodeId(0, 1);
        var rules = new StepRules(1, 1, StepScaling.Off, NonFinitePolicy.Recompute, StragglerRules.Off);
        var state = RunState.Start(new TermRules(1, 0, 1_000), rules, 42, new Term(1));
        foreach (var input in new IStepInput[]
        {
            new WorkerJoined(new WorkerId(0)), new WorkerJoined(new WorkerId(1)), new NodeUp(node), new TermWritten(new Term(2)),
            new TermPromised(new Term(2), 42, new ReplicaId(new ShardId(0), node), new ReplicaReport(null, false, null, false, [])),
            new LogAdopted(new StepId(4), WeightsVersion.Initial, []) { Quarantined = found },
        })
            (state, _) = RunProtocol.Advance(state, input, 0);
        Assert.Equal([new WorkerId(0)], state.Step.Workers.Keys);
        (state, var effects) = RunProtocol.Advance(state, new WorkerJoined(new WorkerId(1)), 0);
        Assert.Equal([new WorkerId(0)], state.Step.Workers.Keys);
        Assert.Contains(effects, static e => e is StepEffect.Say { Kind: "worker-quarantined" });
    }
}
