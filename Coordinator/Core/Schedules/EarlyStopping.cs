using Cluster.Contracts;

namespace Cluster.Coordinator.Core;

/// <summary>What early stopping remembers: a fold over the evaluations (Prechelt, 1998, the third of his criteria, by one).</summary>
/// <param name="Options">Patience 0 = the run is never ended; the best is remembered all the same.</param>
/// <param name="Best">The best evaluation so far; of equals the first. Null before the first.</param>
/// <param name="Bad">Evaluations in a row since that were no better.</param>
public sealed record EarlyStopping(EarlyStoppingOptions Options, EvaluationNote? Best = null, int Bad = 0)
{
    public bool IsOn => Options.Patience > 0;

    /// <summary>So many evaluations were no better that the run ends.</summary>
    public bool IsSpent => IsOn && Bad >= Options.Patience;

    public EarlyStopping Next(EvaluationNote evaluation)
    {
        ArgumentNullException.ThrowIfNull(evaluation);
        return Best is null || IsBetter(evaluation, Best) ? this with { Best = evaluation, Bad = 0 } : this with { Bad = Bad + 1 };
    }

    /// <summary>A loss that is NaN is worse than any other.</summary>
    private bool IsBetter(EvaluationNote now, EvaluationNote best) => Options.Metric == "loss"
        ? now.Loss < best.Loss - Options.MinDelta || double.IsNaN(best.Loss) && !double.IsNaN(now.Loss)
        : now.Accuracy > best.Accuracy + Options.MinDelta;
}

/// <summary>A run that has ended before its last step; its result is the best version.</summary>
/// <param name="StoppedAt">The version after whose evaluation no step was begun.</param>
/// <param name="Best">The evaluation of the result.</param>
public sealed record EarlyStop(WeightsVersion StoppedAt, EvaluationNote Best, EarlyStoppingOptions Options)
{
    /// <summary>For people.</summary>
    public string Sentence
    {
        get
        {
            var (what, best) = Options.Metric == "loss" ? ("lower test loss", $"{Best.Loss:0.0000}") : ("better accuracy", $"{Best.Accuracy * 100:0.00} %");
            var evaluations = Options.Patience == 1 ? "1 evaluation" : $"{Options.Patience} evaluations";
            return $"Stopped early at step {StoppedAt}: no {what} in {evaluations}; the best was {best} at step {Best.Version}.";
        }
    }
}

/// <summary>What the evaluations so far have made of the learning rate and of the run's end: a pure fold, the same after every resume, takeover and replay.</summary>
/// <param name="Schedule">For the steps to come.</param>
public sealed record RunCourse(LearningRateSchedule Schedule, EarlyStopping Stopping)
{
    /// <param name="evaluation">Of a later version than all before.</param>
    public RunCourse Knowing(EvaluationNote evaluation) => new(Schedule.Knowing(evaluation), Stopping.Next(evaluation));

    public RunCourse Knowing(IEnumerable<EvaluationNote> evaluations)
    {
        ArgumentNullException.ThrowIfNull(evaluations);
        return evaluations.Aggregate(this, static (course, evaluation) => course.Knowing(evaluation));
    }
}
