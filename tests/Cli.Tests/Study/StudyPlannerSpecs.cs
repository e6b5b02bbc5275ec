using Cluster.Cli.Study;

namespace Cluster.Cli.Tests.Study;

public sealed class StudyPlannerSpecs
{
    private static StudyPlan For(double minutes, bool named = false) => StudyPlanner.ForMinutes(StudyFixtures.Request(named: named), minutes, spentSeconds: 5, StudyFixtures.Probes);

    private static double SecondsOf(StudyPlan plan) => plan.Cells.Sum(cell => StudyPlanner.SecondsOf(plan, cell.Model)!.Value);

    [Theory]
    [InlineData(0.001)]
    [InlineData(0.2)]
    public void The_first_two_variants_of_every_model_always_run_with_at_least_one_step(double minutes)
    {
        var plan = For(minutes);
        Assert.Equal(["small-cnn-none", "resnet20-none", "small-cnn-l2", "resnet20-l2"], plan.Cells.Select(static cell => cell.Name));
        Assert.Equal(1, plan.Steps);
        Assert.Equal(["decoupled", "l1", "elastic-net", "max-norm"], plan.LeftOut.AsEnumerable());
        Assert.InRange(plan.Evaluated, 1, StudyFixtures.TestSamples - 1);
    }

    [Fact]
    public void Steps_fill_the_time_and_do_not_exceed_it()
    {
        foreach (var minutes in new[] { 2.0, 5, 10, 60, 600 })
        {
            var plan = For(minutes);
            Assert.InRange(SecondsOf(plan) + 5, minutes * 60 * 0.7, minutes * 60);
        }
    }

    [Fact]
    public void More_time_brings_more_variants_and_each_still_gets_a_tenth_of_an_epoch()
    {
        var counts = new[] { 1.0, 3, 6, 12, 30, 120 }.Select(minutes => For(minutes)).ToList();
        Assert.Equal(counts.Select(static plan => plan.Variants.Count).Order(), counts.Select(static plan => plan.Variants.Count));
        Assert.Equal(2, counts[0].Variants.Count);
        Assert.Equal(6, counts[^1].Variants.Count);
        Assert.All(counts.Where(static plan => plan.Variants.Count > 2), static plan => Assert.True(plan.Epochs >= 0.1));
    }

    [Fact]
    public void Variants_that_were_named_all_run_however_short_the_time()
    {
        var plan = For(0.2, named: true);
        Assert.Equal(6, plan.Variants.Count);
        Assert.Empty(plan.LeftOut);
    }

    [Fact]
    public void The_whole_test_set_is_evaluated_when_the_time_allows_and_else_one_subset_for_all()
    {
        var (shorter, longer) = (For(3), For(120));
        Assert.InRange(shorter.Evaluated, 100, 5000);
        Assert.Equal(shorter.Evaluated, shorter.Base.EvalSamples);
        Assert.Equal((0, StudyFixtures.TestSamples), (longer.Base.EvalSamples, longer.Evaluated));
    }

    [Fact]
    public void A_study_of_many_epochs_evaluates_on_the_way()
    {
        var plan = For(2000);
        Assert.True(plan.Epochs > 10);
        Assert.InRange(plan.Steps / plan.Base.EvalEvery, 5, 20);
        Assert.Equal(0, For(2).Base.EvalEvery);
    }

    [Fact]
    public void What_was_given_about_evaluations_is_kept()
    {
        var plan = StudyPlanner.ForMinutes(StudyFixtures.Request() with { EvalSamples = 300, EvalEvery = 2 }, 10, 0, StudyFixtures.Probes);
        Assert.Equal((300, 2L), (plan.Base.EvalSamples, plan.Base.EvalEvery));
    }

    [Fact]
    public void Steps_that_were_given_hold_for_every_variant_and_measure_nothing()
    {
        var plan = StudyPlanner.ForSteps(StudyFixtures.Request(), 4);
        Assert.Equal((4L, 12, 0), (plan.Steps, plan.Cells.Length, plan.Probes.Length));
        Assert.Null(StudyPlanner.SecondsOf(plan, "small-cnn"));
    }

    [Fact]
    public void A_huge_time_ends_at_two_hundred_epochs() => Assert.Equal(200 * StudyFixtures.StepsPerEpoch, For(1e6).Steps);
}
