using Cluster.Contracts;
using Cluster.Coordinator.Actors;
using Cluster.Coordinator.Core;

namespace Cluster.Actors.Tests;

public class LocalRunSpecs
{
    [Fact]
    public async Task The_state_is_the_same_for_any_number_of_workers_and_shards()
    {
        var reference = await new LocalRun { Workers = 1, Shards = 1 }.RunAsync();
        Assert.Equal(RunEnd.Finished, reference.End);
        Assert.Equal(4, reference.Log.Count);
        foreach (var (workers, shards) in new[] { (2, 1), (3, 2), (5, 3), (8, 1), (9, 3) })
        {
            var run = await new LocalRun { Workers = workers, Shards = shards }.RunAsync();
            Assert.Equal(reference.Hash, run.Hash);
            Assert.Equal(reference.Log.Select(r => (r.Loss, r.Accuracy, r.GradNorm, r.Scale)), run.Log.Select(r => (r.Loss, r.Accuracy, r.GradNorm, r.Scale)));
            Assert.Equal(reference.Evaluations, run.Evaluations);
        }
    }

    [Fact]
    public async Task The_recorded_scale_is_the_one_that_clipping_gives_for_the_recorded_norm()
    {
        var run = await new LocalRun { Steps = 6, Optimizer = new OptimizerOptions { ClipNorm = 2 } }.RunAsync();
        Assert.All(run.Log, r => Assert.Equal(Clipping.Scale(r.GradNorm, 2), r.Scale));
        Assert.Contains(run.Log, r => r.Scale < 1);
    }

    [Fact]
    public async Task Another_seed_gives_another_state()
    {
        var one = await new LocalRun { Seed = 3 }.RunAsync();
        var two = await new LocalRun { Seed = 4 }.RunAsync();
        Assert.NotEqual(one.Hash, two.Hash);
    }

    [Fact]
    public async Task Every_sample_of_the_log_is_the_one_that_the_seed_says()
    {
        var run = await new LocalRun { Workers = 3, Steps = 5 }.RunAsync();
        var order = new SampleOrder(3, 0, 50_000);
        foreach (var record in run.Log)
        {
            var plan = StepPlan.For(record.Step, 50_000, 64, 8);
            Assert.Equal(plan.LeafCount, record.Leaves.Count);
            for (var leaf = 0; leaf < plan.LeafCount; leaf++) Assert.Equal(plan.DigestOf(leaf, order), record.Leaves[leaf].Digest);
        }
        var content = CommitLog.Read(run.LogBytes);
        Assert.Equal(run.Log.Select(r => r.Step), content.Lines.Select(l => l.Record.Step));
    }

    [Fact]
    public async Task A_worker_that_throws_is_replaced_by_the_others_and_no_bit_changes()
    {
        var calm = await new LocalRun { Workers = 3 }.RunAsync();
        var run = await new LocalRun
        {
            Workers = 3,
            // In the first step: every worker has leaves then; later ones may have none, as shares follow the measured speed.
            OnLeaf = (worker, _, _) => worker == 1 ? throw new InvalidOperationException("the device is gone") : 0,
        }.RunAsync();
        Assert.Equal(calm.Hash, run.Hash);
        Assert.Contains(run.Said, s => s.Contains("worker-1") && s.Contains("the device is gone"));
        Assert.DoesNotContain(run.Log.SelectMany(r => r.Leaves), l => l.Worker == new WorkerId(1));
    }

    [Fact]
    public async Task The_last_worker_that_throws_ends_the_run_with_its_cause()
    {
        var run = await new LocalRun { Workers = 1, OnLeaf = (_, step, _) => step.Value == 2 ? throw new InvalidOperationException("the device is gone") : 0 }.RunAsync();
        Assert.Equal(RunEnd.Failed, run.End);
        Assert.Contains("the device is gone", run.Reason);
        Assert.Single(run.Log);
    }

    [Fact]
    public async Task A_passing_nan_is_computed_again_elsewhere_and_no_bit_changes()
    {
        var calm = await new LocalRun().RunAsync();
        var spoiled = 0;
        var run = await new LocalRun
        {
            OnLeaf = (_, step, leaf) => step.Value == 2 && leaf == 5 && Interlocked.Exchange(ref spoiled, 1) == 0 ? float.NaN : 0,
        }.RunAsync();
        Assert.Equal(calm.Hash, run.Hash);
        Assert.Equal(2, run.Log[1].Attempt);
        Assert.Contains(run.Said, s => s.Contains("leaf 5 of step 2") && s.Contains("fc.weight"));
    }

    [Fact]
    public async Task A_lasting_nan_is_skipped_when_the_policy_says_so()
    {
        var run = await new LocalRun { NonFinite = NonFinitePolicy.Skip, OnLeaf = (_, step, leaf) => step.Value == 2 && leaf == 5 ? float.PositiveInfinity : 0 }.RunAsync();
        Assert.Equal(RunEnd.Finished, run.End);
        Assert.Equal([true, false, true, true], run.Log.Select(r => r.Applied));
        Assert.All(run.Log.Skip(2), r => Assert.True(double.IsFinite(r.Loss) && double.IsFinite(r.GradNorm)));
    }

    [Fact]
    public async Task A_stop_finishes_the_open_step_and_no_more()
    {
        using var stop = new CancellationTokenSource();
        var run = await new LocalRun
        {
            Steps = 1_000_000,
            OnLeaf = (_, step, _) =>
            {
                if (step.Value == 3) stop.Cancel();
                return 0;
            },
        }.RunAsync(stop.Token);
        Assert.Equal(RunEnd.Stopped, run.End);
        Assert.InRange(run.Log.Count, 3, 4);
        Assert.NotEmpty(run.Hash);
    }

    [Fact]
    public async Task Evaluations_come_when_they_are_due()
    {
        var run = await new LocalRun { Steps = 5, EvalEvery = 2 }.RunAsync();
        Assert.Equal([2L, 4L, 5L], run.Evaluations.Select(e => e.Version.Value));
        Assert.All(run.Evaluations, e => Assert.Equal(600, e.Samples));
    }
}
