using Cluster.Contracts;

namespace Cluster.Coordinator.Monitor.Traces;

/// <summary>
/// One record per span. A step that another attempt of a coordinator goes on with (a new term, a takeover) has a record of
/// its root from each of them: it began with the first, ended with the last, and the last one's words count.
/// </summary>
public static class SpanMerge
{
    /// <summary>In the order of first appearance; of records with one id a single one is left.</summary>
    public static IReadOnlyList<(string Process, SpanRecord Span)> Merged(IEnumerable<(string Process, SpanRecord Span)> spans)
    {
        ArgumentNullException.ThrowIfNull(spans);
        var merged = new List<(string Process, SpanRecord Span)>();
        var places = new Dictionary<ulong, int>();
        foreach (var (process, span) in spans)
        {
            if (places.TryAdd(span.SpanId, merged.Count)) merged.Add((process, span));
            else merged[places[span.SpanId]] = Both(merged[places[span.SpanId]], (process, span));
        }
        return merged;
    }

    private static (string Process, SpanRecord Span) Both((string Process, SpanRecord Span) one, (string Process, SpanRecord Span) other)
    {
        var (earlier, later) = EndOf(one.Span) <= EndOf(other.Span) ? (one, other) : (other, one);
        var start = Math.Min(earlier.Span.StartNanoseconds, later.Span.StartNanoseconds);
        var tags = later.Span.Tags.Concat(earlier.Span.Tags.Where(t => !later.Span.Tags.Any(l => l.Name == t.Name)));
        return (later.Process, later.Span with
        {
            StartNanoseconds = start,
            DurationNanoseconds = EndOf(later.Span) - start,
            Tags = [.. tags],
            Links = [.. earlier.Span.Links.Union(later.Span.Links)],
        });
    }

    /// <summary>Nanoseconds since 1970, by the clock of the span's machine.</summary>
    public static long EndOf(SpanRecord span)
    {
        ArgumentNullException.ThrowIfNull(span);
        return span.StartNanoseconds + span.DurationNanoseconds;
    }

    /// <summary>Text of the span's tag; null when it has none of this name.</summary>
    public static string? TagOf(SpanRecord span, string name)
    {
        ArgumentNullException.ThrowIfNull(span);
        foreach (var tag in span.Tags)
            if (tag.Name == name) return tag.Text;
        return null;
    }
}
