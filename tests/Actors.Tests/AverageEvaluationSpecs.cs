using Cluster.Contracts;
using Cluster.Coordinator.Actors;
using Cluster.Coordinator.Core;
using Cluster.Workers.Data;

namespace Cluster.Actors.Tests;

/// <summary>Runs whose evaluations are of the average of the weights: what is evaluated, and that training goes on from the weights themselves.</summary>
public sealed class AverageEvaluationSpecs
{
    private const int Steps = 5, TestBatches = 3;
    private const ulong Seed = 3;

    private static readonly OptimizerOptions Plain = new() { ClipNorm = 1 }, Averaged = Plain with { EmaDecay = 0.75 };

    private static readonly Lazy<Task<LocalRun.Outcome>> Calm = new(() => new LocalRun { Workers = 1, Steps = Steps, EvalEvery = 2, Optimizer = Averaged }.RunAsync());

    private static ClusterRun Run() => new() { Steps = Steps, EvalEvery = 2, Optimizer = Averaged };

    private static Action<int> Once(Action<int> act)
    {
        var isDone = 0;
        return worker =>
        {
            if (Interlocked.Exchange(ref isDone, 1) == 0) act(worker);
        };
    }

    private static async Task AssertSame(RunRecorder recorder)
    {
        var calm = await Calm.Value;
        var outcome = await recorder.End.WaitAsync(ClusterRun.Patience);
        Assert.True(outcome.End == RunEnd.Finished, $"{outcome.End}: {outcome.Reason}\n{string.Join('\n', recorder.Sentences)}");
        Assert.Equal(calm.Hash, outcome.StateSha256);
        Assert.Equal(calm.Evaluations, recorder.Evaluations.Distinct());
    }

    [Fact]
    public async Task Training_goes_on_from_the_weights_themselves_whoever_evaluated_their_average()
    {
        var calm = await Calm.Value;
        var plain = await new LocalRun { Workers = 1, Steps = Steps, EvalEvery = 2, Optimizer = Plain }.RunAsync();
        Assert.Equal(plain.Log.Select(r => (r.Loss, r.Accuracy, r.GradNorm)), calm.Log.Select(r => (r.Loss, r.Accuracy, r.GradNorm)));
        Assert.NotEqual(plain.Evaluations.Select(e => e.Loss), calm.Evaluations.Select(e => e.Loss));
        foreach (var (workers, shards) in new[] { (3, 1), (3, 3), (1, 2) })
        {
            var run = await new LocalRun { Workers = workers, Shards = shards, Steps = Steps, EvalEvery = 2, Optimizer = Averaged }.RunAsync();
            Assert.Equal(calm.Hash, run.Hash);
            Assert.Equal(calm.Evaluations, run.Evaluations);
        }
    }

    [Fact]
    public async Task The_evaluation_is_that_of_the_averaged_state()
    {
        await using var run = new ClusterRun { Steps = Steps, EvalEvery = 2, Optimizer = Averaged, Checkpoints = new CheckpointPolicy(1, 0) };
        var recorder = run.Start();
        await recorder.End.WaitAsync(ClusterRun.Patience);
        using var engine = Engine(out var train, out var test);
        using var trainSet = train;
        using var testSet = test;
        var average = new float[run.Layout.StateFloats];
        engine.Initialize(Seed, average);
        var expected = new List<EvaluationTotals>();
        for (var version = 1L; version <= Steps; version++)
        {
            var state = run.Checkpoint(new WeightsVersion(version));
            for (var i = 0; i < average.Length; i++) average[i] = 0.75f * average[i] + 0.25f * state.State.Span[i];
            state.Release();
            if (version % 2 == 0 || version == Steps) expected.Add(Evaluate(engine, average, test, new WeightsVersion(version)));
        }
        Assert.Equal(expected, recorder.Evaluations);
    }

    private static LinearEngine Engine(out IDataset train, out IDataset test)
    {
        (train, test) = Datasets.Open("synthetic", Seed);
        return new LinearEngine(train.Shape, train.ClassCount);
    }

    private static EvaluationTotals Evaluate(LinearEngine engine, float[] state, IDataset test, WeightsVersion version)
    {
        engine.LoadState(state);
        using var batches = new EvaluationBatches(new PixelSource(test, new AugmentationPipeline(new AugmentationOptions(), test, Seed)), 200);
        var evaluation = EvaluationState.Begin(version, TestBatches, [new WorkerId(0)]).State;
        for (var index = 0; index < TestBatches; index++)
        {
            var batch = batches.Prepare(index);
            var logits = new float[batch.Count * engine.ClassCount];
            engine.Predict(batch, logits);
            var sums = EvaluationSums.FromLogits(logits, batch.Labels, engine.ClassCount, 1);
            evaluation = evaluation.Advance(new BatchEvaluated(Term.First, version, index, new WorkerId(0), batch.Count, sums.LossSum, (int)sums.Correct, (int)sums.Top5Correct, []));
        }
        return evaluation.Totals();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Worker_killed_in_mid_evaluation_changes_no_bit(bool comesBack)
    {
        await using var run = Run();
        run.OnPredict = Once(worker =>
        {
            run.KillWorker(worker);
            if (comesBack) run.StartWorker(worker);
        });
        await AssertSame(run.Start());
    }

    [Fact]
    public async Task Shards_lost_in_mid_evaluation_are_replaced_by_standbys_that_have_the_average()
    {
        await using var run = Run();
        run.OnPredict = Once(_ => run.KillNode(0));
        var recorder = run.Start();
        await AssertSame(recorder);
        Assert.Contains(recorder.Sentences, static s => s.StartsWith("shard-lost ps-0", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Restored_shards_go_on_with_the_average_of_the_checkpoint()
    {
        await using var run = new ClusterRun { Nodes = 1, Replicas = 0, Steps = Steps, EvalEvery = 2, Optimizer = Averaged, Checkpoints = new CheckpointPolicy(2, 0) };
        var isKilled = 0;
        run.OnLeaf = (_, step, _) =>
        {
            if (step.Value != 4 || Interlocked.Exchange(ref isKilled, 1) != 0) return;
            run.KillNode(0);
            run.StartNode(0);
        };
        await AssertSame(run.Start());
    }
}
