using System.Collections.Concurrent;
using Cluster.Contracts;
using Cluster.Coordinator.Actors;
using Cluster.Coordinator.Core;

namespace Cluster.Actors.Tests;

/// <summary>A worker that drives several devices at once.</summary>
public sealed class DeviceCrewSpecs
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task State_is_the_same_for_any_number_of_devices()
    {
        var reference = await new LocalRun { Workers = 1, EvalEvery = 2 }.RunAsync();
        foreach (var (workers, devices, shards) in new[] { (1, 2, 1), (1, 3, 2), (2, 2, 1), (3, 4, 2), (1, 9, 1) })
        {
            var run = await new LocalRun { Workers = workers, Devices = devices, Shards = shards, EvalEvery = 2 }.RunAsync();
            Assert.Equal(RunEnd.Finished, run.End);
            Assert.Equal(reference.Hash, run.Hash);
            Assert.Equal(reference.Log.Select(static r => (r.Loss, r.Accuracy, r.GradNorm, r.Scale)), run.Log.Select(static r => (r.Loss, r.Accuracy, r.GradNorm, r.Scale)));
            Assert.Equal(reference.Evaluations, run.Evaluations);
            Assert.Equal(reference.Predictions, run.Predictions);
        }
    }

    [Fact]
    public async Task Devices_compute_and_evaluate_at_once_each_on_a_thread_of_its_own()
    {
        // Nobody gets past the first leaf, or the first test batch, before all three are there.
        using var computing = new Barrier(3);
        using var evaluating = new Barrier(3);
        var threads = new ConcurrentDictionary<int, string>();
        var (leaves, batches) = (0, 0);
        var run = await new LocalRun
        {
            Workers = 1,
            Devices = 3,
            Steps = 1,
            Microbatches = 8,
            OnLeaf = (_, _, _) =>
            {
                threads[Environment.CurrentManagedThreadId] = Thread.CurrentThread.Name ?? "";
                if (Interlocked.Increment(ref leaves) <= 3) Assert.True(computing.SignalAndWait(Patience), "the devices do not compute at once");
                return 0;
            },
            OnPredict = () =>
            {
                threads[Environment.CurrentManagedThreadId] = Thread.CurrentThread.Name ?? "";
                if (Interlocked.Increment(ref batches) <= 3) Assert.True(evaluating.SignalAndWait(Patience), "the devices do not evaluate at once");
            },
        }.RunAsync(TestContext.Current.CancellationToken);
        Assert.Equal(RunEnd.Finished, run.End);
        Assert.Equal((8, 3), (leaves, batches));
        Assert.Equal(["worker-0", "worker-0 device 1", "worker-0 device 2"], threads.Values.Order());
    }

    [Fact]
    public async Task Device_that_throws_ends_its_worker_and_no_bit_changes()
    {
        var calm = await new LocalRun { Workers = 1 }.RunAsync();
        var run = await new LocalRun
        {
            Workers = 2,
            Devices = 3,
            OnLeaf = static (worker, _, _) => worker == 1 && Thread.CurrentThread.Name!.EndsWith('2') ? throw new InvalidOperationException("the device is gone") : 0,
        }.RunAsync();
        Assert.Equal(calm.Hash, run.Hash);
        Assert.Contains(run.Said, static s => s.Contains("worker-1", StringComparison.Ordinal) && s.Contains("the device is gone", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Value_that_is_not_finite_on_one_device_is_computed_again_elsewhere()
    {
        var calm = await new LocalRun { Workers = 1 }.RunAsync();
        var once = 0;
        var run = await new LocalRun
        {
            Workers = 2,
            Devices = 2,
            OnLeaf = (_, step, leaf) => step.Value == 2 && leaf == 3 && Interlocked.Exchange(ref once, 1) == 0 ? float.NaN : 0,
        }.RunAsync();
        Assert.Equal(RunEnd.Finished, run.End);
        Assert.Equal(calm.Hash, run.Hash);
        Assert.Equal(1, once);
    }

    [Fact]
    public async Task Samples_that_cannot_be_decoded_are_left_out_whichever_device_meets_them()
    {
        Func<int, int, bool> damaged = static (_, sample) => sample % 97 == 5;
        var one = await new LocalRun { Workers = 1, CannotRead = damaged, CannotReadTest = damaged }.RunAsync();
        var many = await new LocalRun { Workers = 2, Devices = 3, CannotRead = damaged, CannotReadTest = damaged }.RunAsync();
        Assert.Equal(one.Hash, many.Hash);
        Assert.Equal(one.Log.Select(static r => r.Samples), many.Log.Select(static r => r.Samples));
        Assert.Contains(one.Log, static r => r.Samples < 64);
        Assert.Equal(one.Predictions, many.Predictions);
    }
}
