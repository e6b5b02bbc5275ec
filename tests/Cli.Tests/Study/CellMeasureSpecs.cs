using Cluster.Cli.Hosting;
using Cluster.Cli.Study;
using Cluster.Contracts;
using Cluster.Coordinator.Core;

namespace Cluster.Cli.Tests.Study;

public sealed class CellMeasureSpecs
{
    private static CommitLine Line(long step, double loss, int samples = 128, double scale = 1, IReadOnlyList<double>? tensors = null) =>
        new(new CommitRecord(Term.First, new StepId(step), 1, 0, samples, loss, loss / 10, step, scale, 0.1, true, [], TensorScales: tensors), 100);

    private static CellOutcome Of(IReadOnlyList<CommitLine> log, bool clipsTensors = false, string? failure = null, params EvaluationResult[] test) =>
        CellMeasure.Of("c", log, stepsPerEpoch: 50, clipsTensors, test, 3.5, 12, "hash", failure);

    [Fact]
    public void Training_figures_are_means_over_the_samples_of_the_last_tenth()
    {
        var outcome = Of([.. Enumerable.Range(1, 20).Select(static step => Line(step, loss: step == 20 ? 1 : step == 19 ? 4 : 100, samples: step == 20 ? 32 : 96))]);
        Assert.Equal((1 * 32 + 4 * 96) / 128.0, outcome.TrainLoss, 12);
        Assert.Equal(outcome.TrainLoss / 10, outcome.TrainAccuracy, 12);
        Assert.Equal(19.5, outcome.GradientNorm);
    }

    [Fact]
    public void The_last_tenth_is_at_most_an_epoch() =>
        Assert.Equal(975.5, Of([.. Enumerable.Range(1, 1000).Select(static step => Line(step, 1))]).GradientNorm);

    [Fact]
    public void The_test_figures_are_those_of_the_last_evaluation()
    {
        var outcome = Of([Line(1, 2), Line(2, 1)], test: [new EvaluationResult(1, 2, 0.1, 0.5, 200), new EvaluationResult(2, 1.5, 0.25, 0.6, 200)]);
        Assert.Equal((1.5, 0.25, 200L), (outcome.TestLoss, outcome.TestAccuracy, outcome.TestSamples));
        Assert.Equal([1, 2], outcome.Test.Select(static sample => sample.Step));
        Assert.Equal(0.1 - 0.25, outcome.Gap!.Value, 12);
    }

    [Fact]
    public void Steps_that_any_clipping_scaled_down_are_counted_and_rates_of_tensors_are_not()
    {
        CommitLine[] log = [Line(1, 1), Line(2, 1, scale: 0.5), Line(3, 1, tensors: [1, 0.9]), Line(4, 1, tensors: [1, 1])];
        Assert.Equal(0.25, Of(log).ClippedShare);
        Assert.Equal(0.5, Of(log, clipsTensors: true).ClippedShare);
    }

    [Fact]
    public void A_long_curve_is_a_few_hundred_means_and_ends_at_the_last_step()
    {
        var curve = Of([.. Enumerable.Range(1, 10_007).Select(static step => Line(step, step))]).Training;
        Assert.InRange(curve.Length, 100, 240);
        Assert.Equal(10_007, curve[^1].Step);
        Assert.Equal((1 + curve[0].Step) / 2.0, curve[0].Loss, 9);
    }

    [Fact]
    public void A_cell_that_diverged_has_no_test_figures_and_one_that_did_so_at_once_no_figures_at_all()
    {
        var late = Of([Line(1, 1)], failure: "diverged", test: [new EvaluationResult(1, 1, 0.5, 1, 10)]);
        Assert.Equal((1L, (double?)null, (double?)null), (late.Steps, late.TestAccuracy, late.Gap));
        var early = Of([], failure: "diverged");
        Assert.Equal(0, early.Steps);
        Assert.True(double.IsNaN(early.TrainLoss));
        Assert.Empty(early.Training);
    }

    [Fact]
    public void An_outcome_is_read_as_it_was_written()
    {
        using var world = new World();
        foreach (var outcome in new[] { StudyFixtures.Outcome("c"), StudyFixtures.Diverged("c"), Of([], failure: "diverged") })
        {
            File.WriteAllBytes(world.PathOf(CellOutcome.FileName), outcome.ToJson());
            var read = CellOutcome.Read(world.Folder)!;
            Assert.Equal(outcome.Training.AsEnumerable(), read.Training);
            Assert.Equal(outcome.Test.AsEnumerable(), read.Test);
            Assert.Equal(outcome with { Training = [], Test = [] }, read with { Training = [], Test = [] });
        }
        File.WriteAllText(world.PathOf(CellOutcome.FileName), "{\"cell\":\"c\"}");
        Assert.Contains("is damaged", Assert.Throws<UserMistakeException>(() => CellOutcome.Read(world.Folder)).Message);
    }
}
