using Cluster.Contracts;
using Cluster.Coordinator.Core;

namespace Cluster.Core.Tests.Protocol;

public class StepProtocolSpecs
{
    [Fact]
    public void A_step_is_recorded_once_and_before_it_is_applied()
    {
        var run = new ProtocolRun(seed: 1, workers: 2, shards: 2, leaves: 8);
        run.Open(1);
        while (run.DeliverOne()) { }
        var record = Assert.Single(run.Log);
        Assert.Equal(8, record.Leaves.Count);
        Assert.Equal(32, record.Samples);
        Assert.Equal(StepPhase.Idle, run.State.Phase);
        var kinds = run.Effects.Select(e => e.GetType().Name).ToList();
        Assert.True(kinds.IndexOf(nameof(StepEffect.AppendCommit)) < kinds.IndexOf(nameof(StepEffect.SendApply)));
    }

    [Theory]
    [InlineData(1), InlineData(2), InlineData(3), InlineData(5), InlineData(7), InlineData(8), InlineData(13)]
    public void The_sum_and_the_record_are_the_same_for_any_number_of_workers_and_any_order(int leaves)
    {
        var reference = new ProtocolRun(seed: 0, workers: 1, shards: 1, leaves);
        reference.Open(1);
        while (reference.DeliverOne()) { }
        for (var seed = 1; seed <= 40; seed++)
        {
            var run = new ProtocolRun(seed, workers: 1 + seed % 6, shards: 1 + seed % 3, leaves);
            run.Open(1);
            while (run.DeliverOne()) { }
            Assert.Equal(BitConverter.SingleToInt32Bits(reference.Sums[new StepId(1)]), BitConverter.SingleToInt32Bits(run.Sums[new StepId(1)]));
            var (expected, actual) = (reference.Log.Single(), run.Log.Single());
            Assert.Equal((expected.Loss, expected.Accuracy, expected.GradNorm, expected.Scale), (actual.Loss, actual.Accuracy, actual.GradNorm, actual.Scale));
        }
    }

    [Fact]
    public void Killed_workers_at_random_moments_lose_no_leaf_and_change_no_bit()
    {
        for (var seed = 0; seed < 300; seed++)
        {
            var random = new Random(seed);
            var run = new ProtocolRun(seed, workers: 4, shards: 1 + seed % 3, leaves: 1 + random.Next(12));
            var victims = new Queue<WorkerId>(Enumerable.Range(0, 3).Select(i => new WorkerId(i)));
            for (var step = 1; step <= 3; step++)
            {
                run.Open(step);
                for (var guard = 0; run.State.Phase != StepPhase.Idle; guard++)
                {
                    Assert.True(guard < 5_000, $"seed {seed}: step {step} does not finish");
                    if (victims.Count > 0 && random.Next(12) == 0) run.Kill(victims.Dequeue());
                    if (!run.DeliverOne()) run.Feed(new AskAgain());
                }
                while (run.DeliverOne()) { }
                Assert.Equal(BitConverter.SingleToInt32Bits(run.Value(TreeNode.Root(run.State.Plan.LeafCount), new StepId(step))), BitConverter.SingleToInt32Bits(run.Sums[new StepId(step)]));
            }
            Assert.Equal([1L, 2L, 3L], run.Log.Select(r => r.Step.Value));
        }
    }

    [Fact]
    public void Leaves_of_a_late_worker_are_leased_to_an_idle_one_as_well_and_the_first_copy_wins()
    {
        var run = new ProtocolRun(seed: 1, workers: 2, shards: 1, leaves: 4, stragglers: new StragglerRules(1.5, 5, 1_000, 5_000));
        run.Open(1);
        run.DeliverUntil(() => run.State.Phase == StepPhase.Idle, advance: 100);
        run.Open(2);
        var slow = run.State.Leases[0].Worker;
        run.Hold(slow);
        // Two reports 100 ms apart: a leaf takes so long, and the other worker is late at 150.
        run.DeliverUntil(() => run.State.Leaves.Any(l => l.Done is not null), advance: 100);
        Assert.DoesNotContain(run.Effects, e => e is StepEffect.Say { Kind: "leased-again" });
        run.DeliverUntil(() => run.Log.Count == 2, advance: 100);
        Assert.Equal(2, run.Log.Count);
        Assert.Contains(run.Effects, e => e is StepEffect.Say { Kind: "leased-again" } say && say.Node != slow.ToString());
        Assert.DoesNotContain(run.Log[1].Leaves, l => l.Worker == slow);
        while (run.DeliverOne()) { }
        run.Release(slow);
        while (run.DeliverOne()) { }
        Assert.Contains(run.Effects, e => e is StepEffect.Drop { Reason: "stale step" });
        Assert.Equal(2, run.Log.Count);
    }

    [Fact]
    public void A_budget_of_an_old_attempt_is_noise()
    {
        var run = new ProtocolRun(seed: 1, workers: 2, shards: 1, leaves: 4);
        run.Open(1);
        var before = run.State;
        run.Feed(new BudgetSpent(new StepId(1), Attempt: 0));
        Assert.Equal(before.Leaves, run.State.Leaves);
        Assert.IsType<StepEffect.Drop>(run.Effects[^1]);
    }

    [Fact]
    public void A_non_finite_leaf_is_computed_elsewhere_as_the_next_attempt()
    {
        var run = new ProtocolRun(seed: 3, workers: 2, shards: 2, leaves: 4, isFinite: (_, attempt, _, leaf) => attempt > 1 || leaf != 2);
        run.Open(1);
        while (run.DeliverOne()) { }
        var record = Assert.Single(run.Log);
        Assert.Equal(2, record.Attempt);
        Assert.True(record.Applied);
        var suspect = run.State.Suspects[2];
        Assert.NotEqual(suspect, record.Leaves[2].Worker);
        Assert.Contains(run.Effects, e => e is StepEffect.Say { Kind: "non-finite" } s && s.Sentence.Contains("leaf 2") && s.Node == suspect.ToString());
    }

    [Fact]
    public void A_leaf_that_is_non_finite_on_two_workers_halts_the_run_and_names_both()
    {
        var run = new ProtocolRun(seed: 3, workers: 2, shards: 1, leaves: 4, isFinite: (_, _, _, leaf) => leaf != 1);
        run.Open(1);
        while (run.DeliverOne()) { }
        Assert.Empty(run.Log);
        var halt = Assert.Single(run.Effects.OfType<StepEffect.Halt>());
        Assert.Contains("worker-0", halt.Reason);
        Assert.Contains("worker-1", halt.Reason);
        Assert.Contains("'w'", halt.Reason);
    }

    [Fact]
    public void A_skipped_step_is_committed_and_not_applied()
    {
        var run = new ProtocolRun(seed: 3, workers: 2, shards: 1, leaves: 4, NonFinitePolicy.Skip, (_, _, _, leaf) => leaf != 1);
        run.Open(1);
        while (run.DeliverOne()) { }
        Assert.False(Assert.Single(run.Log).Applied);
        Assert.Equal(StepPhase.Idle, run.State.Phase);
    }

    [Fact]
    public void A_message_of_another_term_has_no_effect()
    {
        var run = new ProtocolRun(seed: 1, workers: 1, shards: 1, leaves: 2);
        run.Open(1);
        var before = run.State;
        run.Feed(new LeafDone(new Term(9), new StepId(1), 1, 0, new WorkerId(0), 4, 0, 0, 0, true, null, default));
        run.Feed(new ShardReduced(new Term(9), new StepId(1), 1, new ShardId(0), 0, [1.0], [], default));
        Assert.Same(before, run.State);
        Assert.Equal(2, run.Effects.Count(e => e is StepEffect.Drop { Reason: "stale term" }));
    }

    [Fact]
    public void An_impossible_input_throws_and_names_phase_and_input()
    {
        var run = new ProtocolRun(seed: 1, workers: 1, shards: 1, leaves: 2);
        var e = Assert.Throws<StepProtocolException>(() => run.Feed(new CommitWritten(new StepId(1))));
        Assert.Contains("Idle", e.Message);
        Assert.Throws<StepProtocolException>(() => run.Open(5));
    }

    [Fact]
    public void A_step_waits_for_the_first_worker_when_there_is_none()
    {
        var run = new ProtocolRun(seed: 1, workers: 0, shards: 1, leaves: 4);
        run.Open(1);
        Assert.False(run.DeliverOne());
        run.Feed(new WorkerJoined(new WorkerId(7)));
        while (run.DeliverOne()) { }
        Assert.Single(run.Log);
    }

    private static (ProtocolRun Run, CommitRecord Record) AfterOneStep(int workers, Func<CommitRecord, CommitRecord> change)
    {
        var first = new ProtocolRun(seed: 1, workers: 2, shards: 2, leaves: 8);
        first.Open(1);
        while (first.DeliverOne()) { }
        var record = change(first.Log.Single() with { Attempt = 2 });
        var replay = new ProtocolRun(seed: 2, workers, shards: 2, leaves: 8);
        replay.Log.Add(record);
        replay.Feed(new OpenStep(new StepPlan(new StepId(1), 0, 0, 32, 8), 0.7, record));
        while (replay.DeliverOne()) { }
        return (replay, record);
    }

    [Fact]
    public void A_replayed_step_applies_its_record_and_appends_nothing()
    {
        var (run, record) = AfterOneStep(workers: 3, r => r);
        Assert.Equal(StepPhase.Idle, run.State.Phase);
        Assert.DoesNotContain(run.Effects, e => e is StepEffect.AppendCommit);
        var apply = Assert.Single(run.Effects.OfType<StepEffect.SendApply>());
        Assert.Same(record, apply.Record);
        Assert.Equal(1, apply.Sum.Attempt);     // the sum at hand, not the recorded attempt
        Assert.True(Assert.Single(run.Effects.OfType<StepEffect.Finished>()).Replayed);
    }

    [Theory]
    [InlineData("loss"), InlineData("norm"), InlineData("accuracy"), InlineData("digest"), InlineData("samples")]
    public void A_replay_that_does_not_reproduce_its_record_halts_and_names_the_difference(string what)
    {
        var (run, _) = AfterOneStep(workers: 2, r => what switch
        {
            "loss" => r with { Loss = Math.BitIncrement(r.Loss) },
            "norm" => r with { GradNorm = Math.BitIncrement(r.GradNorm) },
            "accuracy" => r with { Accuracy = Math.BitIncrement(r.Accuracy) },
            "digest" => r with { Leaves = [.. r.Leaves.Select((l, i) => i == 3 ? l with { Digest = l.Digest ^ 1 } : l)] },
            _ => r with { Leaves = [.. r.Leaves.Select((l, i) => i == 3 ? l with { Samples = 5 } : l)] },
        });
        Assert.Contains(what, Assert.Single(run.Effects.OfType<StepEffect.Halt>()).Reason);
        Assert.DoesNotContain(run.Effects, e => e is StepEffect.SendApply);
    }

    [Fact]
    public void A_recorded_skip_is_skipped_again_without_computing()
    {
        var (run, record) = AfterOneStep(workers: 2, r => r with { Applied = false });
        Assert.Same(record, Assert.Single(run.Effects.OfType<StepEffect.SendApply>()).Record);
        Assert.DoesNotContain(run.Effects, e => e is StepEffect.Grant);
        Assert.Equal(StepPhase.Idle, run.State.Phase);
    }

    private static LeafDone Done(StepState state, int leaf, int worker, bool isFinite = true) =>
        new(state.Term, state.Step, state.Attempt, leaf, new WorkerId(worker), 4, leaf * 0.5, 1, (ulong)leaf, isFinite, isFinite ? null : "w", default);

    private static ShardReduced Reduced(StepState state, double squares) => new(state.Term, state.Step, state.Attempt, new ShardId(0), 0, [squares], [], default);

    private static StepState Opened(int workers, NonFinitePolicy policy, CommitRecord? recorded = null, StragglerRules? stragglers = null)
    {
        var state = StepState.Start(new StepRules(1, 1, StepScaling.Off, policy, stragglers ?? StragglerRules.Off), Term.First, new StepId(0));
        for (var w = 0; w < workers; w++) (state, _) = StepProtocol.Advance(state, new WorkerJoined(new WorkerId(w)), 0);
        return StepProtocol.Advance(state, new OpenStep(new StepPlan(new StepId(1), 0, 0, 8, 2), 0.1, recorded), 0).Next;
    }

    private static (StepState State, List<StepEffect> Effects) After(StepState state, params IStepInput[] inputs)
    {
        var all = new List<StepEffect>();
        foreach (var input in inputs)
        {
            (state, var effects) = StepProtocol.Advance(state, input, 0);
            all.AddRange(effects);
        }
        return (state, all);
    }

    /// <summary>Leaf 0 of worker 0, leaf 1 of worker 1.</summary>
    private static ShardReduced SumOfBoth(StepState state) => Reduced(state, 9) with
    {
        Contributors = [new Contribution(TreeNode.Leaf(0), new WorkerId(0)), new Contribution(TreeNode.Leaf(1), new WorkerId(1))],
    };

    [Fact]
    public void A_copy_in_the_sum_waits_for_the_word_of_its_worker_though_another_has_reported_the_leaf()
    {
        var open = Opened(2, NonFinitePolicy.Recompute);
        var (state, effects) = After(open, Done(open, 0, 0), Done(open, 1, 0), SumOfBoth(open));
        Assert.Equal(StepPhase.Gathering, state.Phase);
        Assert.DoesNotContain(effects, static e => e is StepEffect.AppendCommit or StepEffect.Abandon);
        (state, effects) = After(state, Done(open, 1, 1));
        Assert.Single(effects.OfType<StepEffect.AppendCommit>());
    }

    [Fact]
    public void A_copy_in_the_sum_whose_worker_is_gone_without_a_word_is_computed_again()
    {
        var open = Opened(2, NonFinitePolicy.Recompute);
        var (state, effects) = After(open, Done(open, 0, 0), new WorkerLost(new WorkerId(1), "killed"), Done(open, 1, 0), SumOfBoth(open));
        Assert.Equal((StepPhase.Gathering, 2), (state.Phase, state.Attempt));
        Assert.Contains("leaf 1", Assert.Single(effects.OfType<StepEffect.Abandon>()).Reason);
        Assert.DoesNotContain(effects, static e => e is StepEffect.AppendCommit);
    }

    [Fact]
    public void A_step_that_is_skipped_for_a_leaf_waits_for_no_sum()
    {
        var open = Opened(1, NonFinitePolicy.Skip);
        var (state, effects) = After(open, Done(open, 0, 0), Done(open, 1, 0, isFinite: false));
        Assert.Equal(StepPhase.Committing, state.Phase);
        var record = Assert.Single(effects.OfType<StepEffect.AppendCommit>()).Record;
        Assert.Equal((false, double.NaN, 1.0), (record.Applied, record.GradNorm, record.Scale));
    }

    [Fact]
    public void A_replay_of_an_applied_step_computes_a_non_finite_leaf_again_whatever_the_policy()
    {
        var first = Opened(1, NonFinitePolicy.Skip);
        var (_, effects) = After(first, Done(first, 0, 0), Done(first, 1, 0), Reduced(first, 9));
        var recorded = effects.OfType<StepEffect.AppendCommit>().Single().Record;
        var replay = Opened(1, NonFinitePolicy.Skip, recorded);
        (replay, effects) = After(replay, Done(replay, 1, 0, isFinite: false));
        Assert.Equal((StepPhase.Gathering, 2), (replay.Phase, replay.Attempt));
        Assert.Single(effects.OfType<StepEffect.Abandon>());
        (replay, effects) = After(replay, Done(replay, 0, 0), Done(replay, 1, 0), Reduced(replay, 9));
        Assert.Same(recorded, effects.OfType<StepEffect.SendApply>().Single().Record);
    }

    [Fact]
    public void A_sum_that_is_not_finite_although_its_leaves_are_is_tried_once_more_and_then_halts()
    {
        var state = Opened(2, NonFinitePolicy.Recompute);
        (state, var effects) = After(state, Done(state, 0, 0), Done(state, 1, 1), Reduced(state, double.NaN));
        Assert.Equal((StepPhase.Gathering, 2), (state.Phase, state.Attempt));
        Assert.Contains(effects, e => e is StepEffect.Abandon { Attempt: 1 });
        var (_, well) = After(state, Done(state, 0, 0), Done(state, 1, 1), Reduced(state, 4));
        Assert.Single(well.OfType<StepEffect.AppendCommit>());
        (state, effects) = After(state, Done(state, 0, 0), Done(state, 1, 1), Reduced(state, double.NaN));
        Assert.Equal(StepPhase.Halted, state.Phase);
        Assert.Contains("Lower the learning rate", Assert.Single(effects.OfType<StepEffect.Halt>()).Reason);
    }

    [Fact]
    public void Leaves_go_to_a_worker_that_was_called_hung_when_nobody_else_is_left()
    {
        var state = Opened(2, NonFinitePolicy.Recompute, stragglers: new StragglerRules(1.5, 5, 2_000, 3_000));
        (state, _) = StepProtocol.Advance(state, Done(state, 0, 0), now: 10);
        (state, var effects) = StepProtocol.Advance(state, new BudgetSpent(state.Step, state.Attempt), now: 3_000);
        Assert.True(state.Workers[new WorkerId(1)].IsHung);
        Assert.Equal(new WorkerId(0), Assert.Single(effects.OfType<StepEffect.Grant>()).Worker);
        // The next step is the other one's alone, and it falls silent as well.
        foreach (var input in new IStepInput[] { Done(state, 1, 0), Reduced(state, 4), new CommitWritten(state.Step), new ShardApplied(state.Term, state.Step.Produces, new ShardId(0), default), new OpenStep(new StepPlan(new StepId(2), 0, 0, 8, 2), 0.1) })
            (state, effects) = StepProtocol.Advance(state, input, now: 3_010);
        Assert.Empty(Assert.Single(effects.OfType<StepEffect.Grant>(), g => g.Worker == new WorkerId(1)).Leases);
        (state, effects) = StepProtocol.Advance(state, new BudgetSpent(state.Step, state.Attempt), now: 9_000);
        Assert.True(state.Workers[new WorkerId(0)].IsHung);
        Assert.Equal(new WorkerId(1), Assert.Single(effects.OfType<StepEffect.Grant>()).Worker);
        // A new term voids what they were at, and the verdict with it.
        Assert.DoesNotContain(state.InTerm(new Term(2), new StepId(0)).Workers.Values, static w => w.IsHung);
    }

    [Fact]
    public void A_worker_that_joins_takes_the_leaves_that_only_a_hung_one_holds()
    {
        var state = Opened(1, NonFinitePolicy.Recompute, stragglers: new StragglerRules(1.5, 5, 2_000, 3_000));
        (state, var effects) = StepProtocol.Advance(state, new BudgetSpent(state.Step, state.Attempt), now: 3_000);
        Assert.Contains(effects, e => e is StepEffect.Say { Kind: "worker-hung" });
        (_, effects) = StepProtocol.Advance(state, new WorkerJoined(new WorkerId(5)), now: 3_100);
        Assert.Equal([new LeafRange(0, 2)], Assert.Single(effects.OfType<StepEffect.Grant>(), g => g.Worker == new WorkerId(5)).Leases);
    }
}
