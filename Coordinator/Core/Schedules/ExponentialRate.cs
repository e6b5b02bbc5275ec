namespace Cluster.Coordinator.Core;

/// <summary>rate · gamma^(steps / every), as tf.keras.optimizers.schedules.ExponentialDecay; with every = 1 torch.optim.lr_scheduler.ExponentialLR.</summary>
/// <remarks>Whole powers are products; the broken rest is the C library's power, whose last bit may differ from host to host.</remarks>
internal sealed class ExponentialRate(double rate, double gamma, long every) : LearningRateSchedule
{
    public override bool IsExact => false;

    internal override double After(long steps)
    {
        var whole = Drops.Of(rate, gamma, steps / every);
        var rest = steps % every;
        return rest == 0 ? whole : whole * Math.Pow(gamma, (double)rest / every);
    }
}

/// <summary>rate / √(1 + γ²·steps).</summary>
internal sealed class InverseSqrtRate(double rate, double gamma) : LearningRateSchedule
{
    internal override double After(long steps) => rate / Math.Sqrt(1 + gamma * gamma * steps);
}
