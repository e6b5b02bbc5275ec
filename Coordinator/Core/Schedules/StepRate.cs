namespace Cluster.Coordinator.Core;

/// <summary>
/// torch.optim.lr_scheduler.StepLR: rate · gamma^⌊steps / every⌋. Also what is constant (gamma 1), exponential in stairs, and
/// multiplied once per epoch.
/// </summary>
internal sealed class StepRate(double rate, double gamma, long every) : LearningRateSchedule
{
    internal override double After(long steps) => Drops.Of(rate, gamma, steps / every);
}

/// <summary>torch.optim.lr_scheduler.MultiStepLR: one factor of gamma for every milestone that is passed.</summary>
/// <param name="milestones">Ascending, in steps from the run's beginning: a recipe names epochs of the run, with and without a warm-up.</param>
/// <param name="begin">Steps of the warm-up in front.</param>
internal sealed class MultiStepRate(double rate, double gamma, IReadOnlyList<long> milestones, long begin) : LearningRateSchedule
{
    internal override double After(long steps) => Drops.Of(rate, gamma, milestones.Count(milestone => milestone <= begin + steps));
}

internal static class Drops
{
    /// <summary>Multiplied out as PyTorch does it, drop by drop: a power function's last bit depends on the C library.</summary>
    public static double Of(double rate, double gamma, long count)
    {
        var value = rate;
        for (var drop = count; drop > 0; drop--)
        {
            var next = value * gamma;
            if (next == value) break;
            value = next;
        }
        return value;
    }
}
