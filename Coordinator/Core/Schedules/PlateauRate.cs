using Cluster.Contracts;

namespace Cluster.Coordinator.Core;

/// <summary>What torch.optim.lr_scheduler.ReduceLROnPlateau remembers: a fold over the evaluations.</summary>
/// <param name="Rate">The rate until the next evaluation.</param>
/// <param name="Best">Lowest test loss so far, in nats; infinite before the first.</param>
/// <param name="Bad">Evaluations in a row that were no better.</param>
/// <param name="Cooldown">Evaluations still to come that are not counted.</param>
public readonly record struct PlateauState(double Rate, double Best, int Bad, int Cooldown)
{
    /// <summary>A drop by less is none: PyTorch's <c>eps</c>.</summary>
    private const double LeastDrop = 1e-8;

    public static PlateauState Begin(double rate) => new(rate, double.PositiveInfinity, 0, 0);

    /// <summary>One call of PyTorch's <c>step(loss)</c> with mode min and a relative threshold. A loss that is NaN is no better.</summary>
    public PlateauState Next(double loss, ScheduleOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        var isBetter = loss < Best * (1 - options.Threshold);
        var next = this with { Best = isBetter ? loss : Best, Bad = isBetter ? 0 : Bad + 1 };
        if (next.Cooldown > 0) next = next with { Cooldown = next.Cooldown - 1, Bad = 0 };
        if (next.Bad <= options.Patience) return next;
        var lower = Math.Max(Rate * options.Gamma, options.FinalLearningRate);
        return next with { Rate = Rate - lower > LeastDrop ? lower : Rate, Bad = 0, Cooldown = options.Cooldown };
    }
}

/// <summary>The rate that a fold over the evaluations gives, from the warm-up's end on.</summary>
/// <param name="begin">Steps of the warm-up; an evaluation before its end says nothing about the schedule proper.</param>
internal sealed class PlateauRate(PlateauState state, ScheduleOptions options, long begin) : LearningRateSchedule
{
    public override bool FollowsEvaluations => true;

    public override LearningRateSchedule Knowing(EvaluationNote evaluation) =>
        evaluation.Version.Value < begin ? this : new PlateauRate(state.Next(evaluation.Loss, options), options, begin);

    internal override double After(long steps) => state.Rate;
}
