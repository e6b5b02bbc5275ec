using Cluster.Contracts;

namespace Cluster.Coordinator.Core;

/// <summary>
/// The learning rate as a pure function of the step and, for <c>plateau</c>, of the evaluations before it. Step t has the
/// rate that PyTorch's scheduler of the same name has after t - 1 calls of <c>scheduler.step()</c>; steps beyond the
/// schedule's end hold its last value.
/// </summary>
/// <remarks>
/// Only the coordinator asks: the rate is in the commit record and travels with the step's <c>Apply</c>, so all shards use
/// the same one, and a replay takes it from the record. No host's arithmetic can make two of them differ.
/// </remarks>
public abstract class LearningRateSchedule
{
    private protected LearningRateSchedule() { }

    /// <summary>
    /// Every host computes the same bits: sums, products, quotients and square roots alone, which IEEE 754 rounds in one
    /// way. False where a cosine or a broken power comes from the C library, whose last bits may differ: a coordinator that
    /// goes on with a run on another kind of machine then decides new steps with rates that may differ in their last bits.
    /// </summary>
    public virtual bool IsExact => true;

    /// <summary>The rates hang on evaluations, so there have to be some.</summary>
    public virtual bool FollowsEvaluations => false;

    /// <summary>The rate of <paramref name="step"/>, from 1.</summary>
    public double At(StepId step)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(step.Value, 1, nameof(step));
        return After(step.Value - 1);
    }

    /// <summary>
    /// The schedule once this evaluation is known. To be told in the order of the versions, each once, and before the rate
    /// of the step that consumes the version is asked for: what <see cref="CommitRecord.Evaluation"/> keeps.
    /// </summary>
    public virtual LearningRateSchedule Knowing(EvaluationNote evaluation) => this;

    /// <summary>The rate after so many completed steps.</summary>
    internal abstract double After(long steps);

    /// <summary>The schedule of a run over so many training samples.</summary>
    /// <exception cref="UserMistakeException">Options that contradict each other or that no schedule has; see <see cref="ScheduleRules"/>.</exception>
    public static LearningRateSchedule For(RunOptions run, int trainingSamples)
    {
        ArgumentNullException.ThrowIfNull(run);
        return Create(run.Schedule, RecipeSteps(run, trainingSamples), StepPlan.StepsPerEpoch(trainingSamples, run.Batch), run.Batch);
    }

    /// <summary>Steps of the run's own epochs, whatever <see cref="RunOptions.Steps"/> says.</summary>
    public static long RecipeSteps(RunOptions run, int trainingSamples)
    {
        ArgumentNullException.ThrowIfNull(run);
        return Math.Max(1, (long)Math.Round(run.Epochs * StepPlan.StepsPerEpoch(trainingSamples, run.Batch)));
    }

    /// <param name="totalSteps">Steps that the schedule spans unless the options say so.</param>
    /// <param name="stepsPerEpoch">Turns the options' epochs into steps.</param>
    /// <param name="batch">B, for the scaling by <see cref="ScheduleOptions.BaseBatch"/>; null = the rates are meant as they are.</param>
    /// <exception cref="UserMistakeException">Unknown kind, a number out of range, or a warm-up that is longer than the schedule.</exception>
    public static LearningRateSchedule Create(ScheduleOptions options, long totalSteps, long stepsPerEpoch, int? batch = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentOutOfRangeException.ThrowIfLessThan(stepsPerEpoch, 1);
        if (ScheduleRules.Mistakes(options) is { Count: > 0 } mistakes) throw new UserMistakeException(string.Join('\n', mistakes.Select(static m => m.Sentence)));
        var scaled = batch is { } b ? ScaledTo(options, b) : options;
        var total = options.TotalSteps ?? totalSteps;
        var warmup = StepsOf(options.WarmupEpochs);
        if (warmup == 0) return Proper(scaled, total, stepsPerEpoch, 0);
        if (warmup >= total)
            throw new UserMistakeException($"--warmup-epochs {options.WarmupEpochs} are {warmup} steps, and the schedule spans {total}: nothing is left behind the warm-up; shorten it, or raise --epochs or --schedule-steps");
        return new Warmup(Proper(scaled, total - warmup, stepsPerEpoch, warmup), warmup, options.WarmupFactor, isLinear: options.Warmup == "linear");

        long StepsOf(double epochs) => (long)Math.Round(epochs * stepsPerEpoch);
    }

    /// <summary>Linear scaling (Goyal et al., 2017): every rate of the options by B over the batch that it was chosen for.</summary>
    private static ScheduleOptions ScaledTo(ScheduleOptions options, int batch) => options.BaseBatch is not { } chosen ? options : options with
    {
        LearningRate = options.LearningRate * batch / chosen,
        FinalLearningRate = options.FinalLearningRate * batch / chosen,
    };

    /// <param name="span">Steps from the warm-up's end to the schedule's.</param>
    /// <param name="begin">Steps of the warm-up.</param>
    private static LearningRateSchedule Proper(ScheduleOptions options, long span, long stepsPerEpoch, long begin)
    {
        var rate = options.LearningRate;
        return options.Kind switch
        {
            "constant" => new StepRate(rate, 1, 1),
            "step" => new StepRate(rate, options.Gamma, AtLeastOne(options.StepEpochs)),
            "multi-step" => new MultiStepRate(rate, options.Gamma, [.. options.Milestones!.Select(AtLeastOne)], begin),
            "exponential" => Exponential(options, stepsPerEpoch),
            "per-epoch" => new StepRate(rate, 1 - options.EpochDecay, stepsPerEpoch),
            "inverse-sqrt" => new InverseSqrtRate(rate, options.Gamma),
            "linear" => new LinearRate(rate, options.FinalLearningRate, span),
            "cosine" => new CosineRate(rate, options.FinalLearningRate, span),
            "one-cycle" => new OneCycleRate(options, span),
            "plateau" => new PlateauRate(PlateauState.Begin(rate), options, begin),
            var kind => throw new UserMistakeException($"unknown schedule '{kind}'"),
        };

        long AtLeastOne(double epochs) => Math.Max(1, (long)Math.Round(epochs * stepsPerEpoch));
    }

    private static LearningRateSchedule Exponential(ScheduleOptions options, long stepsPerEpoch)
    {
        var every = options.DecaySteps ?? stepsPerEpoch;
        return options.Staircase || every == 1
            ? new StepRate(options.LearningRate, options.Gamma, every)
            : new ExponentialRate(options.LearningRate, options.Gamma, every);
    }
}
