using Cluster.Contracts;
using Cluster.Coordinator.Actors;
using Cluster.Coordinator.Core;

namespace Cluster.Actors.Tests;

/// <summary>Whatever is killed, and whenever: the same weights, and a log that has every step once.</summary>
[Trait("Clock", "wall")]
public sealed class ClusterRunSpecs
{
    private const int Steps = 6;

    private static readonly Lazy<Task<(string Hash, IReadOnlyList<CommitRecord> Log)>> Calm = new(async () =>
    {
        var run = await new LocalRun { Workers = 1, Shards = 1, Steps = Steps }.RunAsync();
        return (run.Hash, run.Log);
    });

    /// <summary>Runs an action once, at the first leaf of a step that any worker begins.</summary>
    private static Action<int, StepId, int> Once(int step, Action act)
    {
        var isDone = 0;
        return (_, at, _) =>
        {
            if (at.Value == step && Interlocked.Exchange(ref isDone, 1) == 0) act();
        };
    }

    /// <summary>Fails unless the run has finished with the calm run's bits.</summary>
    internal static async Task AssertSame(ClusterRun run, RunRecorder recorder)
    {
        var (hash, log) = await Calm.Value;
        var outcome = await recorder.End.WaitAsync(ClusterRun.Patience);
        Assert.True(outcome.End == RunEnd.Finished, $"{outcome.End}: {outcome.Reason}\n{string.Join('\n', recorder.Sentences)}");
        Assert.Equal(hash, outcome.StateSha256);
        var logged = run.Log();
        Assert.Equal(Enumerable.Range(1, Steps), logged.Select(static r => (int)r.Step.Value));
        Assert.Equal(log.Select(static r => (r.Loss, r.Accuracy, r.GradNorm, r.Scale)), logged.Select(static r => (r.Loss, r.Accuracy, r.GradNorm, r.Scale)));
        Assert.Equal(log.SelectMany(static r => r.Leaves).Select(static l => l.Digest), logged.SelectMany(static r => r.Leaves).Select(static l => l.Digest));
    }

    [Theory]
    [InlineData(1, 1, 0)]
    [InlineData(2, 1, 1)]
    [InlineData(2, 3, 1)]
    [InlineData(3, 2, 1)]
    public async Task State_is_the_same_for_any_number_of_nodes_and_shards(int nodes, int shards, int replicas)
    {
        await using var run = new ClusterRun { Nodes = nodes, Shards = shards, Replicas = replicas };
        await AssertSame(run, run.Start());
    }

    [Theory]
    [InlineData(0, 1)]
    [InlineData(1, 3)]
    [InlineData(0, 6)]
    public async Task Node_lost_in_mid_step_is_replaced_by_the_standbys_of_its_shards(int node, int step)
    {
        await using var run = new ClusterRun();
        run.OnLeaf = Once(step, () => run.KillNode(node));
        var recorder = run.Start();
        await AssertSame(run, recorder);
        Assert.Contains(recorder.Sentences, s => s.StartsWith($"shard-lost ps-{node}", StringComparison.Ordinal));
        Assert.DoesNotContain(recorder.Commits, static c => c.IsReplay);
    }

    [Fact]
    public async Task Node_that_comes_back_becomes_the_standby_and_can_be_promoted_in_its_turn()
    {
        await using var run = new ClusterRun();
        run.OnLeaf = Once(2, () => run.KillNode(0));
        var isBack = 0;
        run.OnBegun = step =>
        {
            if (step.Value == 3 && Interlocked.Exchange(ref isBack, 1) == 0)
            {
                run.StartNode(0);
                run.OnLeaf = Once(5, () => run.KillNode(1));
            }
        };
        var recorder = run.Start();
        await AssertSame(run, recorder);
        Assert.Contains(recorder.Sentences, static s => s.Contains("ps-0 can hold standbys"));
        Assert.Contains(recorder.Sentences, static s => s.StartsWith("shard-lost ps-1", StringComparison.Ordinal));
        // Nothing was replayed: what the node that came back held was the newest version.
        Assert.DoesNotContain(recorder.Commits, static c => c.IsReplay);
    }

    [Fact]
    public async Task Without_checkpoints_the_loss_of_all_nodes_replays_from_the_seeded_first_weights()
    {
        await using var run = new ClusterRun();
        run.OnLeaf = Once(4, () => LoseAllNodes(run));
        var recorder = run.Start();
        await AssertSame(run, recorder);
        Assert.Equal([1L, 2, 3], recorder.Commits.Where(static c => c.IsReplay).Select(static c => c.Record.Step.Value));
    }

    [Fact]
    public async Task With_checkpoints_the_loss_of_all_nodes_replays_from_the_newest()
    {
        await using var run = new ClusterRun { Checkpoints = new CheckpointPolicy(2, 0) };
        RunRecorder? recorder = null;
        run.OnLeaf = Once(6, () =>
        {
            Assert.True(recorder!.Hears(static s => s == "checkpoint coordinator: step 4").Wait(ClusterRun.Patience));
            LoseAllNodes(run);
        });
        recorder = run.StartCoordinator();
        for (var i = 0; i < 2; i++) run.StartNode(i);
        for (var i = 0; i < 2; i++) run.StartWorker(i);
        await AssertSame(run, recorder);
        Assert.Equal([5L], recorder.Commits.Where(static c => c.IsReplay).Select(static c => c.Record.Step.Value));
        Assert.Equal([2L, 4, 6], recorder.Checkpoints.Select(static c => c.Version.Value));
    }

    [Fact]
    public async Task Without_standbys_one_lost_node_makes_all_shards_load_and_replay()
    {
        await using var run = new ClusterRun { Replicas = 0 };
        run.OnLeaf = Once(3, () =>
        {
            run.KillNode(1);
            run.StartNode(1);
        });
        var recorder = run.Start();
        await AssertSame(run, recorder);
        Assert.Equal([1L, 2], recorder.Commits.Where(static c => c.IsReplay).Select(static c => c.Record.Step.Value));
    }

    private static void LoseAllNodes(ClusterRun run)
    {
        run.KillNode(0);
        run.KillNode(1);
        run.StartNode(1);
        run.StartNode(0);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Worker_lost_during_an_evaluation_leaves_its_batches_to_the_others(bool isLast)
    {
        (string Hash, EvaluationTotals[] Totals) calm;
        await using (var run = new ClusterRun { EvalEvery = 3 })
        {
            var recorder = run.Start();
            await AssertSame(run, recorder);
            calm = ((await recorder.End).StateSha256!, [.. recorder.Evaluations]);
        }
        await using (var run = new ClusterRun { EvalEvery = 3 })
        {
            var isKilled = 0;
            run.OnPredict = worker =>
            {
                if (worker != 1 || Interlocked.Exchange(ref isKilled, 1) != 0) return;
                if (isLast)
                {
                    // Nobody is left: the batches wait for whoever comes.
                    run.KillWorker(0);
                    run.KillWorker(1);
                    run.StartWorker(2);
                }
                else
                {
                    throw new InvalidOperationException("the device is gone");
                }
            };
            var recorder = run.Start();
            await AssertSame(run, recorder);
            Assert.Equal(1, isKilled);
            Assert.Equal(calm.Hash, (await recorder.End).StateSha256);
            Assert.Equal(calm.Totals, recorder.Evaluations);
        }
    }

    [Fact]
    public async Task Node_lost_during_an_evaluation_does_not_disturb_it()
    {
        await using var run = new ClusterRun { EvalEvery = 3 };
        var isKilled = 0;
        run.OnPredict = _ =>
        {
            if (Interlocked.Exchange(ref isKilled, 1) == 0) run.KillNode(0);
        };
        var recorder = run.Start();
        await AssertSame(run, recorder);
        Assert.Equal(1, isKilled);
        Assert.Equal([3L, 6L], recorder.Evaluations.Select(static e => e.Version.Value));
    }
}
