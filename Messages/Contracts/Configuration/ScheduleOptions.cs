namespace Cluster.Contracts;

/// <summary>The learning rate as a function of the step, and for <c>plateau</c> of the evaluations before it.</summary>
public sealed record ScheduleOptions
{
    /// <summary><c>constant</c>, <c>step</c>, <c>multi-step</c>, <c>exponential</c>, <c>per-epoch</c>, <c>inverse-sqrt</c>, <c>linear</c>, <c>cosine</c>, <c>one-cycle</c> or <c>plateau</c>.</summary>
    public string Kind { get; init; } = "constant";

    /// <summary>The initial rate after the warm-up; one-cycle: the highest.</summary>
    public double LearningRate { get; init; } = 0.1;

    /// <summary>Samples per step that <see cref="LearningRate"/> and <see cref="FinalLearningRate"/> were chosen for: both are scaled by B / this (Goyal et al., 2017). Null = they are meant for B.</summary>
    public int? BaseBatch { get; init; }

    /// <summary>Step: epochs between drops.</summary>
    public double StepEpochs { get; init; } = 5;

    /// <summary>Multi-step: the epochs after which the rate drops, ascending; from the run's beginning, warm-up included.</summary>
    public IReadOnlyList<double>? Milestones { get; init; }

    /// <summary>Step, multi-step and plateau: factor of a drop. Exponential: the rate in lr·rate^(step/decay_steps). Inverse-sqrt: γ in lr/√(1 + γ²·t).</summary>
    public double Gamma { get; init; } = 0.5;

    /// <summary>Exponential: steps for one factor; null = an epoch's.</summary>
    public long? DecaySteps { get; init; }

    /// <summary>Exponential: whole powers only.</summary>
    public bool Staircase { get; init; }

    /// <summary>Per-epoch: lr·(1 − this) after every epoch.</summary>
    public double EpochDecay { get; init; } = 0.05;

    /// <summary>Linear and cosine: the rate at the end. Plateau: never below it.</summary>
    public double FinalLearningRate { get; init; }

    /// <summary>Epochs at the beginning in which the rate warms up; the schedule proper begins behind them, with its first rate, and ends where it would without. 0 = none.</summary>
    public double WarmupEpochs { get; init; }

    /// <summary><c>linear</c> (from <see cref="WarmupFactor"/>·lr to lr) or <c>constant</c> (at <see cref="WarmupFactor"/>·lr).</summary>
    public string Warmup { get; init; } = "linear";

    /// <summary>Where the warm-up begins, as a share of the rate.</summary>
    public double WarmupFactor { get; init; } = 0.1;

    /// <summary>Plateau: evaluations without improvement before a drop.</summary>
    public int Patience { get; init; } = 10;

    /// <summary>Plateau: a test loss counts as better when it is below best·(1 − this).</summary>
    public double Threshold { get; init; } = 1e-4;

    /// <summary>Plateau: evaluations after a drop that are not counted.</summary>
    public int Cooldown { get; init; }

    /// <summary>One-cycle: share of the steps that rise.</summary>
    public double PercentStart { get; init; } = 0.3;

    /// <summary>One-cycle: initial rate = highest / this.</summary>
    public double DivFactor { get; init; } = 25;

    /// <summary>One-cycle: last rate = initial / this.</summary>
    public double FinalDivFactor { get; init; } = 1e4;

    /// <summary>One-cycle: <c>cos</c> or <c>linear</c>, as in torch.optim.lr_scheduler.OneCycleLR.</summary>
    public string Anneal { get; init; } = "linear";

    /// <summary>Steps that the schedule spans; null = the recipe's epochs. A <c>--steps</c> on the command line stops early and leaves it alone.</summary>
    public long? TotalSteps { get; init; }
}

/// <summary>Ends a run that no longer gets better; its result is the best version that was evaluated.</summary>
public sealed record EarlyStoppingOptions
{
    /// <summary>Evaluations in a row without improvement that end the run; 0 = never.</summary>
    public int Patience { get; init; }

    /// <summary>What an improvement exceeds.</summary>
    public double MinDelta { get; init; }

    /// <summary><c>accuracy</c> or <c>loss</c> of the test set.</summary>
    public string Metric { get; init; } = "accuracy";
}
