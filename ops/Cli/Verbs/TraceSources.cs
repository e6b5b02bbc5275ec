using System.Globalization;
using System.Text;
using System.Text.Json;
using Cluster.Cli.Configuration;
using Cluster.Contracts;
using Cluster.Coordinator.Monitor.Traces;

namespace Cluster.Cli.Verbs;

/// <summary>The traces in a run's folder, found by step.</summary>
internal sealed class StoredTraces(string folder, string runId)
{
    private readonly TraceReader _reader = new(folder);

    public bool Exist => _reader.Exists;

    /// <summary>Lines that could not be read, so far.</summary>
    public int Damaged => _reader.Damaged;

    /// <summary>The oldest traces may have been dropped for want of room.</summary>
    public bool IsBounded => File.Exists(Path.Combine(folder, TraceFile.OlderName));

    /// <summary>Spans of one step, as they were told of.</summary>
    public IReadOnlyList<(string Process, SpanRecord Span)> Of(long step)
    {
        var id = StepTrace.IdOf(runId, new StepId(step)).ToHexString();
        return [.. _reader.Lines(text: Encoding.ASCII.GetBytes(id)).SelectMany(static line => line.Spans, static (line, span) => (line.Process, span)).Where(s => IsOf(s.span, step))];
    }

    private bool IsOf(SpanRecord span, long step)
    {
        var address = StepTrace.ContextOf(runId, new StepId(step));
        return (span.TraceIdHigh, span.TraceIdLow) == (address.TraceIdHigh, address.TraceIdLow);
    }

    /// <summary>The newest steps that have a root.</summary>
    public IReadOnlyList<Timeline> Last(int count)
    {
        var traces = All().Spans.GroupBy(static s => (s.Span.TraceIdHigh, s.Span.TraceIdLow)).Select(static g => Timeline.Of([.. g]));
        return [.. traces.Where(static t => t?.Root.Name == ClusterTelemetry.Spans.Step).Select(static t => t!).OrderBy(static t => t.Root.StartNanoseconds).TakeLast(count)];
    }

    /// <summary>Everything there is.</summary>
    public (IReadOnlyList<(string Process, SpanRecord Span)> Spans, IReadOnlyList<long> Steps, long Dropped) All()
    {
        var spans = new List<(string, SpanRecord)>();
        var steps = new HashSet<long>();
        var dropped = new Dictionary<string, long>(StringComparer.Ordinal);
        foreach (var line in _reader.Lines())
        {
            if (line.Dropped > 0) dropped[line.Process] = line.Dropped;
            foreach (var span in line.Spans)
            {
                spans.Add((line.Process, span));
                if (StepOf(span) is { } step) steps.Add(step);
            }
        }
        return (spans, [.. steps.Order()], dropped.Values.Sum());
    }

    /// <summary>In words: <c>steps 1 to 60</c>.</summary>
    public string StepsText()
    {
        var steps = new SortedSet<long>();
        foreach (var line in _reader.Lines(text: "\"name\":\"step\""u8.ToArray()))
            foreach (var span in line.Spans)
                if (StepOf(span) is { } step) steps.Add(step);
        return Ranges([.. steps]);
    }

    /// <summary>Of a root at the step's own address: a replay of it has another.</summary>
    private long? StepOf(SpanRecord span) =>
        span.ParentId == 0 && span.Name == ClusterTelemetry.Spans.Step
        && long.TryParse(SpanMerge.TagOf(span, ClusterTelemetry.Tags.Step), NumberStyles.None, CultureInfo.InvariantCulture, out var step) && IsOf(span, step) ? step : null;

    /// <param name="steps">In order.</param>
    internal static string Ranges(IReadOnlyList<long> steps)
    {
        if (steps.Count == 0) return "no step";
        var runs = new List<(long First, long Last)>();
        foreach (var step in steps)
        {
            if (runs.Count > 0 && runs[^1].Last == step - 1) runs[^1] = (runs[^1].First, step);
            else runs.Add((step, step));
        }
        const int Shown = 12;
        var text = string.Join(", ", runs.Take(Shown).Select(static r => r.First == r.Last ? Invariant($"{r.First}") : Invariant($"{r.First} to {r.Last}")));
        var word = steps.Count == 1 ? "step" : "steps";
        return runs.Count <= Shown ? $"{word} {text}" : Invariant($"{word} {text}, … up to {steps[^1]} ({steps.Count} in all)");

        static string Invariant(FormattableString text) => FormattableString.Invariant(text);
    }
}

/// <summary>Which processes events.jsonl says were killed, lost or over, and when.</summary>
internal static class ProcessEnds
{
    /// <param name="spans">What was told of: a process that was killed without a witness ended after its last span.</param>
    public static IReadOnlyList<ProcessEnd> Of(string folder, IReadOnlyList<(string Process, SpanRecord Span)> spans)
    {
        var ends = new List<ProcessEnd>();
        var path = Path.Combine(folder, RunFolder.EventsName);
        if (!File.Exists(path)) return ends;
        foreach (var line in File.ReadLines(path))
        {
            if (Read(line) is not var (kind, node, at)) continue;
            switch (kind)
            {
                case "process-ended" or "worker-lost" or "worker-left" or "shard-lost":
                    ends.Add(new ProcessEnd(node, at));
                    break;
                case "took-over" or "resumed":
                    // Nobody saw the end of the process before: it is that of its last word.
                    var last = spans.Where(s => s.Process is "local" or "coordinator" && SpanMerge.EndOf(s.Span) < Nanoseconds(at)).Select(static s => SpanMerge.EndOf(s.Span)).DefaultIfEmpty(Nanoseconds(at)).Max();
                    foreach (var name in (string[])["coordinator", "local"]) ends.Add(new ProcessEnd(name, DateTimeOffset.UnixEpoch.AddTicks(last / 100)));
                    break;
                case "finished" or "interrupted" or "failed" or "stopped-early":
                    ends.Add(new ProcessEnd(null, at));
                    break;
            }
        }
        return ends;
    }

    private static (string Kind, string? Node, DateTimeOffset At)? Read(string line)
    {
        try
        {
            using var json = JsonDocument.Parse(line);
            return (json.RootElement.GetProperty("kind").GetString()!, json.RootElement.GetProperty("node").GetString(), json.RootElement.GetProperty("time").GetDateTimeOffset());
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException or FormatException)
        {
            return null;
        }
    }

    private static long Nanoseconds(DateTimeOffset at) => (at.UtcDateTime - DateTime.UnixEpoch).Ticks * 100;
}
