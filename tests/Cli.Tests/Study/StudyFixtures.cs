using System.Collections.Immutable;
using Cluster.Cli.Study;
using Cluster.Contracts;

namespace Cluster.Cli.Tests.Study;

/// <summary>Plans and outcomes for the specs of the pure core.</summary>
internal static class StudyFixtures
{
    public const int StepsPerEpoch = 390, TestSamples = 10_000;

    public static readonly StudyModel Fast = new("Fast", "small-cnn", 0.05), Slow = new("Slow", "resnet20", 0.1);

    public static readonly IReadOnlyList<StudyProbe> Probes = [new("small-cnn", 2, 0.1, 0.001), new("resnet20", 3, 0.4, 0.004)];

    public static StudyRequest Request(StudyDefinition? study = null, bool named = false) =>
        new(study ?? Studies.WeightDecay, [Fast, Slow], (study ?? Studies.WeightDecay).Variants, named, Studies.WeightDecay.Base, IsRateGiven: false, StepsPerEpoch, TestSamples);

    public static StudyPlan Plan(long steps = 3900, int variants = 2) =>
        StudyPlanner.ForSteps(Request() with { Variants = [.. Studies.WeightDecay.Variants.Take(variants)] }, steps);

    public static CellOutcome Outcome(string cell, double testAccuracy = 0.8, double trainAccuracy = 0.9, double seconds = 10, double weightNorm = 20) => new(
        cell, 3900, 0.3, trainAccuracy, 0.6, testAccuracy, TestSamples, weightNorm, 1.5, 0, seconds, new string('a', 64), null,
        [new CurveSample(10, 2, 0.3), new CurveSample(20, 1, 0.6)], [new CurveSample(20, 0.6, testAccuracy)]);

    public static CellOutcome Diverged(string cell) =>
        Outcome(cell) with { Steps = 7, TestLoss = null, TestAccuracy = null, TestSamples = 0, WeightNorm = null, StateSha256 = null, Failure = "diverged: a gradient was not finite", Test = ImmutableArray<CurveSample>.Empty };

    public static StudyState With(this StudyPlan plan, params CellOutcome[] outcomes) => outcomes.Aggregate(StudyState.Of(plan), static (state, outcome) => state.With(outcome));
}
