using System.Text.Json;
using System.Text.Json.Nodes;
using Cluster.Cli.Configuration;
using Cluster.Contracts;
using Cluster.Coordinator.Checkpoints;
using Cluster.Coordinator.Core;

namespace Cluster.Cli.Hosting;

/// <summary>The end of a run that stopped early. Once it is in summary.json the run is over, and its result is the checkpoint of the best version.</summary>
/// <param name="BestStep">Version of the result.</param>
/// <param name="StoppedAt">Last committed step.</param>
/// <param name="Reason">One sentence.</param>
public sealed record EarlyEnd(long BestStep, long StoppedAt, string Reason)
{
    /// <summary>What summary.json says; null when the run did not stop early, has not ended, or the file cannot be read.</summary>
    /// <param name="folder">The run's.</param>
    public static EarlyEnd? Read(string folder)
    {
        try
        {
            var path = Path.Combine(folder, RunFolder.SummaryName);
            if (!File.Exists(path)) return null;
            using var json = JsonDocument.Parse(File.ReadAllBytes(path));
            return json.RootElement is { ValueKind: JsonValueKind.Object } root
                && root.TryGetProperty("best_step", out var best) && best.TryGetInt64(out var bestStep)
                && root.TryGetProperty("stopped_at", out var at) && at.TryGetInt64(out var stoppedAt)
                    ? new EarlyEnd(bestStep, stoppedAt, root.TryGetProperty("stop_reason", out var reason) ? reason.GetString() ?? "" : "")
                    : null;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>The result, every byte checked. The caller disposes it.</summary>
    /// <exception cref="UserMistakeException">The checkpoint is gone or damaged.</exception>
    public LoadedCheckpoint Load(string folder, ParameterLayout layout)
    {
        var info = new CheckpointStore(folder).Find(new WeightsVersion(BestStep))
            ?? throw new UserMistakeException($"{folder} stopped early at step {StoppedAt} and its result is step {BestStep}, whose checkpoint is missing or damaged: put it back, or train anew");
        return StateSource.OrMistake(() => CheckpointStore.Load(info.Path, layout));
    }

    /// <summary>The summary of the result, which comes back from its checkpoint.</summary>
    /// <param name="run">As far as the run went.</param>
    /// <exception cref="UserMistakeException">The checkpoint is gone or damaged.</exception>
    public static TrainingSummary Restore(string folder, ParameterLayout layout, EarlyStop early, TrainingSummary run)
    {
        var end = new EarlyEnd(early.Best.Version.Value, early.StoppedAt.Value, early.Sentence);
        using var loaded = end.Load(folder, layout);
        return run with { StateSha256 = HashOf(loaded, layout), Test = TestOf(loaded, early.Best), Early = end };
    }

    /// <summary>SHA-256 of a loaded state; lower-case hex.</summary>
    public static string HashOf(LoadedCheckpoint loaded, ParameterLayout layout) => StateHash.Of(
        layout, loaded.Version, loaded.State.Span, entry => loaded.Counters[entry.Name], [.. loaded.Slots.Select(s => (s.Key, (ReadOnlyMemory<float>)s.Value.Span.ToArray()))]);

    private static EvaluationResult TestOf(LoadedCheckpoint loaded, EvaluationNote best) =>
        new(loaded.Version.Value, best.Loss, best.Accuracy, Number(loaded, "test_top5") ?? double.NaN, (long)(Number(loaded, "test_samples") ?? 0));

    private static double? Number(LoadedCheckpoint loaded, string fact) => loaded.Facts[fact] is JsonValue value && value.TryGetValue<double>(out var number) ? number : null;
}
