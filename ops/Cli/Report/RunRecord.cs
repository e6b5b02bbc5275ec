using System.Text.Json;
using Cluster.Chaos;
using Cluster.Cli.Configuration;
using Cluster.Cli.Hosting;
using Cluster.Contracts;

namespace Cluster.Cli.Report;

/// <summary>What a run left as its result; what is not known is null.</summary>
internal sealed record RunResult(string? StateSha256, double? TestAccuracy, double? TestLoss, double? TestTop5, long? BestStep, string? StopReason)
{
    public static readonly RunResult Unknown = new(null, null, null, null, null, null);

    /// <returns><see cref="Unknown"/> without a readable summary.json.</returns>
    public static RunResult Read(string folder)
    {
        try
        {
            var path = Path.Combine(folder, RunFolder.SummaryName);
            if (!File.Exists(path)) return Unknown;
            using var json = JsonDocument.Parse(File.ReadAllBytes(path));
            if (json.RootElement is not { ValueKind: JsonValueKind.Object } root) return Unknown;
            double? Number(string name) => root.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Number ? value.GetDouble() : null;
            string? Text(string name) => root.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
            return new RunResult(
                Text("state_sha256") is { Length: > 0 } hash ? hash : null, Number("test_accuracy"), Number("test_loss"), Number("test_top5"), (long?)Number("best_step"), Text("stop_reason"));
        }
        catch (Exception e) when (e is JsonException or IOException or UnauthorizedAccessException or InvalidOperationException)
        {
            return Unknown;
        }
    }
}

/// <summary>A checkpoint that lies in a run's folder.</summary>
internal sealed record KeptCheckpoint(string Name, long Bytes, DateTimeOffset Written);

/// <summary>All that a report is made of, read from a run's folder alone.</summary>
/// <param name="Name">Of the folder.</param>
/// <param name="Evaluations">By step.</param>
/// <param name="Events">By time.</param>
/// <param name="Evaluation">The last one, per class; null when nothing was evaluated.</param>
internal sealed record RunRecord(
    string Name, StoredRun Config, RunState State, CommitHistory Commits, IReadOnlyList<EventRow> Events, IReadOnlyList<EvaluationResult> Evaluations,
    EvaluationFile? Evaluation, PhaseFile Phases, RunResult Result, IReadOnlyList<KeptCheckpoint> Checkpoints, bool HasTensorBoard)
{
    /// <summary>Reads the folder of a run, whatever state it is in.</summary>
    /// <param name="state">How the run stands, when the caller knows; null = found out.</param>
    /// <exception cref="UserMistakeException">The folder is no run, or cannot be read.</exception>
    public static RunRecord Read(string folder, RunState? state = null)
    {
        var config = ConfigReader.Read(folder);
        // A file of it was meant, or the folder as somebody types it.
        folder = Path.GetDirectoryName(Path.GetFullPath(config.Path))!;
        try
        {
            var commits = CommitHistory.Read(Coordinator.Actors.RunStore.LogOf(folder));
            state ??= PastRuns.In(folder)[0].State;
            return new RunRecord(
                Path.GetFileName(folder), config, state.Value, commits, RunRecords.EventsOf(folder),
                [.. MetricsCsv.EvaluationsIn(Path.Combine(folder, MetricsCsv.Name)).OrderBy(static e => e.Step)],
                EvaluationFile.Read(folder), PhaseFile.Read(folder), RunResult.Read(folder), CheckpointsIn(folder),
                Directory.Exists(Path.Combine(folder, Hosting.Monitoring.TensorBoardWatching.FolderName)));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new UserMistakeException($"cannot read the run in {folder}: {e.Message.ReplaceLineEndings(" ")}", e);
        }
    }

    private static List<KeptCheckpoint> CheckpointsIn(string folder)
    {
        var checkpoints = new DirectoryInfo(Path.Combine(folder, "checkpoints"));
        if (!checkpoints.Exists) return [];
        return [.. checkpoints.EnumerateDirectories("step-*").OrderBy(static d => d.Name, StringComparer.Ordinal).Select(static d => new KeptCheckpoint(
            d.Name, d.EnumerateFiles().Sum(static f => f.Length), new DateTimeOffset(d.LastWriteTimeUtc, TimeSpan.Zero)))];
    }
}
