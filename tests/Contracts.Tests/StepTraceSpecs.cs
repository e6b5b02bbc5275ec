using System.Diagnostics;

namespace Cluster.Contracts.Tests;

/// <summary>(run, step) is the address of a trace and of its root, for everybody, sampled or not.</summary>
public sealed class StepTraceSpecs
{
    private readonly string _runId = Guid.NewGuid().ToString("N");

    [Fact]
    public void Everybody_who_holds_a_context_of_a_step_can_name_its_root()
    {
        var root = StepTrace.ContextOf(_runId, new StepId(7));
        Assert.Equal(StepTrace.IdOf(_runId, new StepId(7)), root.ToActivityContext().TraceId);
        Assert.Equal(root, StepTrace.RootOf(root with { SpanId = 99 }));
        Assert.NotEqual(0UL, root.SpanId);
        Assert.Equal(1000, Enumerable.Range(0, 1000).Select(step => StepTrace.ContextOf(_runId, new StepId(step)).SpanId).Distinct().Count());
        Assert.Equal(default, StepTrace.RootOf(default));
    }

    [Fact]
    public void A_root_that_is_begun_twice_has_one_id_recorded_or_not_and_is_not_current()
    {
        using var listener = new ActivityListener
        {
            ShouldListenTo = static s => s.Name == ClusterTelemetry.SourceName,
            Sample = static (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
        };
        ActivitySource.AddActivityListener(listener);
        var (first, context) = StepTrace.StartRoot(_runId, new StepId(3));
        var (second, again) = StepTrace.StartRoot(_runId, new StepId(3));
        Assert.NotSame(first, second);
        Assert.Equal((StepTrace.ContextOf(_runId, new StepId(3)) with { Recorded = true }, context), (context, again));
        Assert.Equal(context, TraceContext.From(second));
        Assert.Null(Activity.Current);
        using var child = ClusterTelemetry.StartChild(ClusterTelemetry.Spans.Commit, again);
        Assert.Equal(first!.SpanId, child!.ParentSpanId);
        Assert.Equal(first.TraceId, child.TraceId);
        first.Dispose();
        second!.Dispose();
    }

    [Fact]
    public void A_span_that_is_over_when_it_is_told_has_its_own_times()
    {
        var ended = new List<Activity>();
        using var listener = new ActivityListener
        {
            ShouldListenTo = static s => s.Name == ClusterTelemetry.SourceName,
            Sample = static (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllData,
            ActivityStopped = span =>
            {
                lock (ended) ended.Add(span);
            },
        };
        ActivitySource.AddActivityListener(listener);
        var parent = StepTrace.ContextOf(_runId, new StepId(1));
        var at = DateTimeOffset.UtcNow.AddMinutes(-1);
        ClusterTelemetry.RecordChild(ClusterTelemetry.Spans.Queue, parent, at, at.AddMilliseconds(30), ClusterTelemetry.Tags.Shard, "ps-0");
        Activity span;
        lock (ended) span = ended.Single(a => a.TraceId == parent.ToActivityContext().TraceId);
        Assert.Equal((at.UtcDateTime, TimeSpan.FromMilliseconds(30), "ps-0"), (span.StartTimeUtc, span.Duration, span.GetTagItem(ClusterTelemetry.Tags.Shard)));
    }
}
