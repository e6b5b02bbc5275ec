using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using Cluster.Contracts;
using Cluster.Coordinator.Core;

namespace Cluster.Core.Tests;

public sealed class LearningRateScheduleSpecs
{
    private const int Epoch = 4;
    private static readonly JsonSerializerOptions Strict = new() { UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow };

    [Fact]
    public void Every_step_of_every_golden_schedule_has_the_rate_of_torch()
    {
        var kinds = new HashSet<string>();
        foreach (var golden in ArithmeticGolden.Cases("schedules.json"))
        {
            var options = golden.GetProperty("options").Deserialize<ScheduleOptions>(Strict)!;
            kinds.Add(options.Kind);
            var schedule = LearningRateSchedule.Create(options, golden.Whole("total"), Epoch);
            var losses = golden.TryGetProperty("losses", out var told) ? told.EnumerateArray().Select(static l => double.Parse(l.GetString()!, CultureInfo.InvariantCulture)).ToArray() : [];
            var stride = golden.TryGetProperty("stride", out var given) ? given.GetInt32() : 1;
            var expected = golden.GetProperty("rates").Doubles();
            for (var i = 0; i < expected.Length; i++)
            {
                var version = i * stride;
                if (losses.Length > 0 && version > 0 && version % 2 == 0) schedule = schedule.Knowing(new EvaluationNote(new WeightsVersion(version), losses[version / 2 - 1], 0));
                var rate = schedule.At(new StepId(version + 1));
                Assert.True(Math.Abs(rate - expected[i]) <= 1e-14, $"{golden.GetProperty("options")}, step {version + 1}: {rate:R}, torch has {expected[i]:R}");
            }
        }
        Assert.Equal(ScheduleRules.Kinds.Order(), kinds.Order());
    }

    [Fact]
    public void Every_kind_warms_up_to_its_first_rate_in_both_ways()
    {
        foreach (var kind in ScheduleRules.Kinds)
        {
            var options = new ScheduleOptions { Kind = kind, LearningRate = 0.8, Milestones = [7, 8], WarmupEpochs = 2.5, WarmupFactor = 0.2 };
            var first = LearningRateSchedule.Create(options with { WarmupEpochs = 0 }, 100, Epoch).At(new StepId(1));
            var linear = LearningRateSchedule.Create(options, 100, Epoch);
            var constant = LearningRateSchedule.Create(options with { Warmup = "constant" }, 100, Epoch);
            for (var step = 1; step <= 10; step++)
            {
                Assert.Equal(first * (0.2 + 0.8 * (step - 1) / 10), linear.At(new StepId(step)), 1e-15);
                Assert.Equal(first * 0.2, constant.At(new StepId(step)), 1e-15);
            }
            Assert.Equal(first, linear.At(new StepId(11)), 1e-15);
            Assert.Equal(linear.At(new StepId(11)), constant.At(new StepId(11)));
        }
    }

    [Theory]
    [InlineData("linear")]
    [InlineData("cosine")]
    [InlineData("one-cycle")]
    [InlineData("multi-step")]
    public void A_warm_up_leaves_the_end_of_a_schedule_where_it_was(string kind)
    {
        var options = new ScheduleOptions { Kind = kind, LearningRate = 0.8, FinalLearningRate = 0.001, Milestones = [7, 24.75] };
        var (cold, warm) = (LearningRateSchedule.Create(options, 100, Epoch), LearningRateSchedule.Create(options with { WarmupEpochs = 2.5 }, 100, Epoch));
        Assert.All([101L, 102, 1_000], step => Assert.Equal(cold.At(new StepId(step)), warm.At(new StepId(step)), 1e-15));
        Assert.NotEqual(cold.At(new StepId(99)), cold.At(new StepId(101)));
    }

    [Fact]
    public void Rates_scale_with_the_batch_over_the_batch_that_they_were_chosen_for()
    {
        var options = new ScheduleOptions { Kind = "linear", LearningRate = 0.1, FinalLearningRate = 0.01, BaseBatch = 256, WarmupEpochs = 1 };
        var goyal = LearningRateSchedule.Create(options, 100, Epoch, batch: 8192);
        var meant = LearningRateSchedule.Create(options with { LearningRate = 3.2, FinalLearningRate = 0.32, BaseBatch = null }, 100, Epoch, batch: 8192);
        for (var step = 1; step <= 110; step++) Assert.Equal(meant.At(new StepId(step)), goyal.At(new StepId(step)), 1e-14);
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
    public void Degenerate_spans_stay_finite()
    {
        foreach (var kind in new[] { "linear", "cosine", "one-cycle" })
        {
            for (var total = 1; total <= 6; total++)
            {
                foreach (var percent in new[] { 0, 0.2, 0.25, 0.5, 1 })
                {
                    var schedule = LearningRateSchedule.Create(new ScheduleOptions { Kind = kind, LearningRate = 1, PercentStart = percent }, total, 1);
                    for (var step = 1; step <= total + 1; step++) Assert.InRange(schedule.At(new StepId(step)), 0, 1);
                }
            }
        }
    }

    [Fact]
    public void Steps_count_from_one() =>
        Assert.Throws<ArgumentOutOfRangeException>(() => LearningRateSchedule.Create(new ScheduleOptions(), 10, 5).At(new StepId(0)));

    [Fact]
    public void A_run_s_schedule_spans_its_epochs_whatever_its_steps_say()
    {
        var run = new RunOptions { Batch = 64, Epochs = 2.5, Steps = 3, Schedule = new ScheduleOptions { Kind = "linear", LearningRate = 1, BaseBatch = 128 } };
        Assert.Equal(20, LearningRateSchedule.RecipeSteps(run, 500));
        var schedule = LearningRateSchedule.For(run, 500);
        Assert.Equal((0.5, 0.25, 0.0), (schedule.At(new StepId(1)), schedule.At(new StepId(11)), schedule.At(new StepId(21))));
    }
}
