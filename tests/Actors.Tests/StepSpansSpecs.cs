using System.Collections.Concurrent;
using System.Diagnostics;
using Cluster.Contracts;
using static Cluster.Contracts.ClusterTelemetry;

namespace Cluster.Actors.Tests;

/// <summary>The tree of a step whatever happens to it: one root, parents that are there, leases that lead to those before.</summary>
[Trait("Clock", "wall")]
public sealed class StepSpansSpecs : IDisposable
{
    private readonly string _runId = Guid.NewGuid().ToString("N");
    private readonly ConcurrentQueue<Activity> _ended = [];
    private readonly ActivityListener _listener;

    public StepSpansSpecs()
    {
        _listener = new ActivityListener
        {
            ShouldListenTo = static source => source.Name == SourceName,
            Sample = static (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllData,
            ActivityStopped = _ended.Enqueue,
        };
        ActivitySource.AddActivityListener(_listener);
    }

    public void Dispose() => _listener.Dispose();

    private Activity[] Trace(long step)
    {
        var id = StepTrace.IdOf(_runId, new StepId(step));
        return [.. _ended.Where(a => a.TraceId == id)];
    }

    private static IEnumerable<Activity> Leases(IEnumerable<Activity> trace) => trace.Where(static a => a.OperationName == Spans.Lease);

    private static string TagOf(Activity span, string tag) => span.GetTagItem(tag)?.ToString() ?? "";

    /// <summary>One root under the id that follows from the trace's, every parent and link in the trace.</summary>
    private void AssertWhole(int steps)
    {
        for (var step = 1; step <= steps; step++)
        {
            var trace = Trace(step);
            var ids = trace.Select(static a => a.SpanId).ToHashSet();
            Assert.Equal(StepTrace.ContextOf(_runId, new StepId(step)).ToActivityContext().SpanId, Assert.Single(trace.Where(static a => a.ParentSpanId == default).Select(static a => a.SpanId).Distinct()));
            Assert.All(trace, span =>
            {
                Assert.True(span.ParentSpanId == default || ids.Contains(span.ParentSpanId), $"the parent of '{span.OperationName}' of step {step} is nowhere");
                Assert.All(span.Links, link => Assert.True(ids.Contains(link.Context.SpanId), $"a link of '{span.OperationName}' of step {step} leads nowhere"));
            });
            foreach (var name in (string[])[Spans.Lease, Spans.DataWait, Spans.LocalSum, Spans.Send, Spans.Receive, Spans.Queue, Spans.Reduce, Spans.NormRound, Spans.Commit, Spans.Apply, Spans.Broadcast])
                Assert.Contains(trace, span => span.OperationName == name);
        }
    }

    [Fact]
    public async Task A_lease_of_a_lost_worker_is_void_and_whoever_takes_its_leaves_is_linked_to_it()
    {
        using ManualResetEventSlim bothAreIn = new(), oneIsOut = new();
        await using (var run = new ClusterRun { RunId = _runId, Steps = 4 })
        {
            run.OnLeaf = (worker, step, _) =>
            {
                // On a busy machine the second one may come, or get to its leaves, when all is over.
                if (worker == 0 && step.Value <= 2) (step.Value == 1 ? bothAreIn : oneIsOut).Wait(ClusterRun.Patience);
                if (worker == 1 && step.Value == 2)
                {
                    run.KillWorker(1);
                    oneIsOut.Set();
                }
            };
            var recorder = run.Start();
            await recorder.Hears(static said => said.StartsWith("worker-joined worker-1:", StringComparison.Ordinal)).WaitAsync(ClusterRun.Patience);
            bothAreIn.Set();
            await recorder.End.WaitAsync(ClusterRun.Patience);
        }
        AssertWhole(4);
        var lost = Leases(Trace(2)).First(static l => TagOf(l, Tags.Worker) == "worker-1");
        // Void, or not needed where a busy machine had others take the leaves before.
        Assert.True(lost.Status == ActivityStatusCode.Error || TagOf(lost, Tags.Reason).Length > 0);
        // Or the other had them first.
        Assert.True(lost.Links.Any() || Leases(Trace(2)).Any(l => TagOf(l, Tags.Worker) == "worker-0" && l.Links.Any(k => k.Context.SpanId == lost.SpanId)));
    }

    [Fact]
    public async Task A_further_attempt_has_leases_of_its_own_that_are_linked_to_those_of_the_one_before()
    {
        var spoiled = 0;
        var run = await new LocalRun
        {
            RunId = _runId,
            Workers = 2,
            Steps = 3,
            OnLeaf = (_, step, leaf) => step.Value == 2 && leaf == 5 && Interlocked.Exchange(ref spoiled, 1) == 0 ? float.NaN : 0,
        }.RunAsync(TestContext.Current.CancellationToken);
        Assert.Equal(2, run.Log[1].Attempt);
        AssertWhole(3);
        var byAttempt = Leases(Trace(2)).ToLookup(static l => TagOf(l, Tags.Attempt));
        Assert.All(byAttempt["2"], second => Assert.Contains(second.Links, link => byAttempt["1"].Any(first => first.SpanId == link.Context.SpanId)));
        Assert.NotEmpty(byAttempt["2"]);
        // A sum has a link per node that it is made of.
        Assert.All(Trace(2).Where(static a => a.OperationName == Spans.Reduce), static reduce => Assert.Equal(TagOf(reduce, Tags.Contributors), $"{reduce.Links.Count()}"));
    }

    [Fact]
    public async Task A_step_that_another_coordinator_goes_on_with_keeps_its_root()
    {
        await using (var run = new ClusterRun { RunId = _runId, Steps = 4 })
        {
            var reached = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            using var gate = new ManualResetEventSlim();
            run.OnLeaf = (_, step, _) =>
            {
                if (step.Value < 3) return;
                reached.TrySetResult();
                gate.Wait(ClusterRun.Patience);
            };
            run.Start();
            await reached.Task.WaitAsync(ClusterRun.Patience, TestContext.Current.CancellationToken);
            await run.KillCoordinator();
            var second = run.StartCoordinator();
            gate.Set();
            await second.End.WaitAsync(ClusterRun.Patience, TestContext.Current.CancellationToken);
        }
        AssertWhole(4);
        // One record from each of them.
        Assert.InRange(Trace(3).Count(static a => a.ParentSpanId == default), 2, int.MaxValue);
        var addresses = Enumerable.Range(0, 5).Select(logged => StepTrace.IdOf($"{_runId}/term-2", new StepId(logged))).ToHashSet();
        Assert.Contains(_ended, a => a.OperationName == Spans.Takeover && addresses.Contains(a.TraceId));
    }
}
