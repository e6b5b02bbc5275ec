using System.Collections.Immutable;
using Cluster.Cli.Hosting;
using Cluster.Coordinator.Core;

namespace Cluster.Cli.Study;

/// <summary>From a run's commit log to the figures of a cell. Pure.</summary>
internal static class CellMeasure
{
    /// <summary>Points of a training curve: as many as a phone has pixels across.</summary>
    private const int MostPoints = 240;

    /// <param name="log">The whole commit log, at least one line.</param>
    /// <param name="stepsPerEpoch">The window of the training figures is a tenth of the steps, at most this.</param>
    /// <param name="clipsTensors">The records' factors per tensor are those of clipping.</param>
    /// <param name="test">Every evaluation, the last one that of the last weights; empty when the cell failed.</param>
    public static CellOutcome Of(
        string cell, IReadOnlyList<CommitLine> log, int stepsPerEpoch, bool clipsTensors, IReadOnlyList<EvaluationResult> test, double? weightNorm, double seconds, string? hash, string? failure)
    {
        ArgumentNullException.ThrowIfNull(log);
        var window = Math.Min((log.Count + 9) / 10, stepsPerEpoch);
        var last = log.Skip(log.Count - window).Select(static line => line.Record).ToList();
        var samples = last.Sum(static record => (double)record.Samples);
        var final = failure is null && test.Count > 0 ? test[^1] : null;
        return new CellOutcome(
            cell, log.Count == 0 ? 0 : log[^1].Record.Step.Value,
            last.Sum(static record => record.Loss * record.Samples) / samples, last.Sum(static record => record.Accuracy * record.Samples) / samples,
            final?.Loss, final?.Accuracy, final?.Samples ?? 0, weightNorm,
            last.Count == 0 ? double.NaN : last.Average(static record => record.GradNorm),
            log.Count == 0 ? 0 : (double)log.Count(line => IsClipped(line, clipsTensors)) / log.Count,
            seconds, hash, failure, Curve(log),
            [.. test.Select(static result => new CurveSample(result.Step, result.Loss, result.Accuracy))]);
    }

    private static bool IsClipped(CommitLine line, bool clipsTensors) =>
        line.Record is { Applied: true } record && (record.Scale < 1 || clipsTensors && record.TensorScales?.Any(static scale => scale < 1) == true);

    private static ImmutableArray<CurveSample> Curve(IReadOnlyList<CommitLine> log)
    {
        var piece = (log.Count + MostPoints - 1) / MostPoints;
        if (piece == 0) return [];
        return
        [
            .. log.Select(static line => line.Record).Chunk(piece).Select(static records =>
            {
                var samples = records.Sum(static record => (double)record.Samples);
                return new CurveSample(records[^1].Step.Value, records.Sum(static r => r.Loss * r.Samples) / samples, records.Sum(static r => r.Accuracy * r.Samples) / samples);
            })
        ];
    }
}
