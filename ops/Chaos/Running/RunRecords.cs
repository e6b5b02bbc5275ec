using System.Text.Json;

namespace Cluster.Chaos;

/// <summary>What a report needs of a line of commits.jsonl.</summary>
/// <param name="Milliseconds">Since the record before it, of the process that wrote it.</param>
public sealed record CommitRow(long Step, int Attempt, long Term, int Samples, double Loss, double Accuracy, double Milliseconds)
{
    /// <summary>K, the leaves that the step was cut into.</summary>
    public int Leaves { get; init; }

    /// <summary>The result's part of the line: two runs agree in these texts to the bit, whoever computed them.</summary>
    public string Result { get; init; } = "";

    /// <returns>Null for what is no record: the rest of a torn line.</returns>
    public static CommitRow? Parse(ReadOnlySpan<byte> line)
    {
        try
        {
            var reader = new Utf8JsonReader(line);
            using var json = JsonDocument.ParseValue(ref reader);
            var root = json.RootElement;
            string Text(string name) => root.GetProperty(name).GetRawText();
            return new CommitRow(
                root.GetProperty("step").GetInt64(), root.GetProperty("attempt").GetInt32(), root.GetProperty("term").GetInt64(), root.GetProperty("samples").GetInt32(),
                Number(root.GetProperty("loss")), Number(root.GetProperty("accuracy")), Number(root.GetProperty("ms")))
            {
                Leaves = root.TryGetProperty("leaves", out var leaves) && leaves.ValueKind == JsonValueKind.Array ? leaves.GetArrayLength() : 0,
                Result = $"{Text("loss")} {Text("accuracy")} {Text("grad_norm")} {Text("scale")} {Text("lr")} {Text("applied")}",
            };
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException or FormatException)
        {
            return null;
        }
    }

    /// <summary>A number, or NaN: JSON has neither it nor infinities.</summary>
    private static double Number(JsonElement value) => value.ValueKind == JsonValueKind.Number ? value.GetDouble() : double.NaN;
}

/// <summary>A line of events.jsonl.</summary>
public sealed record EventRow(DateTimeOffset Time, string Kind, string Node, string Phase, string Sentence)
{
    /// <returns>Null for a torn line.</returns>
    public static EventRow? Parse(string line)
    {
        try
        {
            using var json = JsonDocument.Parse(line);
            var root = json.RootElement;
            string Text(string name) => root.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString()! : "";
            return new EventRow(root.GetProperty("time").GetDateTimeOffset(), Text("kind"), Text("node"), Text("phase"), Text("sentence"));
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException or FormatException)
        {
            return null;
        }
    }
}

/// <summary>What a run left in its folder.</summary>
/// <param name="Hash">Of summary.json; null when the run did not finish.</param>
/// <param name="Events">By time.</param>
/// <param name="Config">Text of config.yaml.</param>
public sealed record RunRecords(string? Hash, IReadOnlyList<CommitRow> Commits, IReadOnlyList<EventRow> Events, string Config)
{
    /// <exception cref="IOException">A file is there and cannot be read.</exception>
    public static RunRecords Read(string folder)
    {
        var commits = Path.Combine(folder, "commits.jsonl");
        return new RunRecords(
            HashOf(folder),
            File.Exists(commits) ? [.. File.ReadLines(commits).Select(static line => CommitRow.Parse(System.Text.Encoding.UTF8.GetBytes(line))).OfType<CommitRow>()] : [],
            EventsOf(folder),
            Text(Path.Combine(folder, "config.yaml")));
    }

    /// <summary>The events so far, also of a run that goes on.</summary>
    public static IReadOnlyList<EventRow> EventsOf(string folder) =>
        [.. Text(Path.Combine(folder, "events.jsonl")).Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(EventRow.Parse).OfType<EventRow>().OrderBy(static e => e.Time)];

    private static string? HashOf(string folder)
    {
        try
        {
            using var json = JsonDocument.Parse(Text(Path.Combine(folder, "summary.json")));
            return json.RootElement.GetProperty("state_sha256").GetString();
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException)
        {
            return null;
        }
    }

    private static string Text(string path)
    {
        if (!File.Exists(path)) return "";
        using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        return new StreamReader(stream).ReadToEnd();
    }
}
