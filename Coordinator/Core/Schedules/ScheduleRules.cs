using Cluster.Contracts;

namespace Cluster.Coordinator.Core;

/// <summary>What is wrong with options, as a line for people.</summary>
/// <param name="Keys">YAML keys of the options that it is about; the first one is the culprit.</param>
/// <param name="Sentence">Names the flags, and says what to do.</param>
public sealed record OptionMistake(IReadOnlyList<string> Keys, string Sentence);

/// <summary>Which schedules cannot be. What hangs on the data set's size is checked where the schedule is made.</summary>
public static class ScheduleRules
{
    /// <summary>What <see cref="ScheduleOptions.Kind"/> may say.</summary>
    public static IReadOnlyList<string> Kinds { get; } = ["constant", "step", "multi-step", "exponential", "per-epoch", "inverse-sqrt", "linear", "cosine", "one-cycle", "plateau"];

    /// <summary>Mistakes in the schedule's own options.</summary>
    public static IReadOnlyList<OptionMistake> Mistakes(ScheduleOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        var mistakes = new List<OptionMistake>();
        Require(double.IsFinite(options.LearningRate) && options.LearningRate >= 0, "lr", $"--lr {options.LearningRate} must be a number of at least 0");
        Require(options.BaseBatch is null or >= 1, "base-batch", $"--base-batch {options.BaseBatch} must be at least 1");
        Require(double.IsFinite(options.WarmupEpochs) && options.WarmupEpochs >= 0, "warmup-epochs", $"--warmup-epochs {options.WarmupEpochs} must be a number of at least 0");
        Require(options.WarmupFactor is >= 0 and <= 1, "warmup-factor", $"--warmup-factor {options.WarmupFactor} must be between 0 and 1");
        Require(options.Warmup is "linear" or "constant", "warmup", $"--warmup {options.Warmup}: use linear or constant");
        Require(options.TotalSteps is null or >= 1, "total-steps", $"--schedule-steps {options.TotalSteps} must be at least 1");
        OfTheKind(options, Require);
        return mistakes;

        void Require(bool holds, string key, string sentence)
        {
            if (!holds) mistakes.Add(new OptionMistake(["schedule." + key], sentence));
        }
    }

    private static void OfTheKind(ScheduleOptions options, Action<bool, string, string> require)
    {
        var gamma = $"--gamma {options.Gamma}";
        switch (options.Kind)
        {
            case "step":
                require(double.IsFinite(options.Gamma) && options.Gamma >= 0, "gamma", $"{gamma} of schedule step must be a number of at least 0");
                require(double.IsFinite(options.StepEpochs) && options.StepEpochs > 0, "step-epochs", $"--step-epochs {options.StepEpochs} must be more than 0");
                break;
            case "multi-step":
                require(double.IsFinite(options.Gamma) && options.Gamma >= 0, "gamma", $"{gamma} of schedule multi-step must be a number of at least 0");
                OfMilestones(options, require);
                break;
            case "exponential":
                require(double.IsFinite(options.Gamma) && options.Gamma > 0, "gamma", $"{gamma} of schedule exponential must be a number of more than 0");
                require(options.DecaySteps is null or >= 1, "decay-steps", $"--decay-steps {options.DecaySteps} must be at least 1");
                break;
            case "per-epoch":
                require(options.EpochDecay is >= 0 and <= 1, "epoch-decay", $"--epoch-decay {options.EpochDecay} must be between 0 and 1");
                break;
            case "inverse-sqrt":
                require(double.IsFinite(options.Gamma) && options.Gamma >= 0, "gamma", $"{gamma} of schedule inverse-sqrt must be a number of at least 0");
                break;
            case "linear" or "cosine":
                require(double.IsFinite(options.FinalLearningRate) && options.FinalLearningRate >= 0, "final-lr", $"--final-lr {options.FinalLearningRate} must be a number of at least 0");
                break;
            case "one-cycle":
                require(options.PercentStart is >= 0 and <= 1, "pct-start", $"--pct-start {options.PercentStart} must be between 0 and 1");
                require(options.DivFactor > 0, "div-factor", $"--div-factor {options.DivFactor} must be more than 0");
                require(options.FinalDivFactor > 0, "final-div-factor", $"--final-div-factor {options.FinalDivFactor} must be more than 0");
                require(options.Anneal is "cos" or "linear", "anneal", $"--anneal {options.Anneal}: use cos or linear");
                break;
            case "plateau":
                require(options.Gamma is > 0 and < 1, "gamma", $"{gamma} of schedule plateau must lie between 0 and 1: it is the factor of a drop");
                require(options.Patience >= 0, "patience", $"--lr-patience {options.Patience} must be at least 0");
                require(options.Threshold is >= 0 and < 1, "threshold", $"--lr-threshold {options.Threshold} must be at least 0 and less than 1");
                require(options.Cooldown >= 0, "cooldown", $"--lr-cooldown {options.Cooldown} must be at least 0");
                require(options.FinalLearningRate >= 0 && options.FinalLearningRate <= options.LearningRate, "final-lr", $"--final-lr {options.FinalLearningRate} of schedule plateau must lie between 0 and --lr {options.LearningRate}: the rate never falls below it");
                break;
            case "constant":
                break;
            default:
                require(false, "kind", $"unknown schedule '{options.Kind}'{NearestName.Hint(options.Kind, [.. Kinds])}");
                break;
        }
    }

    private static void OfMilestones(ScheduleOptions options, Action<bool, string, string> require)
    {
        var given = options.Milestones ?? [];
        var text = string.Join(',', given);
        require(given.Count > 0, "milestones", "schedule multi-step needs --milestones: the epochs after which the rate drops");
        require(given.All(static m => double.IsFinite(m) && m > 0), "milestones", $"--milestones {text}: each must be more than 0");
        require(given.Zip(given.Skip(1)).All(static pair => pair.First < pair.Second), "milestones", $"--milestones {text} must ascend");
        require(options.WarmupEpochs == 0 || given.All(m => m > options.WarmupEpochs), "milestones", $"--milestones {text}: each must come after the {options.WarmupEpochs} epochs of the warm-up; they count from the run's beginning");
    }
}
