using Cluster.Cli.Study;

namespace Cluster.Cli.Tests.Study;

public sealed class StudyStateSpecs
{
    [Fact]
    public void The_next_cell_is_the_first_in_the_plan_that_has_not_ended()
    {
        var plan = StudyFixtures.Plan();
        Assert.Equal("small-cnn-none", StudyState.Of(plan).Next!.Name);
        // Whatever ended out of order, as after somebody deleted a cell.json.
        Assert.Equal("resnet20-none", plan.With(StudyFixtures.Outcome("small-cnn-none"), StudyFixtures.Outcome("small-cnn-l2")).Next!.Name);
    }

    [Fact]
    public void A_cell_that_diverged_has_ended()
    {
        var plan = StudyFixtures.Plan();
        var state = plan.With([.. plan.Cells.Select(static cell => StudyFixtures.Diverged(cell.Name))]);
        Assert.True(state.IsComplete);
        Assert.Equal(TimeSpan.Zero, state.Remaining());
    }

    [Fact]
    public void Nothing_is_estimated_before_anything_is_known() => Assert.Null(StudyState.Of(StudyFixtures.Plan()).Remaining());

    [Fact]
    public void A_model_that_was_trained_takes_again_what_it_took_and_the_cell_under_way_only_the_rest()
    {
        var state = StudyFixtures.Plan().With(StudyFixtures.Outcome("small-cnn-none", seconds: 10), StudyFixtures.Outcome("resnet20-none", seconds: 40));
        Assert.Equal(50, state.Remaining()!.Value.TotalSeconds, 6);
        Assert.Equal(42.5, state.Remaining(running: 0.75)!.Value.TotalSeconds, 6);
    }

    [Fact]
    public void A_model_that_was_only_probed_takes_longer_as_the_others_did()
    {
        var plan = StudyPlanner.ForMinutes(StudyFixtures.Request(), 3, 0, StudyFixtures.Probes);
        var (fast, slow) = (StudyPlanner.SecondsOf(plan, "small-cnn")!.Value, StudyPlanner.SecondsOf(plan, "resnet20")!.Value);
        var each = plan.Variants.Count;
        Assert.Equal(each * (fast + slow), StudyState.Of(plan).Remaining()!.Value.TotalSeconds, 6);
        var half = plan.With(StudyFixtures.Outcome("small-cnn-none", seconds: 2 * fast));
        Assert.Equal(2 * ((each - 1) * fast + each * slow), half.Remaining()!.Value.TotalSeconds, 6);
    }
}
