using System.Collections.Immutable;
using Cluster.Contracts;

namespace Cluster.Cli.Study;

/// <summary>What is to be planned.</summary>
/// <param name="Models">In order.</param>
/// <param name="Variants">In order.</param>
/// <param name="AllVariants">Every variant runs, however short the time: they were asked for by name.</param>
/// <param name="Shared">What all cells share.</param>
/// <param name="IsRateGiven">The shared learning rate holds for every model.</param>
/// <param name="StepsPerEpoch">Of the data at the shared batch.</param>
/// <param name="TestSamples">Of the whole test set.</param>
internal sealed record StudyRequest(
    StudyDefinition Study, IReadOnlyList<StudyModel> Models, IReadOnlyList<StudyVariant> Variants, bool AllVariants, RunOptions Shared, bool IsRateGiven, int StepsPerEpoch, int TestSamples)
{
    /// <summary>Samples of the test set to evaluate; null = to be chosen.</summary>
    public int? EvalSamples { get; init; }

    /// <summary>Steps between evaluations; null = to be chosen.</summary>
    public long? EvalEvery { get; init; }
}

/// <summary>Turns time, or a number of steps, into the cells of a study and their length. Pure.</summary>
internal static class StudyPlanner
{
    /// <summary>A variant beyond the required ones is taken in while every cell still gets so many epochs: less shows nothing.</summary>
    private const double LeastEpochs = 0.1;

    /// <summary>No more: even the recipes of the literature end before.</summary>
    private const double MostEpochs = 200;

    /// <summary>Share of the time that evaluations may take.</summary>
    private const double EvaluationShare = 0.2;

    /// <summary>Points of a test curve.</summary>
    private const int MostEvaluations = 20;

    /// <summary>Share of the time that is planned with: machines are not equally fast all the time.</summary>
    private const double Planned = 0.92;

    /// <summary>Sizes of evaluation subsets, whole batches where they can be; with 500 images one standard error of an accuracy is at most 2.3 points.</summary>
    private static readonly int[] SubsetSizes = [5000, 2000, 1000, 500, 200, 100];

    /// <summary>Every cell has the steps that were asked for.</summary>
    public static StudyPlan ForSteps(StudyRequest request, long steps)
    {
        ArgumentNullException.ThrowIfNull(request);
        ArgumentOutOfRangeException.ThrowIfLessThan(steps, 1);
        var evaluations = Math.Clamp(steps / request.StepsPerEpoch, 1, MostEvaluations);
        return PlanOf(request, minutes: null, steps, request.Variants, request.EvalSamples ?? 0, evaluations, []);
    }

    /// <summary>
    /// Every cell has as many steps as the time allows, at least one. As many variants run as leave every cell a tenth of an
    /// epoch, at least the required ones.
    /// </summary>
    /// <param name="minutes">For everything, what the probes took included.</param>
    /// <param name="spentSeconds">By the probes.</param>
    /// <param name="probes">One per model.</param>
    public static StudyPlan ForMinutes(StudyRequest request, double minutes, double spentSeconds, IReadOnlyList<StudyProbe> probes)
    {
        ArgumentNullException.ThrowIfNull(request);
        var seconds = Math.Max(0, (minutes * 60 - spentSeconds) * Planned);
        var least = request.AllVariants ? request.Variants.Count : Math.Min(StudyDefinition.Required, request.Variants.Count);
        for (var count = request.Variants.Count; ; count--)
        {
            var cost = new Cost(request, probes, count, seconds);
            if (count > least && cost.Steps < LeastEpochs * request.StepsPerEpoch) continue;
            return PlanOf(request, minutes, cost.Steps, [.. request.Variants.Take(count)], cost.EvalSamples, cost.Evaluations, [.. probes]);
        }
    }

    /// <summary>Seconds that a cell of this model should take; null when nobody measured.</summary>
    public static double? SecondsOf(StudyPlan plan, string model)
    {
        ArgumentNullException.ThrowIfNull(plan);
        if (plan.Probes.FirstOrDefault(probe => probe.Model == model) is not { } probe) return null;
        var evaluations = plan.Base.EvalEvery > 0 ? plan.Steps / plan.Base.EvalEvery + 1 : 1;
        return probe.SetupSeconds + plan.Steps * probe.StepSeconds + evaluations * EvaluationSeconds(probe, plan.Evaluated, plan.Base.Workers);
    }

    /// <summary>Workers share an evaluation by batches.</summary>
    private static double EvaluationSeconds(StudyProbe probe, int samples, int workers)
    {
        const int batch = Workers.Data.EvaluationBatches.MaxBatchSize;
        var batches = (samples + batch - 1) / batch;
        return (batches + workers - 1) / workers * Math.Min(batch, samples) * probe.ImageSeconds;
    }

    private static StudyPlan PlanOf(
        StudyRequest request, double? minutes, long steps, IReadOnlyList<StudyVariant> variants, int evalSamples, long evaluations, ImmutableArray<StudyProbe> probes)
    {
        var samples = evalSamples >= request.TestSamples ? 0 : evalSamples;
        var shared = request.Shared with { EvalSamples = samples, EvalEvery = request.EvalEvery ?? (evaluations > 1 ? (steps + evaluations - 1) / evaluations : 0) };
        return new StudyPlan(
            request.Study.Name, minutes, steps, request.StepsPerEpoch, request.TestSamples, shared, StudyPlan.CellsOf(variants, request.Models, shared, request.IsRateGiven),
            [.. request.Variants.Skip(variants.Count).Select(static variant => variant.Name)], probes)
        {
            Rate = request.IsRateGiven ? shared.Schedule.LearningRate : null,
        };
    }

    /// <summary>What a study of the first so many variants comes to within some seconds.</summary>
    private sealed class Cost
    {
        public Cost(StudyRequest request, IReadOnlyList<StudyProbe> probes, int variants, double seconds)
        {
            var measured = request.Models.Select(model => probes.First(probe => probe.Model == model.Name)).ToList();
            double Evaluation(int samples) => variants * measured.Sum(probe => EvaluationSeconds(probe, samples, request.Shared.Workers));
            var sizes = SubsetSizes.Prepend(request.TestSamples).Where(size => size <= request.TestSamples).ToList();
            EvalSamples = request.EvalSamples is { } given ? (given == 0 ? request.TestSamples : Math.Min(given, request.TestSamples))
                : sizes.Where(size => Evaluation(size) <= EvaluationShare * seconds).FirstOrDefault(sizes[^1]);
            var once = Evaluation(EvalSamples);
            var step = variants * measured.Sum(static probe => probe.StepSeconds);
            var setup = variants * measured.Sum(static probe => probe.SetupSeconds);
            var longest = (long)(MostEpochs * request.StepsPerEpoch);
            long StepsWith(long evaluations) => Math.Clamp((long)((seconds - setup - evaluations * once) / step), 1, longest);

            var epochs = StepsWith(1) / request.StepsPerEpoch;
            Evaluations = Math.Max(1, Math.Min(Math.Min(epochs, MostEvaluations), (long)(EvaluationShare * seconds / Math.Max(once, 1e-9))));
            Steps = StepsWith(Evaluations);
        }

        public long Steps { get; }
        public int EvalSamples { get; }
        public long Evaluations { get; }
    }
}
