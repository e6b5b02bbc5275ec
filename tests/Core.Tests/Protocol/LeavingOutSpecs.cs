using Cluster.Contracts;
using Cluster.Coordinator.Core;

namespace Cluster.Core.Tests.Protocol;

/// <summary>Samples that cannot be decoded: who finds one binds all, and the record says so.</summary>
public sealed class LeavingOutSpecs
{
    private const int Leaves = 4, LeafSamples = 6;
    private static readonly WorkerId First = new(0), Second = new(1);

    private StepState _state = With(2);
    private readonly List<StepEffect> _effects = [];
    private double _now;

    private static StepState With(int workers, long auditEvery = 0)
    {
        var rules = new StepRules(1, 1, StepScaling.Off, NonFinitePolicy.Recompute, StragglerRules.Default) { AuditEvery = auditEvery };
        var state = StepState.Start(rules, Term.First, new StepId(0));
        for (var w = 0; w < workers; w++) (state, _) = StepProtocol.Advance(state, new WorkerJoined(new WorkerId(w)), 0);
        return state;
    }

    private void Open(CommitRecord? recorded = null, int leaves = Leaves, int samples = Leaves * LeafSamples) =>
        Feed(new OpenStep(new StepPlan(new StepId(1), 0, 0, samples, leaves), 0.1, recorded));

    private void Feed(IStepInput input)
    {
        _effects.Clear();
        (_state, var effects) = StepProtocol.Advance(_state, input, _now);
        _effects.AddRange(effects);
    }

    private void Unreadable(WorkerId worker, int leaf, params int[] samples) =>
        Feed(new LeafUnreadable(_state.Term, _state.Step, _state.Attempt, leaf, worker, [.. samples.Select(static s => UndecodedSample.Of(s, $"file-{s}.jpg is cut"))], default));

    /// <summary>All leaves, each with what is left of it, and the sum.</summary>
    private void TheRest(double lossOfSample = 0.5)
    {
        for (var leaf = 0; leaf < _state.Leaves.Length; leaf++)
        {
            var left = _state.Plan.Leaf(leaf).Count - _state.LeftOut.Count(l => l.Value == leaf);
            if (_state.Recorded is { } recorded) left = recorded.Leaves[leaf].Samples;
            Feed(new LeafDone(_state.Term, _state.Step, _state.Attempt, leaf, Holder(leaf), left, left * lossOfSample, left / 2, (ulong)leaf, true, null, default));
        }
        if (_state.Phase == StepPhase.Gathering) Feed(new ShardReduced(_state.Term, _state.Step, _state.Attempt, new ShardId(0), 0, [4], [.. Enumerable.Range(0, _state.Leaves.Length).Where(l => !_state.EmptyLeaves.Contains(l)).Select(l => new Contribution(TreeNode.Leaf(l), Holder(l)))], default));
    }

    private WorkerId Holder(int leaf) => _state.Leases.First(l => l.Leaves.Contains(leaf)).Worker;

    private CommitRecord Record => Assert.Single(_effects.OfType<StepEffect.AppendCommit>()).Record;

    private string Halt => Assert.Single(_effects.OfType<StepEffect.Halt>()).Reason;

    [Fact]
    public void The_first_report_voids_the_attempt_and_every_worker_is_told_of_it_with_the_next()
    {
        Open();
        Unreadable(Second, 3, 17, 4);
        Assert.Equal((2, StepPhase.Gathering), (_state.Attempt, _state.Phase));
        Assert.Equal(1, Assert.Single(_effects.OfType<StepEffect.Abandon>()).Attempt);
        Assert.Equal([First, Second], _effects.OfType<StepEffect.Grant>().Select(static g => g.Worker));
        var order = _state.OrderOf([], default);
        Assert.Equal([4, 17], order.LeftOut!);
        Assert.Null(order.EmptyLeaves);
        var said = _effects.OfType<StepEffect.Say>().Where(static s => s.Kind == "sample-left-out").ToArray();
        Assert.Equal(2, said.Length);
        Assert.Equal("Sample 17 is left out of leaf 3 of step 1: worker-1 cannot decode it (file-17.jpg is cut).", said[0].Sentence);
    }

    [Fact]
    public void Later_attempts_add_to_what_is_left_out_and_the_record_counts_the_rest()
    {
        Open();
        Unreadable(First, 0, 9);
        Unreadable(Second, 2, 1, 2, 3, 5, 6, 7);
        Assert.Equal(3, _state.Attempt);
        var order = _state.OrderOf([], default);
        Assert.Equal([1, 2, 3, 5, 6, 7, 9], order.LeftOut!);
        Assert.Equal([2], order.EmptyLeaves!);
        TheRest();
        Assert.Equal((24 - 7, 3, true, 3), (Record.Samples, Record.Attempt, Record.Applied, Record.FilledLeaves));
        Assert.Equal([1, 2, 3, 5, 6, 7, 9], Record.LeftOut!);
        Assert.Equal([2], Record.EmptyLeaves!);
        Assert.Equal([5, 6, 0, 6], Record.Leaves.Select(static l => l.Samples));
        Assert.Equal((0.5, 2 / 17.0), (Record.Loss, Record.GradNorm));
        Assert.Equal((2 + 3 + 3) / 17.0, Record.Accuracy);
    }

    [Fact]
    public void A_step_without_unreadable_samples_says_nothing_of_them()
    {
        Open();
        Assert.Null(_state.OrderOf([], default).LeftOut);
        TheRest();
        Assert.Null(Record.LeftOut);
        Assert.Null(Record.EmptyLeaves);
        Assert.DoesNotContain("left_out", System.Text.Encoding.UTF8.GetString(CommitLog.Write(Record, 1)), StringComparison.Ordinal);
    }

    [Fact]
    public void The_next_step_begins_with_nothing_left_out()
    {
        Open();
        Unreadable(First, 0, 9);
        TheRest();
        Feed(new CommitWritten(new StepId(1)));
        Feed(new ShardApplied(_state.Term, new StepId(1).Produces, new ShardId(0), default));
        Feed(new OpenStep(new StepPlan(new StepId(2), 0, 24, 24, Leaves), 0.1));
        Assert.Null(_state.OrderOf([], default).LeftOut);
    }

    [Fact]
    public void A_worker_that_counts_what_is_left_out_halts_the_run()
    {
        Open();
        Unreadable(First, 0, 9);
        for (var leaf = 0; leaf < Leaves; leaf++)
            Feed(new LeafDone(_state.Term, _state.Step, _state.Attempt, leaf, Holder(leaf), LeafSamples, 1, 1, 7, true, null, default));
        Feed(new ShardReduced(_state.Term, _state.Step, _state.Attempt, new ShardId(0), 0, [4], [], default));
        Assert.Equal("step 1 counted 24 samples, its plan has 24, of which 1 are left out", Halt);
    }

    [Fact]
    public void More_than_half_of_a_step_halts_the_run_and_says_where_to_look()
    {
        Open();
        Unreadable(First, 0, 0, 1, 2, 3, 4, 5);
        Unreadable(First, 1, 6, 7, 8, 9, 10, 11);
        Assert.Equal(StepPhase.Gathering, _state.Phase);        // 12 of 24
        Unreadable(Second, 2, 12);
        Assert.Equal(StepPhase.Halted, _state.Phase);
        Assert.Equal("13 of the 24 samples of step 1 cannot be decoded, the last of them sample 12 on worker-1 (file-12.jpg is cut): that is not a few damaged images. See whether the data is where it was and what 'data check' says of it, then resume.", Halt);
        Assert.Contains(_effects, static e => e is StepEffect.Say { Kind: "sample-left-out" });
    }

    [Fact]
    public void A_few_samples_may_be_all_of_a_short_step_which_is_then_skipped()
    {
        Open(leaves: 2, samples: 5);
        Unreadable(First, 0, 0, 1);
        Unreadable(Second, 1, 2, 3, 4);
        Assert.Equal([0, 1], _state.EmptyLeaves);
        TheRest();
        Assert.Equal((0, false, 1.0, 0.0), (Record.Samples, Record.Applied, Record.Scale, Record.Accuracy));
        Assert.Equal([0, 1, 2, 3, 4], Record.LeftOut!);
        Assert.True(double.IsNaN(Record.Loss));
        // As the log has it, and again as a replay takes it.
        var read = Assert.Single(CommitLog.Read(CommitLog.Write(Record, 1)).Lines).Record;
        Assert.Equal(read.LeftOut, Record.LeftOut);
        _state = With(1);
        Open(read, leaves: 2, samples: 5);
        Assert.Equal(StepPhase.Applying, _state.Phase);
    }

    [Fact]
    public void What_a_report_cannot_say_is_dropped()
    {
        Open();
        void Dropped(string reason)
        {
            Assert.Equal(reason, Assert.IsType<StepEffect.Drop>(Assert.Single(_effects)).Reason);
            Assert.Equal(1, _state.Attempt);
        }

        Unreadable(First, -1, 3);
        Dropped("leaf that does not exist");
        Unreadable(First, Leaves, 3);
        Dropped("leaf that does not exist");
        Unreadable(new WorkerId(7), 0, 3);
        Dropped("leaf of a worker that is gone");
        Unreadable(First, 0);
        Dropped("sample that is left out already");
        Unreadable(First, 0, -5);
        Dropped("sample that is left out already");
        Feed(new LeafUnreadable(_state.Term, _state.Step, 1, 0, First, null!, default));
        Dropped("sample that is left out already");
        Unreadable(First, 0, 1, 2, 3, 4, 5, 6, 7);
        Dropped("more samples than the leaf has");
        Feed(new LeafUnreadable(new Term(9), _state.Step, 1, 0, First, [new UndecodedSample(1, "")], default));
        Dropped("stale term");
        Feed(new LeafUnreadable(_state.Term, new StepId(2), 1, 0, First, [new UndecodedSample(1, "")], default));
        Dropped("stale step");
        Feed(new LeafUnreadable(_state.Term, _state.Step, 0, 0, First, [new UndecodedSample(1, "")], default));
        Dropped("stale attempt");
    }

    [Fact]
    public void A_sample_that_is_named_twice_is_left_out_once()
    {
        Open();
        Unreadable(First, 0, 3, 3);
        Assert.Equal([3], _state.LeftOut.Keys);
    }

    [Fact]
    public void A_reason_that_is_missing_or_a_book_does_no_harm()
    {
        Open();
        Feed(new LeafUnreadable(_state.Term, _state.Step, _state.Attempt, 0, First, [new UndecodedSample(1, null!), new UndecodedSample(2, new string('x', 100_000))], default));
        Assert.All(_effects.OfType<StepEffect.Say>(), static s => Assert.InRange(s.Sentence.Length, 1, Limits.UndecodedReasonLength + 100));
        Assert.Equal([1, 2], _state.LeftOut.Keys);
    }

    [Fact]
    public void After_the_decision_a_report_changes_nothing()
    {
        Open();
        TheRest();
        Unreadable(Second, 3, 4);
        Assert.Equal(StepPhase.Committing, _state.Phase);
        Assert.IsType<StepEffect.Drop>(Assert.Single(_effects));
    }

    [Fact]
    public void A_late_report_of_a_worker_that_was_called_hung_tells_that_it_lives()
    {
        Open();
        _state = _state with { Workers = _state.Workers.SetItem(Second, _state.Workers[Second] with { IsHung = true }) };
        Feed(new LeafUnreadable(_state.Term, _state.Step, 0, 0, Second, [new UndecodedSample(1, "")], default));
        Assert.False(_state.Workers[Second].IsHung);
    }

    [Fact]
    public void Hashes_of_an_audited_leaf_are_forgotten_with_the_samples_that_they_were_of()
    {
        _state = With(3, auditEvery: 1);
        Open();
        var leaf = _state.Audit!.Leaf;
        var holders = _state.Leases.Where(l => l.Leaves.Contains(leaf)).Select(static l => l.Worker).ToArray();
        Feed(new LeafDone(_state.Term, _state.Step, _state.Attempt, leaf, holders[0], 6, 1, 1, 1, true, null, default, "aaaa"));
        Unreadable(holders[1], leaf, 3);
        Assert.Empty(_state.Audit!.Evidence);
        // Another leaf's samples leave its hashes alone.
        leaf = _state.Audit.Leaf;
        Feed(new LeafDone(_state.Term, _state.Step, _state.Attempt, leaf, Holder(leaf), 5, 1, 1, 1, true, null, default, "bbbb"));
        Unreadable(First, (leaf + 1) % Leaves, 20);
        Assert.Equal("bbbb", Assert.Single(_state.Audit!.Evidence).Value[0]);
    }

    private static CommitRecord Recorded(params int[] leftOut) => new(
        Term.First, new StepId(1), 2, 0, 24 - leftOut.Length, 0.5, 0.5, 2.0 / (24 - leftOut.Length), 1, 0.1, true,
        [new LeafRecord(First, LeafSamples - leftOut.Length, 0), .. Enumerable.Range(1, 3).Select(static l => new LeafRecord(First, LeafSamples, (ulong)l))],
        LeftOut: leftOut.Length == 0 ? null : leftOut);

    [Fact]
    public void A_replay_leaves_out_exactly_what_the_record_names_whether_it_can_be_read_now_or_not()
    {
        Open(Recorded(9, 11));
        Assert.Equal([9, 11], _state.OrderOf([], default).LeftOut!);
        _state = With(2);
        Open(Recorded(0, 1, 2, 3, 4, 5));
        Assert.Equal([0], _state.OrderOf([], default).EmptyLeaves!);
        TheRest();
        Assert.Equal(StepPhase.Applying, _state.Phase);
        Assert.DoesNotContain(_effects, static e => e is StepEffect.AppendCommit);
    }

    [Fact]
    public void What_a_replayed_record_counts_is_read_by_another_worker_and_when_none_is_left_the_run_halts()
    {
        Open(Recorded(9));
        var leaf = 2;
        var first = Holder(leaf);
        Unreadable(first, leaf, 20);
        Assert.Equal((2, StepPhase.Gathering), (_state.Attempt, _state.Phase));
        Assert.Equal([9], _state.OrderOf([], default).LeftOut!);
        Assert.NotEqual(first, Holder(leaf));
        Assert.Contains(_effects, static e => e is StepEffect.Say { Kind: "sample-unreadable" });
        // Late leaves are not given back to whom cannot read them.
        _now = 1_000_000;
        Feed(new BudgetSpent(_state.Step, _state.Attempt));
        Assert.DoesNotContain(_state.Leases, l => l.Worker == first && l.Leaves.Contains(leaf));
        Unreadable(Holder(leaf), leaf, 20);
        Assert.Equal("Step 1 cannot be replayed: " + (first == First ? Second : First) + " cannot decode sample 20 (file-20.jpg is cut), which the record of step 1 counts, nor can any other worker. Bring the data back as it was, and resume.", Halt);
    }

    [Fact]
    public void A_reason_is_one_short_line()
    {
        var sample = UndecodedSample.Of(3, "first\nsecond" + new string('x', 1_000));
        Assert.StartsWith("first second", sample.Reason, StringComparison.Ordinal);
        Assert.Equal(Limits.UndecodedReasonLength, sample.Reason.Length);
    }

    [Fact]
    public void Only_a_few_of_one_report_are_told_one_by_one()
    {
        Open();
        Unreadable(First, 0, 0, 1, 2, 3, 4, 5);
        var said = _effects.OfType<StepEffect.Say>().Where(static s => s.Kind == "sample-left-out").ToArray();
        Assert.Equal(Limits.ToldUndecoded + 1, said.Length);
        Assert.StartsWith("2 samples more of leaf 0", said[^1].Sentence, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(8, 0, false), InlineData(9, 0, true), InlineData(9, 9, false), InlineData(10, 9, true), InlineData(100, 300, false)]
    public void A_worker_is_blind_when_it_decodes_less_than_half_of_more_than_a_few(int undecoded, int decoded, bool isBlind) =>
        Assert.Equal(isBlind, new DataSight(Term.First, new StepId(1), 1, undecoded, decoded).IsBlind);

    [Fact]
    public void What_a_worker_could_not_decode_adds_up_over_attempts_and_ends_with_the_step()
    {
        BeginStep Order(long step, int attempt) => new(Term.First, new StepId(step), attempt, 4, [], default);
        var sight = default(DataSight).With(Order(1, 1), 4, 2).With(Order(1, 1), 1, 5);
        Assert.Equal((5, 7), (sight.Undecoded, sight.Decoded));
        sight = sight.With(Order(1, 2), 2, 4);
        Assert.Equal((7, 4), (sight.Undecoded, sight.Decoded));
        sight = sight.With(Order(2, 1), 1, 1);
        Assert.Equal((1, 1), (sight.Undecoded, sight.Decoded));
    }
}
