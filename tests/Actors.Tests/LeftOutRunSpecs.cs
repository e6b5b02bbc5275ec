using Cluster.Contracts;
using Cluster.Coordinator.Actors;
using Cluster.Coordinator.Core;
using Cluster.Coordinator.Core.Audit;
using Cluster.Workers.Data;

namespace Cluster.Actors.Tests;

/// <summary>Samples that cannot be decoded, in real actors: one state for any number of workers, and a log that says what was left out.</summary>
public sealed class LeftOutRunSpecs
{
    private const int Samples = 50_000, Batch = 64, Microbatches = 8;
    private const ulong Seed = 3;

    private static int[] SamplesOf(long step, int leaf)
    {
        var plan = StepPlan.For(new StepId(step), Samples, Batch, Microbatches);
        var (first, count) = plan.Leaf(leaf);
        var order = new SampleOrder(Seed, plan.Epoch, Samples);
        return [.. Enumerable.Range(first, count).Select(order.SampleAt)];
    }

    private static void AssertFinished(LocalRun.Outcome run) => Assert.True(run.End == RunEnd.Finished, $"{run.End}: {run.Reason}\n{string.Join('\n', run.Said)}");

    [Fact]
    public async Task What_nobody_can_decode_is_left_out_with_one_state_for_any_number_of_workers_and_shards()
    {
        // Two samples of step 2, a whole leaf of step 3.
        var (one, other, leaf) = (SamplesOf(2, 0)[3], SamplesOf(2, 6)[7], SamplesOf(3, 2));
        HashSet<int> bad = [one, other, .. leaf];
        var calm = await new LocalRun { Workers = 1 }.RunAsync();
        var reference = await new LocalRun { Workers = 1, CannotRead = (_, s) => bad.Contains(s) }.RunAsync();
        AssertFinished(reference);
        Assert.NotEqual(calm.Hash, reference.Hash);
        foreach (var (workers, shards) in new[] { (2, 1), (3, 2), (8, 3) })
        {
            var run = await new LocalRun { Workers = workers, Shards = shards, CannotRead = (_, s) => bad.Contains(s) }.RunAsync();
            AssertFinished(run);
            Assert.Equal(reference.Hash, run.Hash);
            Assert.Equal(reference.Log.Select(static r => (r.Loss, r.Accuracy, r.GradNorm, r.Scale, r.Samples)), run.Log.Select(static r => (r.Loss, r.Accuracy, r.GradNorm, r.Scale, r.Samples)));
            var log = CommitLog.Read(run.LogBytes).Lines.Select(static l => l.Record).ToArray();
            Assert.Null(log[0].LeftOut);
            Assert.Equal(((int[])[one, other]).Order(), log[1].LeftOut!);
            Assert.Equal(leaf.Order(), log[2].LeftOut!);
            Assert.Equal((62, 56, 7), (log[1].Samples, log[2].Samples, log[2].FilledLeaves));
            Assert.Contains(run.Said, s => s.StartsWith("sample-left-out worker-", StringComparison.Ordinal) && s.Contains($"Sample {one} is left out of leaf 0 of step 2", StringComparison.Ordinal) && s.Contains($"images/{one}.jpg is cut in half", StringComparison.Ordinal));
            // The log alone proves it.
            var audit = CommitAudit.Run(new AuditInput(run.LogBytes, new RunOptions { Batch = Batch, Microbatches = Microbatches, Seed = Seed, Steps = 4, Schedule = new ScheduleOptions { Kind = "constant", LearningRate = 0.01 }, Optimizer = new OptimizerOptions { ClipNorm = 1 } }, Samples));
            Assert.Empty(audit.Findings);
            Assert.Equal((10L, 4 * 64 - 10L), (audit.LeftOutCount, audit.SamplesProven));
        }
    }

    [Fact]
    public async Task One_worker_that_cannot_decode_a_sample_binds_all_of_them()
    {
        // Leaf 7 of the first step is the last worker's, whatever their number.
        var sample = SamplesOf(1, 7)[0];
        var reference = await new LocalRun { Workers = 1, CannotRead = (_, s) => s == sample }.RunAsync();
        var run = await new LocalRun { Workers = 3, CannotRead = (worker, s) => worker == 2 && s == sample }.RunAsync();
        AssertFinished(run);
        Assert.Equal([sample], run.Log[0].LeftOut!);
        Assert.Equal((2, 63), (run.Log[0].Attempt, run.Log[0].Samples));
        Assert.Equal(reference.Hash, run.Hash);
    }

    [Fact]
    public async Task Buffers_are_averaged_over_the_leaves_that_have_samples()
    {
        var bad = SamplesOf(1, 3).ToHashSet();
        float[]? mean = null;
        var run = await new LocalRun
        {
            Steps = 2,
            LookEvery = 1,
            CannotRead = (_, s) => bad.Contains(s),
            Look = (version, parts) =>
            {
                if (version.Value == 1) mean = parts.SelectMany(static p => p.Weights.Span.ToArray().Select((value, i) => (At: p.Offset + i, Value: value))).OrderBy(static v => v.At).Select(static v => v.Value).ToArray();
            },
        }.RunAsync();
        AssertFinished(run);
        var (train, test) = Datasets.Open("synthetic", Seed);
        using var _ = train;
        using var __ = test;
        using var reader = new PixelSource(train, new AugmentationPipeline(new AugmentationOptions { PadCrop = 2, Flip = true }, train, Seed)).Open();
        var image = new float[train.Shape.Floats];
        var expected = Enumerable.Range(0, Microbatches).Where(static leaf => leaf != 3).Average(leaf => 0.1f * SamplesOf(1, leaf).Average(sample =>
        {
            reader.ReadTraining(0, sample, image);
            return image[0];
        }));
        Assert.InRange(mean![LinearEngine.LayoutOf(train.Shape, train.ClassCount)["mean"].Offset] / expected, 0.9999, 1.0001);
    }

    [Fact]
    public async Task A_worker_whose_data_is_gone_is_lost_and_leaves_nothing_out()
    {
        var calm = await new LocalRun { Workers = 1, Batch = 128 }.RunAsync();
        var run = await new LocalRun { Workers = 2, Batch = 128, CannotRead = static (worker, _) => worker == 1 }.RunAsync();
        AssertFinished(run);
        Assert.Equal(calm.Hash, run.Hash);
        Assert.All(run.Log, static r => Assert.Null(r.LeftOut));
        Assert.Contains(run.Said, static s => s.StartsWith("worker-lost worker-1", StringComparison.Ordinal) && s.Contains("worker-1 cannot decode 16 of the 16 samples of step 1 that it has tried", StringComparison.Ordinal));
    }

    [Fact]
    public async Task The_last_worker_whose_data_is_gone_ends_the_run_and_says_why()
    {
        var run = await new LocalRun { Workers = 1, Batch = 128, CannotRead = static (_, _) => true }.RunAsync();
        Assert.Equal(RunEnd.Failed, run.End);
        Assert.Contains("its copy of the data is gone or damaged", run.Reason, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(1), InlineData(3)]
    public async Task A_test_image_that_cannot_be_decoded_does_not_count_and_is_told_once(int workers)
    {
        HashSet<int> bad = [0, 250, 599];
        var calm = await new LocalRun { Workers = 1, EvalEvery = 2 }.RunAsync();
        var run = await new LocalRun { Workers = workers, EvalEvery = 2, CannotReadTest = (_, s) => bad.Contains(s) }.RunAsync();
        AssertFinished(run);
        Assert.Equal(calm.Hash, run.Hash);
        Assert.Equal(2, run.Evaluations.Count);
        Assert.All(run.Evaluations, static e => Assert.Equal(597, e.Samples));
        Assert.Equal(600, run.Predictions.Count);
        for (var i = 0; i < 600; i++) Assert.Equal(bad.Contains(i) ? -1 : calm.Predictions[i], run.Predictions[i]);
        Assert.Equal(3, run.Said.Count(static s => s.StartsWith("test-sample-left-out", StringComparison.Ordinal)));
        var single = await new LocalRun { Workers = 1, EvalEvery = 2, CannotReadTest = (_, s) => bad.Contains(s) }.RunAsync();
        Assert.Equal(single.Evaluations, run.Evaluations);
    }

    [Fact]
    public async Task Every_step_tells_what_devices_waited_and_computed()
    {
        var run = await new LocalRun { Workers = 2 }.RunAsync();
        Assert.Equal([1L, 2, 3, 4], run.Work.Select(static w => w.Step.Value));
        Assert.All(run.Work, static w => Assert.True(w.Computed > TimeSpan.Zero && w.Waited >= TimeSpan.Zero));
    }
}
