using Akka.Actor;
using Cluster.Contracts;
using Cluster.Coordinator.Actors;

namespace Cluster.Actors.Tests;

/// <summary>Another coordinator over the same folder: one of them acts, every step is in the log once, no bit changes.</summary>
[Trait("Clock", "wall")]
public sealed class TakeoverSpecs
{
    /// <summary>Lets no worker go beyond the step before it is opened.</summary>
    private sealed class Barrier(int step) : IDisposable
    {
        private readonly ManualResetEventSlim _gate = new();
        private readonly TaskCompletionSource _reached = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task Reached => _reached.Task;

        public void Leaf(int worker, StepId at, int leaf)
        {
            if (at.Value < step || _gate.IsSet) return;
            _reached.TrySetResult();
            Assert.True(_gate.Wait(ClusterRun.Patience), "nobody opened the barrier");
        }

        public void Open() => _gate.Set();

        public void Dispose() => _gate.Dispose();
    }

    /// <summary>The system's clock, and what it was put forward.</summary>
    private sealed class JumpingTime : TimeProvider
    {
        private long _ahead;

        public void Jump(TimeSpan by) => Interlocked.Add(ref _ahead, (long)(by.TotalSeconds * TimestampFrequency));

        public override long GetTimestamp() => base.GetTimestamp() + Interlocked.Read(ref _ahead);
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(4, 1)]
    [InlineData(4, 0)]
    public async Task Coordinator_that_is_killed_in_mid_step_is_followed_by_one_that_goes_on(int step, int replicas)
    {
        using var barrier = new Barrier(step);
        await using var run = new ClusterRun { Replicas = replicas, OnLeaf = barrier.Leaf };
        run.Start();
        await barrier.Reached.WaitAsync(ClusterRun.Patience);
        await run.KillCoordinator();
        var second = run.StartCoordinator();
        barrier.Open();
        await ClusterRunSpecs.AssertSame(run, second);
        Assert.DoesNotContain(second.Commits, static c => c.IsReplay);
        Assert.Equal(step == 1 ? [2L] : [1L, 2], run.Log().Select(static r => r.Term.Value).Distinct());
    }

    [Fact]
    public async Task Old_coordinator_that_lives_on_in_silence_learns_that_it_is_not_needed_and_steps_down()
    {
        using var barrier = new Barrier(4);
        await using var run = new ClusterRun { OnLeaf = barrier.Leaf, Silence = TimeSpan.FromMilliseconds(100) };
        var first = run.Start();
        await barrier.Reached.WaitAsync(ClusterRun.Patience);
        var second = run.StartCoordinator();
        var outcome = await first.End.WaitAsync(ClusterRun.Patience);
        Assert.Equal(RunEnd.SteppedDown, outcome.End);
        Assert.Contains("another coordinator", outcome.Reason);
        barrier.Open();
        await ClusterRunSpecs.AssertSame(run, second);
    }

    [Fact]
    public async Task Coordinator_without_nodes_learns_from_the_disk_that_they_are_with_another()
    {
        await using var run = new ClusterRun { Silence = TimeSpan.FromMinutes(10) };
        var first = run.StartCoordinator();
        var second = run.Start();
        await ClusterRunSpecs.AssertSame(run, second);
        var outcome = await first.End.WaitAsync(ClusterRun.Patience);
        Assert.Equal(RunEnd.SteppedDown, outcome.End);
        Assert.Contains("another coordinator has begun term 1", outcome.Reason);
    }

    [Fact]
    public async Task Coordinator_that_wakes_up_with_a_successor_steps_down_before_it_acts_on_what_came_in_meanwhile()
    {
        using var barrier = new Barrier(4);
        var clock = new JumpingTime();
        var begun = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var times = 0;
        await using var run = new ClusterRun
        {
            OnLeaf = barrier.Leaf,
            Silence = TimeSpan.FromMinutes(10),
            Time = clock,
            OnBegun = step =>
            {
                if (step.Value == 4 && Interlocked.Increment(ref times) == 2) begun.SetResult();
            },
        };
        var first = run.Start();
        var asleep = run.Coordinator;
        await barrier.Reached.WaitAsync(ClusterRun.Patience);
        run.Time = TimeProvider.System;
        var second = run.StartCoordinator();
        await begun.Task.WaitAsync(ClusterRun.Patience);
        clock.Jump(TimeSpan.FromSeconds(3));
        // Its nodes have turned to the other one; taken for a loss, this would begin a third term.
        foreach (var node in run.LivingNodes) asleep.Tell(new CoordinatorActor.NodeGone(node, "it heard nothing of the coordinator"));
        Assert.Equal(RunEnd.SteppedDown, (await first.End.WaitAsync(ClusterRun.Patience)).End);
        Assert.DoesNotContain(first.Sentences, static s => s.StartsWith("shard-lost", StringComparison.Ordinal));
        barrier.Open();
        await ClusterRunSpecs.AssertSame(run, second);
        Assert.Equal([1L, 2], run.Log().Select(static r => r.Term.Value).Distinct());
    }

    [Fact]
    public async Task Old_coordinator_that_is_stopped_before_its_record_is_written_writes_to_nothing()
    {
        GatedStore? gated = null;
        await using var run = new ClusterRun();
        run.Through = store => gated ??= new GatedStore(store, new StepId(4), isBehind: false);
        var first = run.Start();
        await gated!.Reached.WaitAsync(ClusterRun.Patience);
        run.Through = static store => store;
        var second = run.StartCoordinator();
        await ClusterRunSpecs.AssertSame(run, second);
        Assert.False(first.End.IsCompleted);
        var log = await File.ReadAllBytesAsync(Path.Combine(run.Folder, RunStore.CommitsName));
        gated.Open();
        Assert.Equal(RunEnd.SteppedDown, (await first.End.WaitAsync(ClusterRun.Patience)).End);
        Assert.Equal(log, await File.ReadAllBytesAsync(Path.Combine(run.Folder, RunStore.CommitsName)));
        gated.Dispose();
        // It was decided by the second, in its own term.
        Assert.Equal([1L, 1, 1, 2, 2, 2], run.Log().Select(static r => r.Term.Value));
    }

    [Fact]
    public async Task Old_coordinator_that_is_stopped_behind_its_record_has_committed_the_step_and_the_next_one_redoes_it()
    {
        GatedStore? gated = null;
        await using var run = new ClusterRun();
        run.Through = store => gated ??= new GatedStore(store, new StepId(4), isBehind: true);
        var first = run.Start();
        await gated!.Reached.WaitAsync(ClusterRun.Patience);
        run.Through = static store => store;
        var second = run.StartCoordinator();
        await ClusterRunSpecs.AssertSame(run, second);
        gated.Open();
        Assert.Equal(RunEnd.SteppedDown, (await first.End.WaitAsync(ClusterRun.Patience)).End);
        gated.Dispose();
        Assert.Equal([1L, 1, 1, 1, 2, 2], run.Log().Select(static r => r.Term.Value));
        Assert.Equal([4L], second.Commits.Where(static c => c.IsReplay).Select(static c => c.Record.Step.Value));
    }

    [Fact]
    public async Task Coordinator_and_a_node_that_are_lost_together_lose_no_step()
    {
        GatedStore? gated = null;
        await using var run = new ClusterRun { Silence = TimeSpan.FromMilliseconds(500) };
        run.Through = store => gated ??= new GatedStore(store, new StepId(4), isBehind: true);
        run.Start();
        await gated!.Reached.WaitAsync(ClusterRun.Patience);
        run.KillNode(0);
        var killed = run.KillCoordinator();
        gated.Open();
        await killed;
        gated.Dispose();
        run.Through = static store => store;
        run.StartNode(0);
        await ClusterRunSpecs.AssertSame(run, run.StartCoordinator());
    }

    [Fact]
    public async Task Everything_but_the_folder_is_lost_and_the_run_goes_on_from_its_log()
    {
        GatedStore? gated = null;
        await using var run = new ClusterRun();
        run.Through = store => gated ??= new GatedStore(store, new StepId(4), isBehind: true);
        run.Start();
        await gated!.Reached.WaitAsync(ClusterRun.Patience);
        for (var index = 0; index < 2; index++)
        {
            run.KillNode(index);
            run.KillWorker(index);
        }
        var killed = run.KillCoordinator();
        gated.Open();
        await killed;
        gated.Dispose();
        run.Through = static store => store;
        var second = run.Start();
        await ClusterRunSpecs.AssertSame(run, second);
        Assert.Equal([1L, 2, 3, 4], second.Commits.Where(static c => c.IsReplay).Select(static c => c.Record.Step.Value));
    }
}
