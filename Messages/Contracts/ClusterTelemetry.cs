using System.Diagnostics;

namespace Cluster.Contracts;

/// <summary>
/// Every span, metric and tag name. Hosts add exporters; everything else knows only this file. Ids are span tags;
/// metric tags come from closed sets. Instrumentation never throws into the step. Names of spans and tags are in
/// ClusterTelemetry.Spans.cs, instruments in ClusterTelemetry.Metrics.cs.
/// </summary>
public static partial class ClusterTelemetry
{
    public const string SourceName = "Cluster.Training";

    public static readonly ActivitySource Source = new(SourceName);

    /// <summary>
    /// Starts a child span under a context that came in a message. Returns null when unsampled or unlistened; hand on
    /// <paramref name="parent"/> then, so that the chain is not cut.
    /// </summary>
    public static Activity? StartChild(string name, TraceContext parent, ActivityKind kind = ActivityKind.Internal, IEnumerable<ActivityLink>? links = null) =>
        parent.IsEmpty ? null : Source.StartActivity(name, kind, parent.ToActivityContext(), tags: null, links: links);

    /// <summary>Records a child span that is over, under a context that came in a message.</summary>
    public static void RecordChild(string name, TraceContext parent, DateTimeOffset start, DateTimeOffset end, string tag, string text)
    {
        if (parent.IsEmpty) return;
        using var span = Source.StartActivity(name, ActivityKind.Internal, parent.ToActivityContext(), tags: null, links: null, startTime: start);
        span?.SetTag(tag, text).SetEndTime(end.UtcDateTime);
    }

    /// <summary>The context for a message sent inside <paramref name="span"/>, or under <paramref name="parent"/> when the span was not sampled.</summary>
    public static TraceContext ContextFor(Activity? span, TraceContext parent) => span is null ? parent : TraceContext.From(span);
}
