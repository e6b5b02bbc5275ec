using System.Text.Json;
using Cluster.Cli.Configuration;
using Cluster.Coordinator.Monitor;

namespace Cluster.Cli.Hosting.Monitoring;

/// <summary>What events.jsonl tells of a run's earlier processes, and of this one up to now: its last lines.</summary>
internal static class PageHistory
{
    /// <summary>Of the file's end: a few hundred sentences.</summary>
    private const int MaxBytes = 65_536;

    /// <returns>Oldest first. What cannot be read is left out: the page can do without.</returns>
    public static IReadOnlyList<RunEvent> Read(string folder)
    {
        try
        {
            using var file = new FileStream(Path.Combine(folder, RunFolder.EventsName), FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            var skipsFirst = file.Length > MaxBytes;
            if (skipsFirst) file.Seek(-MaxBytes, SeekOrigin.End);
            using var reader = new StreamReader(file);
            // Cut anywhere: what is left of that line is none.
            if (skipsFirst) reader.ReadLine();
            var events = new List<RunEvent>();
            while (reader.ReadLine() is { } line)
                if (Parse(line) is { } happened) events.Add(happened);
            return events;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }

    /// <summary>Null for what is no line of events.jsonl: torn by a full disk, say.</summary>
    internal static RunEvent? Parse(string line)
    {
        try
        {
            using var json = JsonDocument.Parse(line);
            var row = json.RootElement;
            if (row.ValueKind != JsonValueKind.Object || TextOf(row, "kind") is not { } kind || TextOf(row, "sentence") is not { } sentence) return null;
            return row.TryGetProperty("time", out var time) && time.TryGetDateTimeOffset(out var at) ? new RunEvent(at, kind, TextOf(row, "node"), TextOf(row, "phase"), sentence) : null;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            return null;
        }
    }

    private static string? TextOf(JsonElement row, string name) => row.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
}
