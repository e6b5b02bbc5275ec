using System.Text.Json;

namespace Cluster.Cli.Tests.EndToEnd;

/// <summary>A line of events.jsonl.</summary>
internal sealed record RunEvent(DateTimeOffset Time, string Kind, string? Node, string? Phase, string Sentence);

/// <summary>Reads events.jsonl of a run, also while it is being written.</summary>
internal static class RunEvents
{
    /// <summary>Whole lines; a last one without its newline is still being written.</summary>
    public static IReadOnlyList<RunEvent> Of(string folder)
    {
        var path = Path.Combine(folder, "events.jsonl");
        if (!File.Exists(path)) return [];
        var text = File.ReadAllText(path);
        var whole = text[..(text.LastIndexOf('\n') + 1)];
        return [.. whole.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(Parse)];
    }

    /// <summary>The one event of this kind with these words.</summary>
    public static RunEvent Single(string folder, string kind, string sentence)
    {
        var found = All(folder, kind, sentence);
        Assert.True(found.Count == 1, $"{found.Count} events of kind {kind} with '{sentence}' among:\n{string.Join('\n', Of(folder))}");
        return found[0];
    }

    /// <summary>The first event of this kind with these words; on a machine that is starved others may follow.</summary>
    public static RunEvent First(string folder, string kind, string sentence)
    {
        var found = All(folder, kind, sentence);
        Assert.True(found.Count > 0, $"no event of kind {kind} with '{sentence}' among:\n{string.Join('\n', Of(folder))}");
        return found[0];
    }

    /// <summary>The first event of this kind with all of these words.</summary>
    public static RunEvent First(string folder, string kind, string sentence, string more)
    {
        var found = All(folder, kind, sentence).Where(e => e.Sentence.Contains(more, StringComparison.Ordinal)).ToArray();
        Assert.True(found.Length > 0, $"no event of kind {kind} with '{sentence}' and '{more}' among:\n{string.Join('\n', Of(folder))}");
        return found[0];
    }

    private static List<RunEvent> All(string folder, string kind, string sentence) =>
        [.. Of(folder).Where(e => e.Kind == kind && e.Sentence.Contains(sentence, StringComparison.Ordinal))];

    /// <summary>The process number of a node's newest process, by the supervisor's word; null before it has said so.</summary>
    public static int? ProcessOf(string folder, string node) =>
        Of(folder).LastOrDefault(e => e.Kind == "process-started" && e.Node == node) is { } started ? int.Parse(started.Sentence.Split(' ')[^1].TrimEnd('.')) : null;

    private static RunEvent Parse(string line)
    {
        using var json = JsonDocument.Parse(line);
        var root = json.RootElement;
        return new RunEvent(
            root.GetProperty("time").GetDateTimeOffset(), root.GetProperty("kind").GetString()!, root.GetProperty("node").GetString(), root.GetProperty("phase").GetString(),
            root.GetProperty("sentence").GetString()!);
    }
}
