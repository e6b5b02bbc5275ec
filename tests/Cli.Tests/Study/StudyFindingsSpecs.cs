using Cluster.Cli.Study;

namespace Cluster.Cli.Tests.Study;

public sealed class StudyFindingsSpecs
{
    private static readonly StudyPlan Long = StudyFixtures.Plan(steps: 10 * StudyFixtures.StepsPerEpoch);

    private static IReadOnlyList<string> Of(StudyPlan plan, params CellOutcome[] outcomes) => StudyFindings.Of(plan.With(outcomes)).Sentences;

    [Theory]
    [InlineData(1)]
    [InlineData(StudyFixtures.StepsPerEpoch * 5 - 1)]
    public void Under_five_epochs_nothing_is_concluded_whatever_the_numbers(int steps)
    {
        var findings = StudyFindings.Of(StudyFixtures.Plan(steps).With(
            StudyFixtures.Outcome("small-cnn-none", 0.2), StudyFixtures.Outcome("small-cnn-l2", 0.9), StudyFixtures.Outcome("resnet20-none"), StudyFixtures.Outcome("resnet20-l2")));
        Assert.True(findings.IsShort);
        Assert.StartsWith("Too short to conclude: every cell trained ", Assert.Single(findings.Sentences));
    }

    [Fact]
    public void A_difference_is_told_with_its_sampling_error()
    {
        var sentences = Of(
            Long, StudyFixtures.Outcome("small-cnn-none", 0.80, 0.95, weightNorm: 40), StudyFixtures.Outcome("small-cnn-l2", 0.83, 0.93, weightNorm: 10),
            StudyFixtures.Outcome("resnet20-none", 0.85, 0.95, weightNorm: 40), StudyFixtures.Outcome("resnet20-l2", 0.852, 0.93, weightNorm: 10));
        // sqrt(0.8 * 0.2 / 10000 + 0.83 * 0.17 / 10000) = 0.0055: three points exceed twice that, two tenths of a point do not.
        Assert.Equal(
            "l2 against none: test accuracy is higher for 2 of 2 architectures and changes by +1.6 points on average, most for small-cnn (+3 points); "
            + "1 difference exceeds twice the sampling error (up to 0.55 points). "
            + "The gap between training and test accuracy narrows by 3.6 points, and the weights end 0.25 times as large.",
            sentences[0]);
        Assert.Equal("Best on the test images: small-cnn with l2 (83 %), resnet20 with l2 (85.2 %).", sentences[1]);
        Assert.StartsWith("One seed: ", sentences[2]);
    }

    [Fact]
    public void A_loss_is_told_as_a_loss()
    {
        var sentences = Of(Long, StudyFixtures.Outcome("small-cnn-none", 0.83), StudyFixtures.Outcome("small-cnn-l2", 0.80));
        Assert.StartsWith("l2 against none: test accuracy changes by −3 points for small-cnn, more than twice the sampling error of 0.55. The gap between training and test accuracy widens by 3 points", sentences[0]);
        Assert.Equal("Best on the test images: small-cnn with none (83 %).", sentences[1]);
        Assert.Equal("2 of 4 cells have ended; the others are missing here.", sentences[^1]);
    }

    [Fact]
    public void Cells_that_diverged_are_named_and_compared_with_nothing()
    {
        var sentences = Of(Long, StudyFixtures.Outcome("small-cnn-none"), StudyFixtures.Diverged("small-cnn-l2"), StudyFixtures.Outcome("resnet20-none"), StudyFixtures.Diverged("resnet20-l2"));
        Assert.DoesNotContain(sentences, static sentence => sentence.StartsWith("l2 against none", StringComparison.Ordinal));
        Assert.Contains("Diverged: small-cnn with l2 behind step 7, resnet20 with l2 behind step 7.", sentences);
    }

    [Fact]
    public void Before_the_first_cell_there_is_nothing_to_say() => Assert.Equal(["No cell has ended yet."], Of(Long));
}
