using System.Diagnostics;
using Cluster.Contracts;

namespace Cluster.Contracts.Tests;

public sealed class TraceContextSpecs
{
    [Theory]
    [InlineData(ActivityTraceFlags.Recorded)]
    [InlineData(ActivityTraceFlags.None)]
    public void Context_survives_the_hop_and_becomes_a_remote_parent(ActivityTraceFlags flags)
    {
        var trace = ActivityTraceId.CreateFromString("0af7651916cd43dd8448eb211c80319c");
        var span = ActivitySpanId.CreateFromString("b7ad6b7169203331");
        var sent = TraceContext.From(new ActivityContext(trace, span, flags));
        Assert.Equal((0x0af7651916cd43ddUL, 0x8448eb211c80319cUL, 0xb7ad6b7169203331UL), (sent.TraceIdHigh, sent.TraceIdLow, sent.SpanId));
        Assert.Equal(flags == ActivityTraceFlags.Recorded, sent.Recorded);
        var received = sent.ToActivityContext();
        Assert.Equal((trace, span, flags, true), (received.TraceId, received.SpanId, received.TraceFlags, received.IsRemote));
        Assert.Equal(sent, TraceContext.From(received));
    }

    [Fact]
    public void Nothing_stays_nothing()
    {
        Assert.True(TraceContext.From((Activity?)null).IsEmpty);
        Assert.True(TraceContext.From(default(ActivityContext)).IsEmpty);
        Assert.Equal(default, default(TraceContext).ToActivityContext());
        Assert.Null(ClusterTelemetry.StartChild(ClusterTelemetry.Spans.Step, default));
    }

    [Fact]
    public void Child_of_a_message_has_its_sender_as_parent_and_an_unheard_one_hands_the_parent_on()
    {
        var parent = new TraceContext(1, 2, 3, Recorded: true);
        Assert.Equal(parent, ClusterTelemetry.ContextFor(null, parent));
        using var listener = new ActivityListener
        {
            ShouldListenTo = static s => s.Name == ClusterTelemetry.SourceName,
            Sample = static (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
        };
        ActivitySource.AddActivityListener(listener);
        using var span = ClusterTelemetry.StartChild(ClusterTelemetry.Spans.Reduce, parent);
        Assert.NotNull(span);
        Assert.True(span.HasRemoteParent);
        Assert.Equal(parent.ToActivityContext().SpanId, span.ParentSpanId);
        var handedOn = ClusterTelemetry.ContextFor(span, parent);
        Assert.Equal((1UL, 2UL, true), (handedOn.TraceIdHigh, handedOn.TraceIdLow, handedOn.Recorded));
        Assert.NotEqual(3UL, handedOn.SpanId);
    }
}
