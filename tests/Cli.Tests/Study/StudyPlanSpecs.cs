using Cluster.Cli.Study;
using Cluster.Contracts;

namespace Cluster.Cli.Tests.Study;

public sealed class StudyPlanSpecs
{
    private static string? ValueOf(StudyCell cell, string key) => cell.Settings.LastOrDefault(setting => setting.Key == key)?.Value;

    [Fact]
    public void Cells_come_variant_by_variant_so_that_the_first_comparison_is_complete_first() =>
        Assert.Equal(["small-cnn-none", "resnet20-none", "small-cnn-l2", "resnet20-l2"], StudyFixtures.Plan().Cells.Select(static cell => cell.Name));

    [Fact]
    public void Every_model_has_its_own_rate_unless_one_is_given_for_all()
    {
        Assert.Equal(["0.05", "0.1"], StudyFixtures.Plan().Cells.Take(2).Select(static cell => ValueOf(cell, "schedule.lr")));
        var request = StudyFixtures.Request();
        var given = request with { IsRateGiven = true, Shared = request.Shared with { Schedule = request.Shared.Schedule with { LearningRate = 0.3 } } };
        Assert.All(StudyPlanner.ForSteps(given, 10).Cells, static cell => Assert.Equal("0.3", ValueOf(cell, "schedule.lr")));
    }

    [Fact]
    public void Strengths_follow_what_the_cells_share()
    {
        var shared = Studies.WeightDecay.Base with { Optimizer = Studies.WeightDecay.Base.Optimizer with { WeightDecay = 1e-3, Momentum = 0.8 } };
        var options = StudyPlan.CellsOf(Studies.WeightDecay.Variants, [StudyFixtures.Fast], shared, isRateGiven: false)
            .ToDictionary(static cell => cell.Variant, cell => StudyPlan.Applied(cell, shared).Optimizer);
        Assert.Equal((PenaltyKind.None, 0.0), (options["none"].PenaltyOf(), options["none"].MaxNorm));
        Assert.Equal((PenaltyKind.L2, 1e-3), (options["l2"].PenaltyOf(), options["l2"].WeightDecay));
        Assert.Equal((PenaltyKind.Decoupled, 5e-3), (options["decoupled"].PenaltyOf(), options["decoupled"].WeightDecay));
        Assert.Equal((PenaltyKind.L1, 2e-5), (options["l1"].PenaltyOf(), options["l1"].L1));
        Assert.Equal((PenaltyKind.ElasticNet, 5e-4, 1e-5), (options["elastic-net"].PenaltyOf(), options["elastic-net"].WeightDecay, options["elastic-net"].L1));
        Assert.Equal((PenaltyKind.None, 3.0), (options["max-norm"].PenaltyOf(), options["max-norm"].MaxNorm));
    }

    [Fact]
    public void Variants_of_a_study_differ_in_what_they_set_and_in_nothing_else()
    {
        foreach (var study in Studies.All)
        {
            var all = StudyPlan.CellsOf(study.Variants, [StudyFixtures.Fast], study.Base, isRateGiven: false).Select(cell => (cell.Name, Options: StudyPlan.Applied(cell, study.Base))).ToList();
            Assert.All(StudyPlan.CellsOf(study.Variants, [StudyFixtures.Fast], study.Base, isRateGiven: false), static cell => Assert.Distinct(cell.Settings.Select(static setting => setting.Key)));
            for (var i = 0; i < all.Count; i++)
            {
                for (var j = 0; j < i; j++)
                    Assert.True(all[i].Options.Optimizer != all[j].Options.Optimizer, $"{study.Name}: {all[i].Name} and {all[j].Name} are the same");
                Assert.Equal(all[0].Options with { Optimizer = new(), Schedule = new() }, all[i].Options with { Optimizer = new(), Schedule = new() });
            }
        }
    }

    [Fact]
    public void A_cell_stops_where_its_schedule_ends()
    {
        var plan = StudyFixtures.Plan(steps: 77);
        Assert.All(plan.Cells, cell => Assert.Equal((77L, 77L), (plan.OptionsOf(cell).Steps, plan.OptionsOf(cell).Schedule.TotalSteps)));
    }

    [Fact]
    public void A_plan_is_read_as_it_was_written()
    {
        var plan = StudyPlanner.ForMinutes(StudyFixtures.Request(), 12.5, 7, StudyFixtures.Probes) with { Rate = 0.25 };
        var read = StudyPlanFile.Parse(StudyPlanFile.Write(plan), "study.yaml");
        Assert.Equal(plan.Cells.AsEnumerable(), read.Cells);
        Assert.Equal(plan.Probes.AsEnumerable(), read.Probes);
        Assert.Equal(plan.LeftOut.AsEnumerable(), read.LeftOut);
        Assert.Equal(plan with { Cells = [], Probes = [], LeftOut = [] }, read with { Cells = [], Probes = [], LeftOut = [] });
    }

    [Theory]
    [InlineData("steps: \"3900\"", "steps: many", "steps is no whole number")]
    [InlineData("name: small-cnn-none", "name: ../../x", "is no name of a cell")]
    [InlineData("  batch:", "  btach:", "unknown option btach")]
    [InlineData("cells:", "sells:", "cells is missing")]
    [InlineData("study: ", "study: [", "is not valid YAML")]
    public void A_plan_that_was_changed_by_hand_is_refused_with_the_place(string from, string to, string expected)
    {
        var text = StudyPlanFile.Write(StudyFixtures.Plan());
        Assert.Contains(from, text);
        var mistake = Assert.Throws<UserMistakeException>(() => StudyPlanFile.Parse(text.Replace(from, to), "runs/s/study.yaml"));
        Assert.StartsWith("runs/s/study.yaml: ", mistake.Message);
        Assert.Contains(expected, mistake.Message);
    }
}
