using Cluster.Contracts;

namespace Cluster.Coordinator.Monitor.Traces;

/// <summary>A stretch of time that one span answers for: nothing below it was going on.</summary>
/// <param name="Start">Nanoseconds since 1970, aligned.</param>
/// <param name="End">Likewise.</param>
public readonly record struct PathSegment(SpanRecord Span, long Start, long End);

/// <summary>
/// What a step waited for, moment by moment: from the root's end backwards, always into the child that ended last. The
/// segments cover the root's time without gap or overlap, so that they add up to it; a stretch in which no child was
/// under way is the parent's own. Spans that only watch others wait, and leases that the step was decided without, hold
/// nothing up.
/// </summary>
public static class CriticalPath
{
    /// <param name="children">By span id, with aligned times.</param>
    /// <returns>In order of time.</returns>
    public static IReadOnlyList<PathSegment> Of(SpanRecord root, ILookup<ulong, SpanRecord> children)
    {
        ArgumentNullException.ThrowIfNull(root);
        ArgumentNullException.ThrowIfNull(children);
        var segments = new List<PathSegment>();
        Walk(root, root.StartNanoseconds, SpanMerge.EndOf(root), children, [], segments);
        segments.Reverse();
        return segments;
    }

    /// <summary>Backwards over [from, to] of a span.</summary>
    private static void Walk(SpanRecord span, long from, long to, ILookup<ulong, SpanRecord> children, HashSet<ulong> above, List<PathSegment> segments)
    {
        if (to <= from) return;
        // A damaged file could name a span as its own ancestor.
        if (!above.Add(span.SpanId))
        {
            segments.Add(new PathSegment(span, from, to));
            return;
        }
        var at = to;
        while (at > from && LastBefore(children[span.SpanId], from, at) is { } child)
        {
            var end = Math.Min(SpanMerge.EndOf(child), at);
            if (end < at) segments.Add(new PathSegment(span, end, at));
            at = Math.Max(child.StartNanoseconds, from);
            Walk(child, at, end, children, above, segments);
        }
        if (at > from) segments.Add(new PathSegment(span, from, at));
        above.Remove(span.SpanId);
    }

    private static bool HoldsUp(SpanRecord span) =>
        span.Name != ClusterTelemetry.Spans.Receive && (span.Name != ClusterTelemetry.Spans.Lease || SpanMerge.TagOf(span, ClusterTelemetry.Tags.Reason) is null);

    /// <summary>The child that was under way last before a moment; of several, the one that has been for longest.</summary>
    private static SpanRecord? LastBefore(IEnumerable<SpanRecord> children, long from, long at)
    {
        SpanRecord? best = null;
        var bestEnd = long.MinValue;
        foreach (var child in children)
        {
            var end = Math.Min(SpanMerge.EndOf(child), at);
            if (!HoldsUp(child) || child.StartNanoseconds >= at || end <= from || end <= child.StartNanoseconds) continue;
            if (best is null || end > bestEnd || end == bestEnd && child.StartNanoseconds < best.StartNanoseconds) (best, bestEnd) = (child, end);
        }
        return best;
    }
}
