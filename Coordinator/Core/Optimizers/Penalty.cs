using Cluster.Contracts;

namespace Cluster.Coordinator.Core;

/// <summary>The strengths of the penalty on one parameter, its group's factor included; 0 = none of that kind.</summary>
/// <param name="L2">λ: added to the gradient times the weight.</param>
/// <param name="L1">λ₁: added to the gradient times the weight's sign.</param>
/// <param name="Decoupled">λ: the weight shrinks by rate·λ of itself beside the step.</param>
public readonly record struct Penalty(double L2, double L1, double Decoupled)
{
    /// <summary>The penalty on <paramref name="entry"/>: none on buffers, and none on biases and norm layers unless they are asked for.</summary>
    /// <param name="trainingSamples">n of λ/n.</param>
    public static Penalty Of(OptimizerOptions options, ParameterGroups groups, StateEntry entry, long trainingSamples)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(groups);
        ArgumentNullException.ThrowIfNull(entry);
        if (entry.Kind != StateKind.Parameter || !(entry.Decays || options.DecayNormAndBias)) return default;
        var factor = groups.Of(entry.Name).Decay;
        double l2 = options.WeightDecay * factor, l1 = options.L1 * factor;
        return options.PenaltyOf() switch
        {
            PenaltyKind.L2 => new Penalty(l2, 0, 0),
            PenaltyKind.L2OverSamples => new Penalty(l2 / trainingSamples, 0, 0),
            PenaltyKind.Decoupled => new Penalty(0, 0, l2),
            PenaltyKind.L1 => new Penalty(0, l1, 0),
            PenaltyKind.ElasticNet => new Penalty(l2, l1, 0),
            _ => default,
        };
    }
}
