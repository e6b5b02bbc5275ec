using System.Text.Json;
using Cluster.Contracts;
using Cluster.Coordinator.Core;

namespace Cluster.Cli.Configuration;

/// <summary>How a run stands.</summary>
public enum RunState
{
    Finished,
    Interrupted,
    Failed,

    /// <summary>A process works in its folder.</summary>
    Running,

    /// <summary>Its folder cannot be understood; the row says why.</summary>
    Broken,
}

/// <summary>One run of a list; what is not known is null.</summary>
/// <param name="Name">Of its folder.</param>
/// <param name="Steps">Committed.</param>
/// <param name="Loss">Training loss of the last step, in nats.</param>
/// <param name="TestAccuracy">0 to 1.</param>
/// <param name="When">It began.</param>
/// <param name="Trouble">What is wrong with a broken folder, one line.</param>
public sealed record PastRun(
    string Name, RunState State, DateTimeOffset When, string? Recipe = null, string? Model = null, string? Data = null, long? Steps = null, long? TotalSteps = null,
    double? Loss = null, double? TestAccuracy = null, double? ImagesPerSecond = null, string? Trouble = null);

/// <summary>Looks through a folder of runs. Reads the ends of logs, never whole ones.</summary>
public static class PastRuns
{
    /// <summary>The longest commit record (4096 leaves) has some 400 KiB; two of them surely hold a whole line.</summary>
    private const int LongestTail = 1 << 20;

    /// <param name="folder">Holds runs, or is one.</param>
    /// <returns>Newest first.</returns>
    /// <exception cref="UserMistakeException">The folder cannot be read.</exception>
    public static IReadOnlyList<PastRun> In(string folder)
    {
        try
        {
            var folders = IsRun(folder) ? [folder] : Directory.EnumerateDirectories(folder).Where(IsRun);
            return [.. folders.Select(Look).OrderByDescending(run => run.When).ThenBy(run => run.Name, StringComparer.Ordinal)];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new UserMistakeException($"cannot list {folder}: {e.Message.ReplaceLineEndings(" ")}", e);
        }
    }

    private static bool IsRun(string folder) =>
        ((string[])[RunFolder.ConfigName, RunFolder.CommitsName, RunFolder.SummaryName]).Any(name => File.Exists(Path.Combine(folder, name)));

    private static PastRun Look(string folder)
    {
        var name = Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder)));
        var written = new DateTimeOffset(Directory.GetLastWriteTimeUtc(folder), TimeSpan.Zero);
        try
        {
            return LookInto(folder, name, written);
        }
        catch (Exception e) when (e is ClusterException or IOException or UnauthorizedAccessException)
        {
            var trouble = e.Message.Split('\n')[0].Replace(folder + Path.DirectorySeparatorChar, "", StringComparison.Ordinal);
            return new PastRun(name, RunState.Broken, written, Trouble: trouble);
        }
    }

    private static PastRun LookInto(string folder, string name, DateTimeOffset written)
    {
        // A run that has just claimed its folder has an empty config.yaml for a moment.
        var running = RunLock.IsHeld(folder);
        if (running && new FileInfo(Path.Combine(folder, RunFolder.ConfigName)) is not { Exists: true, Length: > 0 }) return new PastRun(name, RunState.Running, written);
        var run = ConfigReader.Read(folder);
        var last = LastCommit(Path.Combine(folder, RunFolder.CommitsName));
        var summary = Summary.Read(Path.Combine(folder, RunFolder.SummaryName));
        var steps = last?.Record.Step.Value ?? summary.Steps ?? 0;
        var total = run.TotalSteps ?? run.Options.Steps;
        var state = running ? RunState.Running
            : Hosting.EarlyEnd.Read(folder)?.StoppedAt == steps ? RunState.Finished
            : summary.Steps is not null && steps >= (total ?? summary.Steps) ? RunState.Finished
            : LastEvent(Path.Combine(folder, RunFolder.EventsName)) == "failed" ? RunState.Failed
            : RunState.Interrupted;
        return new PastRun(
            name, state, run.Started ?? written, run.Options.Recipe, run.Options.Model, run.Options.Data.Split(':')[0], steps, total,
            last?.Record.Loss, summary.TestAccuracy, running ? RateOf(last) : summary.ImagesPerSecond ?? RateOf(last));
    }

    /// <summary>Of the last step alone.</summary>
    private static double? RateOf(CommitLine? line) => line is { Milliseconds: > 0 } ? line.Record.Samples / line.Milliseconds * 1000 : null;

    /// <summary>The last whole line; null when there is none.</summary>
    /// <exception cref="CommitLogException">It is damaged.</exception>
    private static CommitLine? LastCommit(string path)
    {
        if (LastLine(path) is not { } line) return null;
        try
        {
            return CommitLog.ReadLine(line, number: 1);
        }
        catch (CommitLogException e)
        {
            throw new ClusterException($"the last line of {RunFolder.CommitsName} {e.Reason}", e);
        }
    }

    /// <summary>The kind of the last event; null when there is none that can be read.</summary>
    private static string? LastEvent(string path)
    {
        try
        {
            if (LastLine(path) is not { } line) return null;
            using var json = JsonDocument.Parse(line);
            return json.RootElement.ValueKind == JsonValueKind.Object && json.RootElement.TryGetProperty("kind", out var kind) && kind.ValueKind == JsonValueKind.String ? kind.GetString() : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static byte[]? LastLine(string path)
    {
        if (!File.Exists(path)) return null;
        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);
        var tail = new byte[(int)Math.Min(file.Length, LongestTail)];
        file.Position = file.Length - tail.Length;
        tail = tail[..file.ReadAtLeast(tail, tail.Length, throwOnEndOfStream: false)];
        var end = tail.AsSpan().LastIndexOf((byte)'\n');
        if (end < 0) return null;
        return tail[(tail.AsSpan(0, end).LastIndexOf((byte)'\n') + 1)..end];
    }

    /// <summary>What of summary.json a list shows; all null without a readable one.</summary>
    private sealed record Summary(long? Steps, double? TestAccuracy, double? ImagesPerSecond)
    {
        public static Summary Read(string path)
        {
            try
            {
                if (!File.Exists(path)) return new Summary(null, null, null);
                using var json = JsonDocument.Parse(File.ReadAllBytes(path));
                var root = json.RootElement;
                if (root.ValueKind != JsonValueKind.Object) throw new ClusterException($"{RunFolder.SummaryName} is not a JSON object");
                return new Summary((long?)Number(root, "steps"), Number(root, "test_accuracy"), Number(root, "images_per_second"));
            }
            catch (JsonException e)
            {
                throw new ClusterException($"{RunFolder.SummaryName} is not valid JSON (line {(e.LineNumber ?? 0) + 1})", e);
            }
        }

        private static double? Number(JsonElement root, string name) =>
            root.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Number ? value.GetDouble() : null;
    }
}
