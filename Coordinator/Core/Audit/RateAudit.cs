using System.Globalization;
using Cluster.Contracts;

namespace Cluster.Coordinator.Core.Audit;

/// <summary>Holds the learning rates of a log against the schedule, record by record in the order of the log: a plateau's hang on the evaluations before.</summary>
/// <exception cref="UserMistakeException">The options cannot be those of a run.</exception>
internal sealed class RateAudit(RunOptions options, int trainingSamples)
{
    /// <summary>What another C library's cosine and power may differ by, as a share of the rate.</summary>
    private const double LibraryError = 4 * 2.220446049250313e-16;

    private LearningRateSchedule _schedule = LearningRateSchedule.For(options, trainingSamples);

    /// <param name="isNew">The step was not in the log before: what it says about an evaluation is news.</param>
    /// <returns>A sentence's end; null when the rate is the schedule's.</returns>
    public string? Mistake(CommitRecord record, bool isNew)
    {
        if (isNew && record.Evaluation is { } evaluation) _schedule = _schedule.Knowing(evaluation);
        var rate = _schedule.At(record.Step);
        var isSame = _schedule.IsExact
            ? BitConverter.DoubleToInt64Bits(rate) == BitConverter.DoubleToInt64Bits(record.LearningRate)
            : Math.Abs(rate - record.LearningRate) <= LibraryError * rate;
        return isSame ? null : $"learning rate {Text(record.LearningRate)}, but the schedule '{options.Schedule.Kind}' has {Text(rate)} at this step";
    }

    private static string Text(double value) => value.ToString("R", CultureInfo.InvariantCulture);
}
