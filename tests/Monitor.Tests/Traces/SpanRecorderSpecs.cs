using System.Collections.Concurrent;
using System.Diagnostics;
using Cluster.Contracts;
using Cluster.Coordinator.Monitor.Traces;
using static Cluster.Contracts.ClusterTelemetry;

namespace Cluster.Coordinator.Monitor.Tests.Traces;

/// <summary>What ends is recorded, once, and whoever ends it does not wait.</summary>
[Trait("Clock", "wall")]
public sealed class SpanRecorderSpecs
{
    [Fact]
    public void Every_span_is_recorded_with_tags_links_and_error_before_the_end()
    {
        var run = Guid.NewGuid().ToString("N");
        var batches = new ConcurrentQueue<SpanBatch>();
        TraceContext context;
        using (SpanRecorder.Start(batches.Enqueue)!)
        {
            (var root, context) = StepTrace.StartRoot(run, new StepId(4));
            // Recorded all the same; whether an exporter takes it is its sampler's business.
            Assert.False(context.Recorded);
            using (var child = StartChild(Spans.Reduce, context, links: [new ActivityLink(context.ToActivityContext(), new ActivityTagsCollection { [Tags.Worker] = "worker-1" })]))
                child!.SetTag(Tags.Contributors, 3).SetStatus(ActivityStatusCode.Error, "no room");
            root!.Dispose();
        }
        // Other specs' spans may come in between.
        var mine = batches.SelectMany(static b => b.Spans).Where(s => s.TraceIdHigh == context.TraceIdHigh && s.TraceIdLow == context.TraceIdLow).ToArray();
        Assert.Equal([Spans.Reduce, Spans.Step], mine.Select(static s => s.Name));
        Assert.Equal((context.SpanId, "no room"), (mine[0].ParentId, mine[0].Error));
        Assert.Equal(new SpanTag(Tags.Contributors, "3"), Assert.Single(mine[0].Tags));
        var link = Assert.Single(mine[0].Links);
        Assert.Equal((context.SpanId, new SpanTag(Tags.Worker, "worker-1")), (link.SpanId, Assert.Single(link.Tags)));
        Assert.Equal((0UL, StepTrace.ContextOf(run, new StepId(4)).SpanId), (mine[1].ParentId, mine[1].SpanId));
        Assert.InRange(mine[0].StartNanoseconds, mine[1].StartNanoseconds, SpanMerge.EndOf(mine[1]));
    }

    [Fact]
    public void A_receiver_that_throws_ends_nothing()
    {
        var calls = 0;
        using (SpanRecorder.Start(_ =>
        {
            calls++;
            throw new InvalidOperationException("no room");
        })!) StepTrace.StartRoot("run", new StepId(1)).Span!.Dispose();
        Assert.InRange(calls, 1, int.MaxValue);
    }

    [Fact]
    public void A_message_holds_what_fits_the_control_lane_and_at_least_one()
    {
        var text = new string('x', 500);
        var span = Made.Child(1, 2, Spans.Lease, 0, 1, 0, [.. Enumerable.Range(0, 10).Select(i => new SpanTag($"tag {i}", text))]);
        var waiting = Enumerable.Repeat(span, 100).ToList();
        var messages = 0;
        while (waiting.Count > 0)
        {
            var next = SpanBatches.Next(waiting);
            Assert.InRange(next.Sum(static s => s.Tags.Sum(static t => t.Name.Length + t.Text.Length)), 1, 48 * 1024);
            waiting.RemoveRange(0, next.Count);
            messages++;
        }
        Assert.InRange(messages, 2, 99);
        Assert.Single(SpanBatches.Next([span with { Error = new string('x', 100_000) }, span]));
    }
}
