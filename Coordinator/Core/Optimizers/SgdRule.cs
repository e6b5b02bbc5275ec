using Cluster.Contracts;

namespace Cluster.Coordinator.Core;

/// <summary>
/// Stochastic gradient descent by the definitions of torch.optim.SGD
/// (https://pytorch.org/docs/stable/generated/torch.optim.SGD.html; Sutskever et al., 2013, in PyTorch's form), and
/// decoupled weight decay (Loshchilov and Hutter, 2019). The coefficients as float32, as PyTorch rounds its scalars
/// before it applies them to a float32 tensor.
/// </summary>
public sealed class SgdRule
{
    /// <summary>PyTorch's name of the momentum in an optimizer's state.</summary>
    public const string MomentumSlot = "momentum_buffer";

    private SgdRule(OptimizerOptions options) => Options = options;

    public OptimizerOptions Options { get; }

    /// <summary>True if the rule keeps a momentum per parameter.</summary>
    public bool HasMomentum => Options.Momentum != 0;

    /// <summary>The rule's state per parameter, by PyTorch's names; for hashes and checkpoints.</summary>
    public IReadOnlyList<string> SlotNames => HasMomentum ? [MomentumSlot] : [];

    /// <exception cref="UserMistakeException">A coefficient out of range, or Nesterov with dampening. (Nesterov without momentum is plain SGD here; PyTorch refuses it.)</exception>
    public static SgdRule Create(OptimizerOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        Require(double.IsFinite(options.Momentum) && options.Momentum >= 0, $"momentum {options.Momentum} must be a number of at least 0");
        Require(double.IsFinite(options.WeightDecay) && options.WeightDecay >= 0, $"weight decay {options.WeightDecay} must be a number of at least 0");
        Require(double.IsFinite(options.Dampening) && options.Dampening >= 0, $"dampening {options.Dampening} must be a number of at least 0");
        Require(double.IsFinite(options.ClipNorm) && options.ClipNorm >= 0, $"clip norm {options.ClipNorm} must be a number of at least 0; 0 turns clipping off");
        Require(!options.Nesterov || options.Dampening == 0, "Nesterov momentum cannot be damped: set dampening to 0, or turn Nesterov off");
        return new SgdRule(options);
    }

    /// <summary>True if this entry's weights decay.</summary>
    public bool Decays(StateEntry entry)
    {
        ArgumentNullException.ThrowIfNull(entry);
        return Options.WeightDecay != 0 && entry.Kind == StateKind.Parameter && (entry.Decays || Options.DecayNormAndBias);
    }

    /// <summary>The coefficients of one step for parameters that decay, or that do not.</summary>
    internal SgdFactors Factors(in ApplyArguments step, bool decays) => new(
        Samples: step.Samples,
        Scale: (float)step.Scale,
        LearningRate: (float)step.LearningRate,
        Momentum: (float)Options.Momentum,
        GradientShare: (float)(1 - Options.Dampening),
        CoupledDecay: decays && Options.PenaltyOf() == PenaltyKind.L2 ? (float)Options.WeightDecay : 0,
        Keep: decays && Options.PenaltyOf() == PenaltyKind.Decoupled ? (float)(1 - step.LearningRate * Options.WeightDecay) : 1,
        HasMomentum: HasMomentum,
        IsFirst: step.IsFirstAppliedStep,
        Nesterov: Options.Nesterov);

    private static void Require(bool holds, string message)
    {
        if (!holds) throw new UserMistakeException(message);
    }
}

/// <summary>What one step's update depends on besides the tensors; all of it is in the commit record.</summary>
/// <param name="Samples">n: the summed gradient is divided by it.</param>
/// <param name="LeafCount">L: the summed buffers are divided by it.</param>
/// <param name="Scale">Factor of the clipping.</param>
/// <param name="LearningRate">Of this step.</param>
/// <param name="IsFirstAppliedStep">True until a step has been applied: the momentum then starts as the gradient, undamped.</param>
public readonly record struct ApplyArguments(int Samples, int LeafCount, double Scale, double LearningRate, bool IsFirstAppliedStep);

/// <summary>One step's coefficients in float32.</summary>
internal readonly record struct SgdFactors(
    float Samples,
    float Scale,
    float LearningRate,
    float Momentum,
    float GradientShare,
    float CoupledDecay,
    float Keep,
    bool HasMomentum,
    bool IsFirst,
    bool Nesterov);
