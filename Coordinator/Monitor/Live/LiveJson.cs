using System.Buffers;
using System.Text.Json;

namespace Cluster.Coordinator.Monitor.Live;

/// <summary>What a message to the page is made from.</summary>
/// <param name="Elapsed">Since this process began to watch.</param>
internal sealed record LiveView(
    LiveFacts Facts, LiveProgress Progress, RunCurves Curves, NodeTable Nodes, EventFeed Feed, IReadOnlyList<long> Traced, DateTimeOffset Now, TimeSpan Elapsed);

/// <summary>
/// The page's messages. Whole ones and those with news have one form: a curve's points replace what the page has from
/// their index on, and events are those behind the last one sent.
/// </summary>
internal static class LiveJson
{
    /// <summary>Steps that the page draws as waterfalls, and some to step back to.</summary>
    private const int MaxTraced = 24;

    /// <param name="sentEvents">Number of the last event that is known; null = tell everything.</param>
    public static byte[] Write(LiveView view, long? sentEvents)
    {
        var buffer = new ArrayBufferWriter<byte>(sentEvents is null ? 65_536 : 4_096);
        using var json = new Utf8JsonWriter(buffer);
        json.WriteStartObject();
        if (sentEvents is null) WriteFacts(json, view.Facts);
        WriteProgress(json, view);
        json.WriteStartObject("curves");
        foreach (var (name, curve) in view.Curves.All) WriteCurve(json, name, curve, isWhole: sentEvents is null);
        json.WriteEndObject();
        json.WriteStartArray("nodes");
        foreach (var row in view.Nodes.Rows) WriteRow(json, row, view);
        json.WriteEndArray();
        WriteLines(json, "events", view.Feed.Lines.Where(l => l.Number > (sentEvents ?? 0)));
        WriteLines(json, "marks", view.Feed.Marks.Where(l => l.Number > (sentEvents ?? 0)));
        json.WriteStartArray("traced");
        foreach (var step in view.Traced.TakeLast(MaxTraced)) json.WriteNumberValue(step);
        json.WriteEndArray();
        json.WriteEndObject();
        json.Flush();
        return buffer.WrittenSpan.ToArray();
    }

    private static void WriteFacts(Utf8JsonWriter json, LiveFacts facts)
    {
        json.WriteStartObject("run");
        json.WriteString("id", facts.RunId);
        json.WriteString("folder", facts.Folder);
        json.WriteString("description", facts.Description);
        json.WriteNumber("totalSteps", facts.TotalSteps);
        json.WriteNumber("samples", facts.Samples);
        json.WriteNumber("batch", facts.Batch);
        json.WriteEndObject();
    }

    private static void WriteProgress(Utf8JsonWriter json, LiveView view)
    {
        var progress = view.Progress;
        json.WriteString("state", Word(progress.State));
        json.WriteNumber("step", progress.Last);
        json.WriteNumber("open", progress.Open);
        json.WriteNumber("epoch", progress.Epoch);
        json.WriteNumber("attempt", progress.Attempt);
        json.WriteNumber("term", progress.Term);
        Number(json, "imagesPerSecond", progress.ImagesPerSecond);
        Number(json, "stepSeconds", progress.StepSeconds);
        json.WriteNumber("elapsed", Math.Round(view.Elapsed.TotalSeconds, 1));
        json.WriteNumber("now", view.Now.ToUnixTimeMilliseconds());
        json.WriteNumber("sinceCommit", Math.Round(Math.Max(0, (view.Now - progress.At).TotalSeconds), 1));
        if (progress.Reason is { } reason) json.WriteString("reason", reason);
        if (progress.StateSha256 is { } hash) json.WriteString("sha256", hash);
    }

    private static void WriteCurve(Utf8JsonWriter json, string name, Curve curve, bool isWhole)
    {
        var from = isWhole ? 0 : curve.ChangedFrom;
        if (!isWhole && from == curve.Count) return;
        json.WriteStartObject(name);
        json.WriteNumber("from", from);
        // [step, mean] of a single point, [step, mean, min, max] of several.
        json.WriteStartArray("points");
        for (var i = from; i < curve.Count; i++)
        {
            var point = curve[i];
            json.WriteStartArray();
            json.WriteNumberValue(point.Step);
            json.WriteNumberValue((float)point.Mean);
            if (point.Min < point.Max)
            {
                json.WriteNumberValue((float)point.Min);
                json.WriteNumberValue((float)point.Max);
            }
            json.WriteEndArray();
        }
        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void WriteRow(Utf8JsonWriter json, NodeRow row, LiveView view)
    {
        json.WriteStartObject();
        json.WriteString("name", row.Name);
        json.WriteString("state", Word(row.State));
        if (row.Share is { } share) Number(json, "share", share);
        if (row.Speed is { } speed) Number(json, "speed", speed);
        if (row is { IsWorker: true, LastStep: > 0 }) json.WriteNumber("lag", Math.Max(0, view.Progress.Last - row.LastStep));
        if (row.Memory is { } memory) Number(json, "memory", memory);
        if (row.HeardAt is { } heard) json.WriteNumber("heard", Math.Round(Math.Max(0, (view.Now - heard).TotalSeconds), 1));
        json.WriteEndObject();
    }

    private static void WriteLines(Utf8JsonWriter json, string name, IEnumerable<FeedLine> lines)
    {
        json.WriteStartArray(name);
        foreach (var line in lines)
        {
            json.WriteStartObject();
            json.WriteNumber("number", line.Number);
            json.WriteNumber("time", line.Event.At.ToUnixTimeMilliseconds());
            json.WriteString("kind", line.Event.Kind);
            json.WriteString("node", line.Event.Node);
            json.WriteString("phase", line.Event.Phase);
            json.WriteString("sentence", line.Event.Sentence);
            json.WriteNumber("step", line.Step);
            json.WriteEndObject();
        }
        json.WriteEndArray();
    }

    /// <summary>Seven digits are more than a chart shows; JSON has no word for what is no number.</summary>
    private static void Number(Utf8JsonWriter json, string name, double value)
    {
        if (float.IsFinite((float)value)) json.WriteNumber(name, (float)value);
    }

    private static string Word(LiveState state) => state switch
    {
        LiveState.Starting => "starting",
        LiveState.Running => "running",
        LiveState.Finished => "finished",
        LiveState.Stopped => "stopped",
        _ => "failed",
    };

    private static string Word(NodeState state) => state switch
    {
        NodeState.Waiting => "waiting",
        NodeState.Working => "working",
        NodeState.Late => "late",
        NodeState.Stuck => "stuck",
        NodeState.Lost => "lost",
        NodeState.Left => "left",
        _ => "quarantined",
    };
}
