using Cluster.Contracts;
using Cluster.Coordinator.Core;

namespace Cluster.Core.Tests;

public sealed class ScheduleRulesSpecs
{
    private static ScheduleOptions Of(string kind) => new() { Kind = kind };

    public static TheoryData<ScheduleOptions, string, string> Impossible => new()
    {
        { Of("cosines"), "schedule.kind", "unknown schedule 'cosines'; did you mean cosine?" },
        { new() { LearningRate = -0.1 }, "schedule.lr", "--lr -0.1" },
        { new() { LearningRate = double.NaN }, "schedule.lr", "--lr NaN" },
        { new() { BaseBatch = 0 }, "schedule.base-batch", "--base-batch 0" },
        { new() { TotalSteps = 0 }, "schedule.total-steps", "--schedule-steps 0" },
        { new() { WarmupEpochs = -1 }, "schedule.warmup-epochs", "--warmup-epochs -1" },
        { new() { Warmup = "cosine" }, "schedule.warmup", "use linear or constant" },
        { new() { WarmupFactor = 2 }, "schedule.warmup-factor", "--warmup-factor 2" },
        { Of("step") with { StepEpochs = 0 }, "schedule.step-epochs", "--step-epochs 0" },
        { Of("step") with { Gamma = -1 }, "schedule.gamma", "--gamma -1" },
        { Of("multi-step"), "schedule.milestones", "needs --milestones" },
        { Of("multi-step") with { Milestones = [4, 3] }, "schedule.milestones", "--milestones 4,3 must ascend" },
        { Of("multi-step") with { Milestones = [2, 8], WarmupEpochs = 5 }, "schedule.milestones", "after the 5 epochs of the warm-up" },
        { Of("exponential") with { Gamma = 0 }, "schedule.gamma", "--gamma 0" },
        { Of("exponential") with { DecaySteps = 0 }, "schedule.decay-steps", "--decay-steps 0" },
        { Of("per-epoch") with { EpochDecay = 1.5 }, "schedule.epoch-decay", "--epoch-decay 1.5" },
        { Of("inverse-sqrt") with { Gamma = double.PositiveInfinity }, "schedule.gamma", "--gamma" },
        { Of("linear") with { FinalLearningRate = -1 }, "schedule.final-lr", "--final-lr -1" },
        { Of("one-cycle") with { PercentStart = 1.5 }, "schedule.pct-start", "--pct-start 1.5" },
        { Of("one-cycle") with { DivFactor = 0 }, "schedule.div-factor", "--div-factor 0" },
        { Of("one-cycle") with { FinalDivFactor = 0 }, "schedule.final-div-factor", "--final-div-factor 0" },
        { Of("one-cycle") with { Anneal = "quadratic" }, "schedule.anneal", "use cos or linear" },
        { Of("plateau") with { Gamma = 1 }, "schedule.gamma", "it is the factor of a drop" },
        { Of("plateau") with { Patience = -1 }, "schedule.patience", "--lr-patience -1" },
        { Of("plateau") with { Threshold = 1 }, "schedule.threshold", "--lr-threshold 1" },
        { Of("plateau") with { Cooldown = -1 }, "schedule.cooldown", "--lr-cooldown -1" },
        { Of("plateau") with { FinalLearningRate = 0.2 }, "schedule.final-lr", "between 0 and --lr 0.1" },
    };

    [Theory]
    [MemberData(nameof(Impossible))]
    public void A_schedule_that_cannot_be_is_refused_by_the_name_of_its_option(ScheduleOptions options, string key, string says)
    {
        var mistake = Assert.Single(ScheduleRules.Mistakes(options));
        Assert.Equal([key], mistake.Keys);
        Assert.Contains(says, mistake.Sentence, StringComparison.Ordinal);
        Assert.Equal(mistake.Sentence, Assert.Throws<UserMistakeException>(() => LearningRateSchedule.Create(options, 1000, 5)).Message);
    }

    [Fact]
    public void All_mistakes_are_told_together() =>
        Assert.Equal(3, ScheduleRules.Mistakes(Of("one-cycle") with { LearningRate = -1, PercentStart = 3, Anneal = "" }).Count);

    [Fact]
    public void A_warm_up_that_leaves_nothing_is_a_mistake_and_steps_that_end_early_are_none()
    {
        var run = new RunOptions { Epochs = 5, Schedule = new ScheduleOptions { WarmupEpochs = 5 } };
        Assert.Contains("--warmup-epochs 5", Assert.Throws<UserMistakeException>(() => LearningRateSchedule.For(run, 1024)).Message, StringComparison.Ordinal);
        foreach (var enough in (RunOptions[])[run with { Epochs = 6, Steps = 1 }, run with { Schedule = run.Schedule with { TotalSteps = 1000 } }])
            Assert.Equal(0.01, LearningRateSchedule.For(enough, 1024).At(new StepId(1)), 1e-15);
    }
}
