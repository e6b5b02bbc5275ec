using Cluster.Contracts;

namespace Cluster.Coordinator.Core;

/// <summary>
/// How a gradient changes weights: a rule with its coefficients. PyTorch's definitions where PyTorch has one
/// (https://pytorch.org/docs/stable/optim.html), the paper's otherwise. Immutable; thread-safe.
/// </summary>
public abstract class UpdateRule
{
    private protected UpdateRule(OptimizerOptions options, long trainingSamples) => (Options, TrainingSamples, Groups) = (options, trainingSamples, ParameterGroups.Parse(options.Groups));

    private static readonly string[] Kinds = ["sgd", "adam", "adamw", "adagrad", "rmsprop", "lars"];

    public OptimizerOptions Options { get; }

    /// <summary>n of the penalty λ/n; 0 where nothing needs it.</summary>
    public long TrainingSamples { get; }

    public ParameterGroups Groups { get; }

    /// <summary>The rule's state per parameter, by PyTorch's names, each as long as the padded parameters. At most three.</summary>
    public abstract IReadOnlyList<string> SlotNames { get; }

    /// <summary>What a slot's elements are before the first step.</summary>
    public virtual float FirstValueOf(string slot) => 0;

    /// <summary>The rule that <paramref name="options"/> name.</summary>
    /// <param name="trainingSamples">Samples of the training set; only λ/n needs it.</param>
    /// <exception cref="UserMistakeException">A coefficient out of range, or options that contradict each other.</exception>
    public static UpdateRule Create(OptimizerOptions options, long trainingSamples = 0)
    {
        ArgumentNullException.ThrowIfNull(options);
        RuleChecks.Check(options);
        if (options.PenaltyOf() == PenaltyKind.L2OverSamples && trainingSamples <= 0) throw new ClusterException("penalty l2-over-n needs the number of training samples");
        return options.Kind switch
        {
            "sgd" => new SgdRule(options, trainingSamples),
            "adam" or "adamw" => new AdamRule(options, trainingSamples),
            "adagrad" => new AdagradRule(options, trainingSamples),
            "rmsprop" => new RmsPropRule(options, trainingSamples),
            "lars" => new LarsRule(options, trainingSamples),
            _ => throw new UserMistakeException($"no optimizer is called '{options.Kind}'{NearestName.Hint(options.Kind, Kinds)}"),
        };
    }

    /// <summary>The strengths of the penalty on this entry.</summary>
    public Penalty PenaltyOf(StateEntry entry) => Penalty.Of(Options, Groups, entry, TrainingSamples);

    /// <summary>One pass over a run of parameters.</summary>
    /// <param name="rate">Of this run: the step's, times the factor of its group and, for LARS, of its tensor.</param>
    internal abstract void Run(in PassMemory memory, in GradientTerms terms, double rate, in ApplyArguments step, VectorWidth width);
}

/// <summary>What one step's update depends on besides the tensors; all of it is in the commit records.</summary>
/// <param name="Samples">n: the summed gradient is divided by it.</param>
/// <param name="LeafCount">Leaves with samples, usually L: the summed buffers are divided by it.</param>
/// <param name="Scale">The record's: multiplies the gradient where the global norm is clipped, says how much was clipped otherwise.</param>
/// <param name="LearningRate">Of this step.</param>
/// <param name="AppliedSteps">Steps applied (not skipped) before this one: 0 for the first.</param>
/// <param name="TensorScales">The record's: a factor per parameter in the layout's order, on its rate (LARS) or on its gradient (clipping of each parameter). Null = none.</param>
public readonly record struct ApplyArguments(int Samples, int LeafCount, double Scale, double LearningRate, long AppliedSteps, IReadOnlyList<double>? TensorScales = null);
