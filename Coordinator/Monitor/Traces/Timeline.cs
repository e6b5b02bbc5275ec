using Cluster.Contracts;

namespace Cluster.Coordinator.Monitor.Traces;

/// <summary>A bar of a waterfall.</summary>
/// <param name="Track">Whose work it is: <c>coordinator</c>, <c>worker-1</c>, <c>ps-0</c>.</param>
/// <param name="Process">Whose clock it was measured by.</param>
/// <param name="Span">Times aligned with the coordinator's clock.</param>
/// <param name="Offset">Nanoseconds after the root's start; what was seen before it is negative.</param>
/// <param name="Depth">0 = the root.</param>
/// <param name="CriticalNanoseconds">Of the step's critical path that this span answers for; 0 = it holds nothing up.</param>
/// <param name="IsOrphan">Its parent is not among the spans.</param>
public sealed record TimelineRow(string Track, string Process, SpanRecord Span, long Offset, int Depth, long CriticalNanoseconds, bool IsOrphan)
{
    /// <summary>Nanoseconds.</summary>
    public long Duration => Span.DurationNanoseconds;
}

/// <summary>One trace as a waterfall: its root, then every span below its parent, in order of time.</summary>
/// <param name="Root">Aligned and merged.</param>
/// <param name="Path">The critical path: covers the root's time without gap or overlap.</param>
public sealed record Timeline(SpanRecord Root, IReadOnlyList<TimelineRow> Rows, IReadOnlyList<PathSegment> Path)
{
    /// <summary>Tracks in the order of people: coordinator, workers, shards.</summary>
    public IReadOnlyList<string> Tracks { get; } = [.. Rows.Select(static r => r.Track).Distinct(StringComparer.Ordinal)
        .OrderBy(static t => t.StartsWith("worker-", StringComparison.Ordinal) ? 1 : t.StartsWith("ps-", StringComparison.Ordinal) ? 2 : 0)
        .ThenBy(static t => t.Length).ThenBy(static t => t, StringComparer.Ordinal)];

    /// <param name="spans">Of one trace, in any order.</param>
    /// <returns>Null while there is no root.</returns>
    public static Timeline? Of(IReadOnlyList<(string Process, SpanRecord Span)> spans)
    {
        var merged = SpanMerge.Merged(spans);
        var offsets = ClockOffsets.Of(merged);
        (string Process, SpanRecord Span)[] aligned =
        [
            .. merged.Select(s => offsets.TryGetValue(s.Process, out var offset) ? (s.Process, s.Span with { StartNanoseconds = s.Span.StartNanoseconds + offset }) : s),
        ];
        if (aligned.Where(static s => s.Span.ParentId == 0).Select(static s => s.Span).MinBy(static s => s.StartNanoseconds) is not { } root) return null;
        var ids = aligned.Select(static s => s.Span.SpanId).ToHashSet();
        // Whose parent is missing is shown all the same, below the root.
        var children = aligned.Where(s => s.Span != root).OrderBy(static s => s.Span.StartNanoseconds).ThenBy(static s => s.Span.SpanId)
            .ToLookup(s => ids.Contains(s.Span.ParentId) && s.Span.ParentId != s.Span.SpanId ? s.Span.ParentId : root.SpanId);
        var path = CriticalPath.Of(root, children.SelectMany(static g => g, static (g, s) => (g.Key, s.Span)).ToLookup(static c => c.Key, static c => c.Span));
        var critical = path.GroupBy(static p => p.Span.SpanId).ToDictionary(static g => g.Key, static g => g.Sum(static p => p.End - p.Start));
        var rows = new List<TimelineRow>(aligned.Length);
        var rootProcess = aligned.First(s => s.Span == root).Process;
        Add(rootProcess, root, 0, null);
        return new Timeline(root, rows, path);

        void Add(string process, SpanRecord span, int depth, string? above)
        {
            if (rows.Count > aligned.Length) return;
            var track = TrackOf(process, span, above);
            rows.Add(new TimelineRow(
                track, process, span, span.StartNanoseconds - root.StartNanoseconds, depth, critical.GetValueOrDefault(span.SpanId), span.ParentId != 0 && !ids.Contains(span.ParentId)));
            foreach (var child in children[span.SpanId]) Add(child.Process, child.Span, depth + 1, track);
        }
    }

    /// <summary>Whose work a span is: what its tags say, else its process, in a run of one process its parent's.</summary>
    private static string TrackOf(string process, SpanRecord span, string? above) =>
        SpanMerge.TagOf(span, ClusterTelemetry.Tags.Worker) ?? SpanMerge.TagOf(span, ClusterTelemetry.Tags.Shard)
        ?? (process != "local" ? process : above ?? "coordinator");
}
