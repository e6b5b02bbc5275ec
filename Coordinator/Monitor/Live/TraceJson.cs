using System.Buffers;
using System.Text.Json;
using Cluster.Contracts;

namespace Cluster.Coordinator.Monitor.Live;

/// <summary>One step's trace for the page: times in microseconds since its first span began, a track per node.</summary>
internal static class TraceJson
{
    public static byte[] Write(long step, IReadOnlyList<(string Process, SpanRecord Span)> spans)
    {
        var buffer = new ArrayBufferWriter<byte>(16_384);
        using var json = new Utf8JsonWriter(buffer);
        var byId = new Dictionary<ulong, (string Process, SpanRecord Span)>();
        foreach (var span in spans) byId.TryAdd(span.Span.SpanId, span);
        var roots = spans.Where(static s => s.Span.ParentId == 0).Select(static s => s.Span.StartNanoseconds).ToArray();
        var start = roots.Length > 0 ? roots.Min() : spans.Count > 0 ? spans.Min(static s => s.Span.StartNanoseconds) : 0;
        json.WriteStartObject();
        json.WriteNumber("step", step);
        if (spans.Count > 0)
            json.WriteString("trace", spans[0].Span.TraceIdHigh.ToString("x16") + spans[0].Span.TraceIdLow.ToString("x16"));
        json.WriteStartArray("spans");
        foreach (var (process, span) in byId.Values.OrderBy(static s => s.Span.StartNanoseconds).ThenByDescending(static s => s.Span.DurationNanoseconds))
        {
            json.WriteStartObject();
            json.WriteString("track", TrackOf(process, span, byId));
            json.WriteString("name", span.Name);
            json.WriteString("id", span.SpanId.ToString("x16"));
            if (span.ParentId != 0) json.WriteString("parent", span.ParentId.ToString("x16"));
            json.WriteNumber("at", (span.StartNanoseconds - start) / 1000);
            json.WriteNumber("took", span.DurationNanoseconds / 1000);
            if (span.Error is { } error) json.WriteString("error", error);
            if (span.Links.Count > 0) json.WriteNumber("links", span.Links.Count);
            json.WriteStartObject("tags");
            foreach (var tag in span.Tags) json.WriteString(tag.Name, tag.Text);
            json.WriteEndObject();
            json.WriteEndObject();
        }
        json.WriteEndArray();
        json.WriteEndObject();
        json.Flush();
        return buffer.WrittenSpan.ToArray();
    }

    /// <summary>Whose work a span is: what its tags say, else its process; in a run of one process what is said above it.</summary>
    private static string TrackOf(string process, SpanRecord span, Dictionary<ulong, (string Process, SpanRecord Span)> byId)
    {
        for (var depth = 0; depth < 8; depth++)
        {
            foreach (var tag in span.Tags)
                if (tag.Name is ClusterTelemetry.Tags.Worker or ClusterTelemetry.Tags.Shard) return tag.Text;
            if (process != "local") return process;
            if (!byId.TryGetValue(span.ParentId, out var parent)) break;
            (process, span) = parent;
        }
        return "coordinator";
    }
}
