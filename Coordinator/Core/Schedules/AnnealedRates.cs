using Cluster.Contracts;

namespace Cluster.Coordinator.Core;

/// <summary>torch.optim.lr_scheduler.LinearLR down to <paramref name="last"/>, which step span + 1 would be the first to have.</summary>
internal sealed class LinearRate(double first, double last, long span) : LearningRateSchedule
{
    internal override double After(long steps) => steps >= span ? last : first + (last - first) * steps / span;
}

/// <summary>torch.optim.lr_scheduler.CosineAnnealingLR (Loshchilov and Hutter, 2017, without restarts) with T_max = span, in its closed form.</summary>
internal sealed class CosineRate(double first, double last, long span) : LearningRateSchedule
{
    public override bool IsExact => false;

    internal override double After(long steps) => steps >= span ? last : last + (first - last) * (1 + Math.Cos(Math.PI * steps / span)) / 2;
}

/// <summary>torch.optim.lr_scheduler.OneCycleLR with two phases (Smith and Topin, 2018), without its cycling of the momentum. The last step has the lowest rate.</summary>
internal sealed class OneCycleRate : LearningRateSchedule
{
    private readonly double _initial, _highest, _lowest, _riseEnd, _fallEnd;
    private readonly bool _cosine;

    public OneCycleRate(ScheduleOptions options, long span)
    {
        _highest = options.LearningRate;
        _initial = _highest / options.DivFactor;
        _lowest = _initial / options.FinalDivFactor;
        _riseEnd = options.PercentStart * span - 1;
        _fallEnd = span - 1;
        _cosine = options.Anneal == "cos";
    }

    public override bool IsExact => !_cosine;

    internal override double After(long steps)
    {
        var at = Math.Min(steps, _fallEnd);
        return at <= _riseEnd
            ? Anneal(_initial, _highest, Share(at, _riseEnd))
            : Anneal(_highest, _lowest, Share(at - _riseEnd, _fallEnd - _riseEnd));
    }

    /// <summary>A phase of no length is at its end (PyTorch divides by zero there).</summary>
    private static double Share(double passed, double length) => length > 0 ? passed / length : 1;

    private double Anneal(double from, double to, double share) =>
        _cosine ? to + (from - to) / 2.0 * (Math.Cos(Math.PI * share) + 1) : (to - from) * share + from;
}
