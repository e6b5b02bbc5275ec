using Cluster.Contracts;

namespace Cluster.Coordinator.Core;

/// <summary>
/// torch.optim.lr_scheduler.SequentialLR of LinearLR or ConstantLR and the schedule proper: the first <paramref name="steps"/>
/// steps rise to the schedule's first rate (Goyal et al., 2017, section 2.2), or hold a share of it.
/// </summary>
/// <param name="factor">Share of the rate that step 1 has.</param>
internal sealed class Warmup(LearningRateSchedule proper, long steps, double factor, bool isLinear) : LearningRateSchedule
{
    public override bool IsExact => proper.IsExact;

    public override bool FollowsEvaluations => proper.FollowsEvaluations;

    public override LearningRateSchedule Knowing(EvaluationNote evaluation)
    {
        var next = proper.Knowing(evaluation);
        return ReferenceEquals(next, proper) ? this : new Warmup(next, steps, factor, isLinear);
    }

    internal override double After(long completed) =>
        completed >= steps ? proper.After(completed - steps)
        : proper.After(0) * (isLinear ? factor + (1 - factor) * completed / steps : factor);
}
