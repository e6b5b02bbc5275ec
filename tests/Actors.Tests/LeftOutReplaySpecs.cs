using Cluster.Contracts;
using Cluster.Coordinator.Actors;
using Cluster.Coordinator.Core;

namespace Cluster.Actors.Tests;

/// <summary>Steps with samples left out, taken over and replayed.</summary>
[Trait("Clock", "wall")]
public sealed class LeftOutReplaySpecs
{
    private const int Steps = 6;

    private static int[] SamplesOf(long step, int leaf)
    {
        var plan = StepPlan.For(new StepId(step), 50_000, 64, 8);
        var (first, count) = plan.Leaf(leaf);
        var order = new SampleOrder(3, plan.Epoch, 50_000);
        return [.. Enumerable.Range(first, count).Select(order.SampleAt)];
    }

    /// <summary>One sample of step 2, and all of a leaf of step 3.</summary>
    private static readonly HashSet<int> Bad = [SamplesOf(2, 5)[0], .. SamplesOf(3, 4)];

    private static Action<int, StepId, int> Once(int step, Action act)
    {
        var isDone = 0;
        return (_, at, _) =>
        {
            if (at.Value == step && Interlocked.Exchange(ref isDone, 1) == 0) act();
        };
    }

    private static async Task AssertSame(ClusterRun run, RunRecorder recorder)
    {
        var calm = await new LocalRun { Workers = 1, Steps = Steps, CannotRead = static (_, s) => Bad.Contains(s) }.RunAsync();
        var outcome = await recorder.End.WaitAsync(ClusterRun.Patience);
        Assert.True(outcome.End == RunEnd.Finished, $"{outcome.End}: {outcome.Reason}\n{string.Join('\n', recorder.Sentences)}");
        Assert.Equal(calm.Hash, outcome.StateSha256);
        Assert.Equal(calm.Log.Select(static r => (r.Loss, r.Samples, string.Join(' ', r.LeftOut ?? []))), run.Log().Select(static r => (r.Loss, r.Samples, string.Join(' ', r.LeftOut ?? []))));
    }

    [Theory]
    [InlineData(true), InlineData(false)]
    public async Task A_replay_leaves_out_what_the_record_says_whether_it_can_be_read_by_then_or_not(bool isMended)
    {
        await using var run = new ClusterRun { Replicas = 0 };
        var isBad = true;
        run.CannotRead = (_, s) => Volatile.Read(ref isBad) && Bad.Contains(s);
        run.OnLeaf = Once(5, () =>
        {
            if (isMended) Volatile.Write(ref isBad, false);
            run.KillNode(1);
            run.StartNode(1);
        });
        var recorder = run.Start();
        await AssertSame(run, recorder);
        Assert.Equal([1L, 2, 3, 4], recorder.Commits.Where(static c => c.IsReplay).Select(static c => c.Record.Step.Value));
    }

    [Fact]
    public async Task What_vanishes_after_its_step_halts_the_replay_and_names_the_file()
    {
        await using var run = new ClusterRun { Replicas = 0, Workers = 1 };
        var gone = SamplesOf(2, 5)[0];
        var isGone = false;
        run.CannotRead = (_, s) => Volatile.Read(ref isGone) && s == gone;
        run.OnLeaf = Once(5, () =>
        {
            Volatile.Write(ref isGone, true);
            run.KillNode(1);
            run.StartNode(1);
        });
        var outcome = await run.Start().End.WaitAsync(ClusterRun.Patience);
        Assert.Equal(RunEnd.Failed, outcome.End);
        Assert.Equal($"Step 2 cannot be replayed: worker-0 cannot decode sample {gone} (images/{gone}.jpg is cut in half), which the record of step 2 counts. Bring the data back as it was, and resume.", outcome.Reason);
    }

    [Fact]
    public async Task A_takeover_in_the_middle_of_such_a_step_ends_in_the_same_state()
    {
        await using var run = new ClusterRun();
        run.CannotRead = static (_, s) => Bad.Contains(s);
        var first = run.Start();
        await first.Hears(static s => s.StartsWith("sample-left-out", StringComparison.Ordinal) && s.Contains("of step 3", StringComparison.Ordinal)).WaitAsync(ClusterRun.Patience);
        await run.KillCoordinator();
        await AssertSame(run, run.StartCoordinator());
    }
}
