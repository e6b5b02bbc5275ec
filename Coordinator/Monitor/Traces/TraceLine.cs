using System.Buffers;
using System.Collections.Concurrent;
using System.Globalization;
using System.Text.Json;
using Cluster.Contracts;

namespace Cluster.Coordinator.Monitor.Traces;

/// <summary>What a line of traces.jsonl says: spans of one trace that one process told of together.</summary>
/// <param name="Dropped">Spans that the process has thrown away since its start; a line of its own, without spans.</param>
public sealed record TraceLine(string Process, ulong TraceIdHigh, ulong TraceIdLow, IReadOnlyList<SpanRecord> Spans, long Dropped = 0)
{
    private static readonly JsonWriterOptions Compact = new() { SkipValidation = true };

    [ThreadStatic]
    private static Utf8JsonWriter? writer;

    /// <summary>Writes the line, newline included.</summary>
    public static void Write(IBufferWriter<byte> output, string process, IReadOnlyList<SpanRecord> spans)
    {
        ArgumentNullException.ThrowIfNull(output);
        ArgumentNullException.ThrowIfNull(spans);
        Span<byte> hex = stackalloc byte[32];
        var json = writer ??= new Utf8JsonWriter(output, Compact);
        json.Reset(output);
        json.WriteStartObject();
        json.WriteString(Words.Trace, Hex(spans[0].TraceIdHigh, spans[0].TraceIdLow, hex));
        json.WriteString(Words.Process, process);
        json.WriteStartArray(Words.Spans);
        for (var i = 0; i < spans.Count; i++) Write(json, spans[i], hex);
        json.WriteEndArray();
        json.WriteEndObject();
        json.Flush();
        output.Write("\n"u8);
    }

    /// <summary>Says how many spans a process has thrown away.</summary>
    public static void WriteDropped(IBufferWriter<byte> output, string process, long dropped)
    {
        using (var json = new Utf8JsonWriter(output, Compact))
        {
            json.WriteStartObject();
            json.WriteString("process"u8, process);
            json.WriteNumber("dropped"u8, dropped);
            json.WriteEndObject();
        }
        output.Write("\n"u8);
    }

    private static void Write(Utf8JsonWriter json, SpanRecord span, Span<byte> hex)
    {
        json.WriteStartObject();
        json.WriteString(Words.Id, Hex(span.SpanId, hex));
        if (span.ParentId != 0) json.WriteString(Words.Parent, Hex(span.ParentId, hex));
        json.WriteString(Words.Name, Words.Of(span.Name));
        json.WriteNumber(Words.Start, span.StartNanoseconds);
        json.WriteNumber(Words.Nanoseconds, span.DurationNanoseconds);
        WriteTags(json, span.Tags);
        if (span.Links.Count > 0)
        {
            json.WriteStartArray(Words.Links);
            foreach (var link in span.Links)
            {
                json.WriteStartObject();
                if (link.TraceIdHigh != span.TraceIdHigh || link.TraceIdLow != span.TraceIdLow) json.WriteString(Words.Trace, Hex(link.TraceIdHigh, link.TraceIdLow, hex));
                json.WriteString(Words.Id, Hex(link.SpanId, hex));
                WriteTags(json, link.Tags);
                json.WriteEndObject();
            }
            json.WriteEndArray();
        }
        if (span.Error is { } error) json.WriteString(Words.Error, error);
        json.WriteEndObject();
    }

    private static void WriteTags(Utf8JsonWriter json, IReadOnlyList<SpanTag> tags)
    {
        if (tags.Count == 0) return;
        json.WriteStartObject(Words.Tags);
        for (var i = 0; i < tags.Count; i++) json.WriteString(Words.Of(tags[i].Name), tags[i].Text);
        json.WriteEndObject();
    }

    /// <summary>What stands in every line, escaped once: a run of small steps writes thousands of spans a second.</summary>
    private static class Words
    {
        /// <summary>Names of spans and tags are the program's; what peers make up is escaped each time.</summary>
        private const int MostNames = 256;

        public static readonly JsonEncodedText Trace = JsonEncodedText.Encode("trace"), Process = JsonEncodedText.Encode("process"), Spans = JsonEncodedText.Encode("spans"),
            Id = JsonEncodedText.Encode("id"), Parent = JsonEncodedText.Encode("parent"), Name = JsonEncodedText.Encode("name"), Start = JsonEncodedText.Encode("start"),
            Nanoseconds = JsonEncodedText.Encode("ns"), Tags = JsonEncodedText.Encode("tags"), Links = JsonEncodedText.Encode("links"), Error = JsonEncodedText.Encode("error");

        private static readonly ConcurrentDictionary<string, JsonEncodedText> Names = new(StringComparer.Ordinal);

        public static JsonEncodedText Of(string name)
        {
            if (Names.TryGetValue(name, out var known)) return known;
            var encoded = JsonEncodedText.Encode(name);
            if (Names.Count < MostNames) Names[name] = encoded;
            return encoded;
        }
    }

    private static ReadOnlySpan<byte> Hex(ulong high, ulong low, Span<byte> buffer)
    {
        high.TryFormat(buffer, out _, "x16", CultureInfo.InvariantCulture);
        low.TryFormat(buffer[16..], out _, "x16", CultureInfo.InvariantCulture);
        return buffer;
    }

    private static ReadOnlySpan<byte> Hex(ulong number, Span<byte> buffer)
    {
        number.TryFormat(buffer, out var length, "x16", CultureInfo.InvariantCulture);
        return buffer[..length];
    }

    /// <param name="line">Without its newline.</param>
    /// <returns>Null when it is damaged.</returns>
    public static TraceLine? Read(ReadOnlyMemory<byte> line)
    {
        try
        {
            using var json = JsonDocument.Parse(line);
            var root = json.RootElement;
            var process = root.GetProperty("process"u8).GetString()!;
            if (root.TryGetProperty("dropped"u8, out var dropped)) return new TraceLine(process, 0, 0, [], dropped.GetInt64());
            var (high, low) = Trace(root.GetProperty("trace"u8));
            return new TraceLine(process, high, low, [.. root.GetProperty("spans"u8).EnumerateArray().Select(span => ReadSpan(span, high, low))]);
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or FormatException or InvalidOperationException or OverflowException or ArgumentException)
        {
            return null;
        }
    }

    private static SpanRecord ReadSpan(JsonElement json, ulong high, ulong low)
    {
        var links = !json.TryGetProperty("links"u8, out var array) ? [] : array.EnumerateArray().Select(link =>
        {
            var (linkHigh, linkLow) = link.TryGetProperty("trace"u8, out var trace) ? Trace(trace) : (high, low);
            return new SpanLink(linkHigh, linkLow, Number(link.GetProperty("id"u8)), ReadTags(link));
        }).ToArray();
        return new SpanRecord(
            high, low, Number(json.GetProperty("id"u8)), json.TryGetProperty("parent"u8, out var parent) ? Number(parent) : 0,
            json.GetProperty("name"u8).GetString()!, json.GetProperty("start"u8).GetInt64(), json.GetProperty("ns"u8).GetInt64(),
            ReadTags(json), links, json.TryGetProperty("error"u8, out var error) ? error.GetString() : null);
    }

    private static SpanTag[] ReadTags(JsonElement json) =>
        json.TryGetProperty("tags"u8, out var tags) ? [.. tags.EnumerateObject().Select(static t => new SpanTag(t.Name, t.Value.GetString()!))] : [];

    private static (ulong, ulong) Trace(JsonElement json)
    {
        var text = json.GetString()!;
        return (ulong.Parse(text.AsSpan(0, 16), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture), ulong.Parse(text.AsSpan(16), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture));
    }

    private static ulong Number(JsonElement json) => ulong.Parse(json.GetString()!, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);
}
