using System.Buffers;
using System.Globalization;
using System.Numerics;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Cluster.Contracts;

namespace Cluster.Coordinator.Core;

/// <summary>A line of <c>commits.jsonl</c>.</summary>
/// <param name="Milliseconds">Time since the previous commit; for people, not part of the decision.</param>
public sealed record CommitLine(CommitRecord Record, double Milliseconds);

/// <summary>What a commit log holds.</summary>
/// <param name="ValidBytes">Length of the whole lines: cut the file to it before appending.</param>
/// <param name="CutBytes">Bytes of a last line without its newline; such a step was never committed. 0 when the file ends well.</param>
public sealed record CommitLogContent(IReadOnlyList<CommitLine> Lines, long ValidBytes, long CutBytes);

/// <summary>A line of a commit log is damaged, or does not follow the one before.</summary>
public sealed class CommitLogException : ClusterException
{
    public CommitLogException(int line, string reason) : base($"commits.jsonl, line {line}: {reason}") => (Line, Reason) = (line, reason);
    public CommitLogException(int line, string reason, Exception inner) : base($"commits.jsonl, line {line}: {reason}", inner) => (Line, Reason) = (line, reason);
    public CommitLogException(string message) : base(message) { }
    public CommitLogException(string message, Exception inner) : base(message, inner) { }
    public CommitLogException() { }

    /// <summary>From 1.</summary>
    public int Line { get; }

    /// <summary>The message without the place; its subject is the line.</summary>
    public string Reason { get; } = "";
}

/// <summary>
/// Codec of the commit log: one JSON object per line and step. The line ends with <c>,"crc":"xxxxxxxx"}</c>: CRC-32C
/// (RFC 3720, appendix B.4) of all its bytes before that. Doubles are written in the shortest form that reads back to
/// the same bits; NaN and infinities as strings. Pure: it neither opens nor writes files.
/// </summary>
public static class CommitLog
{
    private static readonly JsonWriterOptions WriterOptions = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
    private static readonly byte[] CrcKey = ",\"crc\":\""u8.ToArray();
    private const int CrcDigits = 8;

    /// <summary>The line of <paramref name="record"/>, newline included.</summary>
    /// <param name="milliseconds">Time since the previous commit.</param>
    public static byte[] Write(CommitRecord record, double milliseconds)
    {
        ArgumentNullException.ThrowIfNull(record);
        var buffer = new ArrayBufferWriter<byte>(512);
        using (var json = new Utf8JsonWriter(buffer, WriterOptions))
        {
            json.WriteStartObject();
            json.WriteNumber("step", record.Step.Value);
            json.WriteNumber("attempt", record.Attempt);
            json.WriteNumber("term", record.Term.Value);
            json.WriteNumber("epoch", record.Epoch);
            json.WriteNumber("samples", record.Samples);
            WriteDouble(json, "loss", record.Loss);
            WriteDouble(json, "accuracy", record.Accuracy);
            WriteDouble(json, "grad_norm", record.GradNorm);
            WriteDouble(json, "scale", record.Scale);
            WriteDouble(json, "lr", record.LearningRate);
            json.WriteBoolean("applied", record.Applied);
            json.WriteNumber("workers", record.Leaves.Select(static l => l.Worker).Distinct().Count());
            json.WriteStartArray("leaves");
            foreach (var leaf in record.Leaves)
            {
                json.WriteStartObject();
                json.WriteNumber("worker", leaf.Worker.Index);
                json.WriteNumber("samples", leaf.Samples);
                json.WriteString("digest", leaf.Digest.ToString("x16", CultureInfo.InvariantCulture));
                json.WriteEndObject();
            }
            json.WriteEndArray();
            if (record.Quarantined is { Count: > 0 } quarantined)
            {
                json.WriteStartArray("quarantined");
                foreach (var worker in quarantined) json.WriteNumberValue(worker.Index);
                json.WriteEndArray();
            }
            WriteOptional(json, record);
            WriteDouble(json, "ms", milliseconds);
            json.WriteEndObject();
        }
        var body = buffer.WrittenSpan[..^1]; // the closing brace comes after the checksum
        return [.. body, .. CrcKey, .. CrcText(body), .. "\"}\n"u8];
    }

    /// <summary>Reads a whole log.</summary>
    /// <param name="file">The file's bytes.</param>
    /// <exception cref="CommitLogException">A whole line is damaged, a step is missing or twice, or a term falls.</exception>
    public static CommitLogContent Read(ReadOnlySpan<byte> file)
    {
        var lines = new List<CommitLine>();
        var start = 0;
        while (start < file.Length)
        {
            var length = file[start..].IndexOf((byte)'\n');
            if (length < 0) break;
            var line = ReadLine(file.Slice(start, length), lines.Count + 1);
            CheckOrder(lines, line);
            lines.Add(line);
            start += length + 1;
        }
        return new CommitLogContent(lines, start, file.Length - start);
    }

    /// <summary>Workers that these records name as quarantined, each with the step that did first.</summary>
    public static IReadOnlyDictionary<WorkerId, StepId> QuarantinedIn(IEnumerable<CommitRecord> records) => records
        .SelectMany(static r => (r.Quarantined ?? []).Select(w => (Worker: w, r.Step)))
        .GroupBy(static q => q.Worker).ToDictionary(static g => g.Key, static g => g.Min(static q => q.Step));

    private static void CheckOrder(List<CommitLine> lines, CommitLine line)
    {
        var record = line.Record;
        var expected = lines.Count == 0 ? new StepId(1) : lines[^1].Record.Step.Next();
        if (record.Step != expected) throw new CommitLogException(lines.Count + 1, $"step {record.Step} where step {expected} belongs");
        if (lines.Count > 0 && record.Term < lines[^1].Record.Term)
            throw new CommitLogException(lines.Count + 1, $"term {record.Term} after term {lines[^1].Record.Term}: terms never fall");
    }

    /// <summary>Reads one line, newline not included.</summary>
    /// <exception cref="CommitLogException">The line is damaged; <paramref name="number"/> (from 1) is named.</exception>
    public static CommitLine ReadLine(ReadOnlySpan<byte> line, int number)
    {
        var bodyLength = line.Length - CrcKey.Length - CrcDigits - 2;
        if (bodyLength < 1 || !line.Slice(bodyLength, CrcKey.Length).SequenceEqual(CrcKey) || !line.EndsWith("\"}"u8))
            throw new CommitLogException(number, "does not end with its checksum");
        // Compared as text: an upper-case digit is not what Write wrote, hence damage too.
        var written = line.Slice(bodyLength + CrcKey.Length, CrcDigits);
        var actual = CrcText(line[..bodyLength]);
        if (!written.SequenceEqual(actual))
            throw new CommitLogException(number, $"says checksum '{Encoding.ASCII.GetString(written)}' but its bytes have {Encoding.ASCII.GetString(actual)}: the line is damaged");
        try
        {
            using var json = JsonDocument.Parse(line.ToArray());
            return Parse(json.RootElement);
        }
        catch (Exception e) when (e is JsonException or FormatException or InvalidOperationException or KeyNotFoundException or OverflowException)
        {
            throw new CommitLogException(number, $"is not a commit record: {e.Message}", e);
        }
    }

    private static CommitLine Parse(JsonElement json)
    {
        var leaves = new List<LeafRecord>();
        foreach (var leaf in json.GetProperty("leaves").EnumerateArray())
        {
            leaves.Add(new LeafRecord(
                new WorkerId(leaf.GetProperty("worker").GetInt32()),
                leaf.GetProperty("samples").GetInt32(),
                ulong.Parse(leaf.GetProperty("digest").GetString() ?? "", NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture)));
        }
        var record = new CommitRecord(
            new Term(json.GetProperty("term").GetInt64()),
            new StepId(json.GetProperty("step").GetInt64()),
            json.GetProperty("attempt").GetInt32(),
            json.GetProperty("epoch").GetInt64(),
            json.GetProperty("samples").GetInt32(),
            ReadDouble(json, "loss"),
            ReadDouble(json, "accuracy"),
            ReadDouble(json, "grad_norm"),
            ReadDouble(json, "scale"),
            ReadDouble(json, "lr"),
            json.GetProperty("applied").GetBoolean(),
            leaves,
            json.TryGetProperty("quarantined", out var quarantined) ? [.. quarantined.EnumerateArray().Select(static w => new WorkerId(w.GetInt32()))] : null,
            json.TryGetProperty("tensor_scales", out var scales) ? [.. scales.EnumerateArray().Select(static s => s.GetDouble())] : null,
            json.TryGetProperty("evaluation", out var evaluation) ? ReadEvaluation(evaluation) : null,
            json.TryGetProperty("left_out", out var leftOut) ? [.. leftOut.EnumerateArray().Select(static s => s.GetInt32())] : null);
        var workers = record.Leaves.Select(static l => l.Worker).Distinct().Count();
        if (json.GetProperty("workers").GetInt32() != workers) throw new FormatException($"it says {json.GetProperty("workers")} workers, its leaves name {workers}");
        return new CommitLine(record, ReadDouble(json, "ms"));
    }

    /// <summary>What only some rules and schedules have.</summary>
    private static void WriteOptional(Utf8JsonWriter json, CommitRecord record)
    {
        if (record.TensorScales is { } scales)
        {
            json.WriteStartArray("tensor_scales");
            foreach (var scale in scales) json.WriteNumberValue(scale);
            json.WriteEndArray();
        }
        if (record.LeftOut is { Count: > 0 } leftOut)
        {
            json.WriteStartArray("left_out");
            foreach (var sample in leftOut) json.WriteNumberValue(sample);
            json.WriteEndArray();
        }
        if (record.Evaluation is not { } evaluation) return;
        json.WriteStartObject("evaluation");
        json.WriteNumber("version", evaluation.Version.Value);
        WriteDouble(json, "loss", evaluation.Loss);
        WriteDouble(json, "accuracy", evaluation.Accuracy);
        json.WriteEndObject();
    }

    private static EvaluationNote ReadEvaluation(JsonElement json) =>
        new(new WeightsVersion(json.GetProperty("version").GetInt64()), ReadDouble(json, "loss"), ReadDouble(json, "accuracy"));

    private static void WriteDouble(Utf8JsonWriter json, string name, double value)
    {
        if (double.IsFinite(value)) json.WriteNumber(name, value);
        else json.WriteString(name, value.ToString(CultureInfo.InvariantCulture));
    }

    private static double ReadDouble(JsonElement json, string name)
    {
        var value = json.GetProperty(name);
        return value.ValueKind != JsonValueKind.String ? value.GetDouble() : value.GetString() switch
        {
            "NaN" => double.NaN,
            "Infinity" => double.PositiveInfinity,
            "-Infinity" => double.NegativeInfinity,
            var other => throw new FormatException($"{name} is '{other}'"),
        };
    }

    private static byte[] CrcText(ReadOnlySpan<byte> body) => Encoding.ASCII.GetBytes(Crc32C(body).ToString("x8", CultureInfo.InvariantCulture));

    /// <summary>CRC-32C (Castagnoli), initial and final value all ones.</summary>
    internal static uint Crc32C(ReadOnlySpan<byte> bytes)
    {
        var crc = uint.MaxValue;
        while (bytes.Length >= sizeof(ulong))
        {
            crc = BitOperations.Crc32C(crc, System.Buffers.Binary.BinaryPrimitives.ReadUInt64LittleEndian(bytes));
            bytes = bytes[sizeof(ulong)..];
        }
        foreach (var b in bytes) crc = BitOperations.Crc32C(crc, b);
        return ~crc;
    }
}
