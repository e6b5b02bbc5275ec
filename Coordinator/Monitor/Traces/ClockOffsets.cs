using Cluster.Contracts;

namespace Cluster.Coordinator.Monitor.Traces;

/// <summary>
/// How far the clocks of the processes lie apart, from the spans alone: what a process computes under a lease of the
/// coordinator began after the lease and ended before it, by whatever clock. On one machine that holds as it is, and
/// nothing is moved.
/// </summary>
public static class ClockOffsets
{
    /// <summary>Two clocks of one machine are read in an order that a nanosecond more or less can turn.</summary>
    private const long Tolerance = 1_000_000;

    /// <summary>Spans that are over when the coordinator hears of their leaf.</summary>
    private static readonly HashSet<string> Enclosed = new(StringComparer.Ordinal) { ClusterTelemetry.Spans.DataWait, ClusterTelemetry.Spans.Forward, ClusterTelemetry.Spans.Backward };

    /// <returns>Nanoseconds to add to the times of a process; those that need none are left out.</returns>
    public static IReadOnlyDictionary<string, long> Of(IReadOnlyList<(string Process, SpanRecord Span)> spans)
    {
        ArgumentNullException.ThrowIfNull(spans);
        var byId = new Dictionary<ulong, (string Process, SpanRecord Span)>();
        foreach (var span in spans) byId.TryAdd(span.Span.SpanId, span);
        var bounds = new Dictionary<string, (long Low, long High)>(StringComparer.Ordinal);
        foreach (var (process, span) in spans)
        {
            if (!Enclosed.Contains(span.Name) || !byId.TryGetValue(span.ParentId, out var parent) || parent.Process == process) continue;
            var (low, high) = bounds.GetValueOrDefault(process, (long.MinValue, long.MaxValue));
            bounds[process] = (Math.Max(low, parent.Span.StartNanoseconds - span.StartNanoseconds), Math.Min(high, SpanMerge.EndOf(parent.Span) - SpanMerge.EndOf(span)));
        }
        return bounds.Select(static b => (b.Key, Offset: OffsetOf(b.Value.Low, b.Value.High))).Where(static o => o.Offset != 0)
            .ToDictionary(static o => o.Key, static o => o.Offset, StringComparer.Ordinal);
    }

    /// <summary>The half of the round trip, as is usual; nothing where the clocks may agree.</summary>
    private static long OffsetOf(long low, long high) =>
        low <= Tolerance && high >= -Tolerance ? 0
        // A lease that ended early (its worker was lost) says nothing about its end.
        : high < low ? low
        : low + (high - low) / 2;
}
