using Cluster.Contracts;
using Cluster.Coordinator.Actors;
using Cluster.Coordinator.Core;

namespace Cluster.Actors.Tests;

/// <summary>What evaluations decide (a plateau's rate, an early end) is decided once and comes out the same whoever dies.</summary>
public sealed class EvaluationCourseSpecs
{
    private static readonly CheckpointPolicy EveryFour = new(4, 0);

    /// <summary>Nothing is better than the first evaluation: the run stops at step 6, and step 2 is its result.</summary>
    private static ClusterRun Stopping(Action<int, StepId, int>? onLeaf = null) => new()
    {
        Steps = 20,
        EvalEvery = 2,
        Nodes = 1,
        Replicas = 0,
        Checkpoints = EveryFour,
        EarlyStopping = new EarlyStoppingOptions { Patience = 2, MinDelta = 1 },
        OnLeaf = onLeaf,
    };

    private static async Task<EarlyStop> EndOf(RunRecorder recorder)
    {
        var outcome = await recorder.End.WaitAsync(ClusterRun.Patience);
        Assert.Equal(RunEnd.Finished, outcome.End);
        return outcome.Early ?? throw new InvalidOperationException($"it did not stop early: {outcome.Reason}");
    }

    [Fact]
    public async Task Run_whose_patience_is_spent_ends_at_the_version_that_was_evaluated_and_its_best_one_is_on_disk()
    {
        await using var run = Stopping();
        var recorder = run.Start();
        var early = await EndOf(recorder);
        Assert.Equal((6L, 2L), (early.StoppedAt.Value, early.Best.Version.Value));
        var log = run.Log();
        Assert.Equal([null, null, 2L, null, 4L, null], log.Select(static r => r.Evaluation?.Version.Value));
        Assert.Equal(early.Best, log[2].Evaluation);
        Assert.Equal([2L, 4L], run.Kept.Versions);
        Assert.Contains(recorder.Sentences, s => s == $"stopped-early coordinator: Stopped early at step 6: no better accuracy in 2 evaluations; the best was {early.Best.Accuracy * 100:0.00} % at step 2.");
    }

    [Theory]
    [InlineData(3)]     // the best version is the newest checkpoint: its evaluation is in no record yet
    [InlineData(6)]     // the shards go back to step 4
    public async Task Run_that_loses_coordinator_and_shards_on_the_way_stops_at_the_same_step_with_the_same_best(int step)
    {
        await using var calm = Stopping();
        var expected = await EndOf(calm.Start());

        using var gate = new ManualResetEventSlim();
        var reached = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var run = Stopping((_, at, _) =>
        {
            if (at.Value < step || gate.IsSet) return;
            reached.TrySetResult();
            Assert.True(gate.Wait(ClusterRun.Patience), "nobody opened the gate");
        });
        run.Start();
        await reached.Task.WaitAsync(ClusterRun.Patience);
        await run.KillCoordinator();
        run.KillNode(0);
        var second = run.StartCoordinator();
        run.StartNode(0);
        gate.Set();
        Assert.Equal(expected, await EndOf(second));
        Assert.Equal(calm.Log().Select(static r => (r.Loss, r.Evaluation)), run.Log().Select(static r => (r.Loss, r.Evaluation)));
        Assert.Contains(2L, run.Kept.Versions);
    }

    [Fact]
    public async Task Step_behind_the_best_version_waits_until_its_checkpoint_is_on_disk()
    {
        await using var run = Stopping();
        run.Kept.RefuseNext(2);
        var recorder = run.Start();
        await recorder.Hears(static s => s.StartsWith("checkpoint-waits coordinator: Step 3 waits: version 2 is the best so far", StringComparison.Ordinal)).WaitAsync(ClusterRun.Patience);
        Assert.Equal(2L, (await EndOf(recorder)).Best.Version.Value);
        Assert.Equal([2L, 4L], run.Kept.Versions);
        Assert.DoesNotContain(recorder.Sentences, static s => s.StartsWith("checkpoint-failed", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Rates_of_a_plateau_are_the_same_when_coordinator_and_shards_are_lost_on_the_way()
    {
        static ClusterRun Plateau(Action<int, StepId, int>? onLeaf = null) => new()
        {
            Steps = 6,
            EvalEvery = 1,
            Nodes = 1,
            Replicas = 0,
            Checkpoints = EveryFour,
            // Only the first evaluation counts as better: every later one but the first is a drop.
            Schedule = new ScheduleOptions { Kind = "plateau", LearningRate = 0.01, Gamma = 0.5, Patience = 0, Threshold = 0.99 },
            OnLeaf = onLeaf,
        };
        await using var calm = Plateau();
        var expected = await calm.Start().End.WaitAsync(ClusterRun.Patience);
        Assert.Equal([0.01, 0.01, 0.005, 0.0025, 0.00125, 0.000625], calm.Log().Select(static r => r.LearningRate));

        using var gate = new ManualResetEventSlim();
        var reached = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var run = Plateau((_, at, _) =>
        {
            if (at.Value < 6 || gate.IsSet) return;
            reached.TrySetResult();
            Assert.True(gate.Wait(ClusterRun.Patience), "nobody opened the gate");
        });
        run.Start();
        await reached.Task.WaitAsync(ClusterRun.Patience);
        await run.KillCoordinator();
        run.KillNode(0);
        var second = run.StartCoordinator();
        run.StartNode(0);
        gate.Set();
        var outcome = await second.End.WaitAsync(ClusterRun.Patience);
        Assert.Equal(expected.StateSha256, outcome.StateSha256);
        Assert.Equal(calm.Log().Select(static r => (r.LearningRate, r.Evaluation)), run.Log().Select(static r => (r.LearningRate, r.Evaluation)));
    }
}
