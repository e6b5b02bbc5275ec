using Cluster.Contracts;

namespace Cluster.Coordinator.Core;

/// <summary>What no rule can carry out, whoever asks for it: the command line says it earlier and with the line of the recipe.</summary>
internal static class RuleChecks
{
    /// <exception cref="UserMistakeException">A coefficient out of range, or options that contradict each other.</exception>
    public static void Check(OptimizerOptions options)
    {
        NotNegative(options.Momentum, "momentum");
        NotNegative(options.WeightDecay, "weight decay");
        NotNegative(options.L1, "l1");
        NotNegative(options.MaxNorm, "max norm");
        NotNegative(options.Dampening, "dampening");
        NotNegative(options.RateDecay, "rate decay");
        NotNegative(options.InitialAccumulator, "initial accumulator");
        NotNegative(options.TrustCoefficient, "trust coefficient");
        NotNegative(options.ClipNorm, "clip norm");
        NotNegative(options.ClipParameterNorm, "clip parameter norm");
        NotNegative(options.ClipValue, "clip value");
        NotNegative(options.ClipAdaptive, "clip adaptive");
        NotNegative(options.Epsilon ?? 0, "eps");
        Share(options.Beta1, "beta1");
        Share(options.Beta2, "beta2");
        Share(options.Alpha, "alpha");
        Share(options.EmaDecay, "ema decay");
        if (options.Kind == "sgd")
        {
            Require(!options.Nesterov || options.Dampening == 0, "Nesterov momentum cannot be damped: set dampening to 0, or turn Nesterov off");
            Require(options.MomentumForm is "pytorch" or "classical", $"momentum form '{options.MomentumForm}' is neither pytorch nor classical");
            Require(options.MomentumForm == "pytorch" || options.Dampening == 0, "the classical form of momentum has no dampening: set dampening to 0, or the form to pytorch");
        }
        if (options.Kind == "lars")
            Require(options.PenaltyOf() is PenaltyKind.None or PenaltyKind.L2 or PenaltyKind.L2OverSamples, "lars takes its penalty into a tensor's rate, which is defined for l2 and l2-over-n alone: choose one of them");
        if (StepScaling.MistakeIn(options) is { } mistake) throw new UserMistakeException(mistake);
    }

    private static void NotNegative(double value, string name) => Require(double.IsFinite(value) && value >= 0, $"{name} {value} must be a number of at least 0");

    private static void Share(double value, string name) => Require(value is >= 0 and < 1, $"{name} {value} must be at least 0 and less than 1");

    private static void Require(bool holds, string message)
    {
        if (!holds) throw new UserMistakeException(message);
    }
}
