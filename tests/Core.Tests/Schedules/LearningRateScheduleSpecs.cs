using Cluster.Contracts;
using Cluster.Coordinator.Core;

namespace Cluster.Core.Tests;

public sealed class LearningRateScheduleSpecs
{
    [Fact]
    public void Every_step_of_every_golden_schedule_has_the_rate_of_torch()
    {
        var cases = ArithmeticGolden.Cases("schedules.json");
        Assert.Equal(8, cases.Count);
        foreach (var golden in cases)
        {
            var expected = golden.GetProperty("rates").Doubles();
            var options = golden.Text("kind") == "step"
                ? new ScheduleOptions { Kind = "step", LearningRate = 0.6, Gamma = golden.Number("gamma"), StepEpochs = golden.Whole("every") / 2.0 }
                : new ScheduleOptions
                {
                    Kind = "one-cycle",
                    LearningRate = 0.6,
                    PercentStart = golden.Number("percent_start"),
                    Anneal = golden.Text("anneal"),
                    DivFactor = golden.Number("div_factor"),
                    FinalDivFactor = golden.Number("final_div_factor"),
                };
            var schedule = LearningRateSchedule.Create(options, expected.Length, stepsPerEpoch: 2);
            for (var i = 0; i < expected.Length; i++)
                Assert.True(Math.Abs(schedule.At(new StepId(i + 1)) - expected[i]) <= 1e-14, $"{golden.Text("kind")}, step {i + 1}: {schedule.At(new StepId(i + 1)):R}, torch has {expected[i]:R}");
        }
    }

    [Fact]
    public void Constant_holds_its_rate()
    {
        var schedule = LearningRateSchedule.Create(new ScheduleOptions { LearningRate = 0.25 }, 10, 5);
        Assert.All([1L, 10, 1_000_000], step => Assert.Equal(0.25, schedule.At(new StepId(step))));
    }

    [Theory]
    [InlineData("cos")]
    [InlineData("linear")]
    public void One_cycle_starts_peaks_and_ends_where_it_says_and_then_holds(string anneal)
    {
        var options = new ScheduleOptions { Kind = "one-cycle", LearningRate = 1, PercentStart = 0.3, DivFactor = 25, FinalDivFactor = 1e4, Anneal = anneal };
        var schedule = LearningRateSchedule.Create(options, 100, 10);
        Assert.Equal(0.04, schedule.At(new StepId(1)), 15);
        Assert.Equal(1, schedule.At(new StepId(30)), 15);
        Assert.Equal(4e-6, schedule.At(new StepId(100)), 15);
        Assert.Equal(schedule.At(new StepId(100)), schedule.At(new StepId(101)));
        Assert.Equal(schedule.At(new StepId(100)), schedule.At(new StepId(100_000)));
    }

    [Fact]
    public void Total_steps_of_the_options_come_before_those_of_the_run()
    {
        var options = new ScheduleOptions { Kind = "one-cycle", LearningRate = 1, TotalSteps = 40 };
        var (own, given) = (LearningRateSchedule.Create(options, 12, 10), LearningRateSchedule.Create(options with { TotalSteps = null }, 40, 10));
        for (var step = 1; step <= 50; step++) Assert.Equal(given.At(new StepId(step)), own.At(new StepId(step)));
    }

    [Fact]
    public void Degenerate_one_cycles_stay_finite()
    {
        for (var total = 1; total <= 6; total++)
        {
            foreach (var percent in new[] { 0, 0.2, 0.25, 0.5, 1 })
            {
                var schedule = LearningRateSchedule.Create(new ScheduleOptions { Kind = "one-cycle", LearningRate = 1, PercentStart = percent }, total, 1);
                for (var step = 1; step <= total + 1; step++) Assert.InRange(schedule.At(new StepId(step)), 0, 1);
            }
        }
    }

    [Fact]
    public void Step_schedule_drops_after_whole_steps_of_fractional_epochs()
    {
        var schedule = LearningRateSchedule.Create(new ScheduleOptions { Kind = "step", LearningRate = 1, Gamma = 0.5, StepEpochs = 1.5 }, 100, 10);
        Assert.Equal((1, 0.5, 0.5, 0.25), (schedule.At(new StepId(15)), schedule.At(new StepId(16)), schedule.At(new StepId(30)), schedule.At(new StepId(31))));
    }

    [Fact]
    public void Steps_count_from_one() =>
        Assert.Throws<ArgumentOutOfRangeException>(() => LearningRateSchedule.Create(new ScheduleOptions(), 10, 5).At(new StepId(0)));

    [Fact]
    public void Impossible_options_are_user_mistakes()
    {
        ScheduleOptions[] bad =
        [
            new() { Kind = "cosine" },
            new() { LearningRate = -0.1 },
            new() { LearningRate = double.NaN },
            new() { Kind = "step", StepEpochs = 0 },
            new() { Kind = "step", Gamma = -1 },
            new() { Kind = "one-cycle", TotalSteps = 0 },
            new() { Kind = "one-cycle", PercentStart = 1.5 },
            new() { Kind = "one-cycle", DivFactor = 0 },
            new() { Kind = "one-cycle", Anneal = "quadratic" },
        ];
        Assert.All(bad, options => Assert.Throws<UserMistakeException>(() => LearningRateSchedule.Create(options, 10, 5)));
    }
}
