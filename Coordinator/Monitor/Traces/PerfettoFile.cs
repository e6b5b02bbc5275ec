using System.Text.Json;
using Cluster.Contracts;

namespace Cluster.Coordinator.Monitor.Traces;

/// <summary>
/// Traces as Chrome trace-event JSON, which ui.perfetto.dev and chrome://tracing open: one track per worker and shard
/// (another one where two spans of a track overlap without one holding the other), an arrow per link. Format:
/// "Trace Event Format", Google, 2016.
/// </summary>
public static class PerfettoFile
{
    private const int Process = 1;

    /// <param name="output">Not closed.</param>
    /// <param name="name">Of the run.</param>
    public static void Write(Stream output, string name, IReadOnlyList<Timeline> timelines)
    {
        ArgumentNullException.ThrowIfNull(timelines);
        using var json = new Utf8JsonWriter(output);
        json.WriteStartObject();
        json.WriteString("displayTimeUnit"u8, "ms");
        json.WriteStartArray("traceEvents"u8);
        Meta(json, "process_name", Process, 0, name);
        var begin = timelines.Count == 0 ? 0 : timelines.Min(static t => t.Rows.Min(static r => r.Span.StartNanoseconds));
        var rows = timelines.SelectMany(static t => t.Rows).ToArray();
        var places = new Dictionary<ulong, (int Lane, SpanRecord Span)>();
        var lane = 0;
        foreach (var track in timelines.SelectMany(static t => t.Tracks).Distinct(StringComparer.Ordinal))
        {
            var ends = new List<Stack<long>>();
            var first = lane + 1;
            foreach (var row in rows.Where(r => r.Track == track).OrderBy(static r => r.Span.StartNanoseconds).ThenByDescending(static r => r.Duration))
            {
                var index = LaneFor(ends, row.Span.StartNanoseconds, row.Span.StartNanoseconds + row.Duration);
                places.TryAdd(row.Span.SpanId, (first + index, row.Span));
                Slice(json, row, first + index, begin);
            }
            for (var i = 0; i < ends.Count; i++) Meta(json, "thread_name", first + i, first + i, i == 0 ? track : $"{track} ({i + 1})");
            lane += ends.Count;
        }
        Arrows(json, rows, places, begin);
        json.WriteEndArray();
        json.WriteEndObject();
    }

    /// <summary>The first lane where the span lies inside of what is open, or behind it.</summary>
    private static int LaneFor(List<Stack<long>> lanes, long start, long end)
    {
        for (var i = 0; i < lanes.Count; i++)
        {
            while (lanes[i].TryPeek(out var open) && open <= start) lanes[i].Pop();
            if (lanes[i].TryPeek(out var around) && around < end) continue;
            lanes[i].Push(end);
            return i;
        }
        lanes.Add(new Stack<long>([end]));
        return lanes.Count - 1;
    }

    private static void Slice(Utf8JsonWriter json, TimelineRow row, int lane, long begin)
    {
        Begin(json, "X", row.Span.Name, lane, row.Span.StartNanoseconds - begin);
        json.WriteNumber("dur"u8, row.Duration / 1e3);
        json.WriteStartObject("args"u8);
        foreach (var tag in row.Span.Tags) json.WriteString(tag.Name, tag.Text);
        json.WriteString("span"u8, row.Span.SpanId.ToString("x16", System.Globalization.CultureInfo.InvariantCulture));
        if (row.CriticalNanoseconds > 0) json.WriteNumber("critical_ms"u8, row.CriticalNanoseconds / 1e6);
        if (row.Span.Error is { } error) json.WriteString("error"u8, error);
        json.WriteEndObject();
        json.WriteEndObject();
    }

    private static void Arrows(Utf8JsonWriter json, TimelineRow[] rows, Dictionary<ulong, (int Lane, SpanRecord Span)> places, long begin)
    {
        var id = 0;
        foreach (var row in rows)
        {
            if (!places.TryGetValue(row.Span.SpanId, out var target)) continue;
            foreach (var link in row.Span.Links)
            {
                if (!places.TryGetValue(link.SpanId, out var source)) continue;
                id++;
                // Both ends lie within their slices: that is how an arrow finds them.
                Begin(json, "s", "link", source.Lane, source.Span.StartNanoseconds + source.Span.DurationNanoseconds / 2 - begin);
                json.WriteNumber("id"u8, id);
                json.WriteEndObject();
                Begin(json, "f", "link", target.Lane, Math.Max(row.Span.StartNanoseconds + row.Duration / 2, source.Span.StartNanoseconds + source.Span.DurationNanoseconds / 2) - begin);
                json.WriteNumber("id"u8, id);
                json.WriteString("bp"u8, "e");
                json.WriteEndObject();
            }
        }
    }

    private static void Begin(Utf8JsonWriter json, string phase, string name, int lane, long nanoseconds)
    {
        json.WriteStartObject();
        json.WriteString("ph"u8, phase);
        json.WriteString("cat"u8, "step");
        json.WriteString("name"u8, name);
        json.WriteNumber("pid"u8, Process);
        json.WriteNumber("tid"u8, lane);
        json.WriteNumber("ts"u8, nanoseconds / 1e3);
    }

    private static void Meta(Utf8JsonWriter json, string what, int lane, int order, string name)
    {
        json.WriteStartObject();
        json.WriteString("ph"u8, "M");
        json.WriteString("name"u8, what);
        json.WriteNumber("pid"u8, Process);
        json.WriteNumber("tid"u8, lane);
        json.WriteStartObject("args"u8);
        json.WriteString("name"u8, name);
        json.WriteEndObject();
        json.WriteEndObject();
        if (what != "thread_name") return;
        json.WriteStartObject();
        json.WriteString("ph"u8, "M");
        json.WriteString("name"u8, "thread_sort_index");
        json.WriteNumber("pid"u8, Process);
        json.WriteNumber("tid"u8, lane);
        json.WriteStartObject("args"u8);
        json.WriteNumber("sort_index"u8, order);
        json.WriteEndObject();
        json.WriteEndObject();
    }
}
