using Cluster.Contracts;
using Cluster.Coordinator.Core;
using Cluster.Coordinator.Core.Audit;

namespace Cluster.Core.Tests.Audit;

public sealed class CleanLogSpecs
{
    private static RunOptions Options(int batch, int microbatches, ulong seed = 11) => new()
    {
        Batch = batch,
        Microbatches = microbatches,
        Seed = seed,
        Epochs = 4,
        Schedule = new ScheduleOptions { Kind = "one-cycle", LearningRate = 0.6 },
        Optimizer = new OptimizerOptions { ClipNorm = 1 },
    };

    [Theory]
    [InlineData(1000, 100, 4, 30)]      // whole batches only
    [InlineData(1000, 96, 6, 33)]       // the last step of an epoch is short: 40 samples in 3 leaves
    [InlineData(1000, 96, 6, 32)]       // stops one step before the end of an epoch
    [InlineData(997, 64, 1, 40)]        // one leaf
    [InlineData(50, 64, 8, 9)]          // an epoch is one short step
    [InlineData(7, 4, 4, 11)]
    [InlineData(1, 1, 1, 5)]
    public void Log_of_any_shape_is_clean_and_counted(int samples, int batch, int microbatches, long steps)
    {
        var report = new HonestLog(Options(batch, microbatches), samples, steps).Audit();
        Assert.Empty(report.Findings);
        Assert.True(report.IsClean);
        var stepsPerEpoch = StepPlan.StepsPerEpoch(samples, batch);
        Assert.Equal((steps, steps / stepsPerEpoch, 0L), (report.Steps, report.EpochsWhole, report.EpochsFaulty));
        var rest = Math.Min(samples, steps % stepsPerEpoch * batch);
        Assert.Equal(rest == 0 ? null : new PartialEpoch(steps / stepsPerEpoch, rest), report.Partial);
        Assert.Equal(report.EpochsWhole * samples + rest, report.SamplesProven);
        Assert.Equal(report.SamplesProven, report.SamplesApplied);
        Assert.Equal(report.Leaves, report.Workers.Sum(w => w.Leaves));
        Assert.Equal(report.SamplesProven, report.Workers.Sum(w => w.Samples));
        Assert.Equal((1L, 1L, 1L), (report.FirstTerm, report.LastTerm, report.Terms));
    }

    [Fact]
    public void Every_schedule_is_followed_through_its_warm_up_and_its_evaluations()
    {
        foreach (var kind in ScheduleRules.Kinds)
        {
            var schedule = new ScheduleOptions { Kind = kind, LearningRate = 0.3, StepEpochs = 0.5, Milestones = [1, 2.5], Gamma = 0.3, Patience = 1, Anneal = "cos", TotalSteps = 25, WarmupEpochs = 0.4, BaseBatch = 64 };
            Assert.Empty(new HonestLog(Options(100, 4) with { Schedule = schedule }, 1000, 30).Audit().Findings);
        }
    }

    [Fact]
    public void Skipped_steps_are_named_and_are_no_fault()
    {
        var log = new HonestLog(Options(100, 4), 1000, 12);
        log.Forge(3, record => record with { Applied = false, Scale = 1, GradNorm = double.NaN, Loss = double.PositiveInfinity });
        var report = log.Audit();
        Assert.Empty(report.Findings);
        Assert.Equal((1, new SkippedStep(3, 0, 100)), (report.SkippedCount, Assert.Single(report.Skipped)));
        Assert.Equal((1200, 1100), (report.SamplesProven, report.SamplesApplied));
        Assert.Equal(1, report.EpochsWhole);
    }

    [Fact]
    public void Attempts_terms_and_workers_are_counted()
    {
        var log = new HonestLog(Options(100, 4), 1000, 10, workers: 2);
        for (var step = 5; step <= 10; step++) log.Forge(step, record => record with { Term = new Term(step < 8 ? 2 : 7), Attempt = step == 6 ? 3 : 1 });
        var report = log.Audit();
        Assert.Empty(report.Findings);
        Assert.Equal((1L, 7L, 3L, 1L), (report.FirstTerm, report.LastTerm, report.Terms, report.Retried));
        Assert.Equal([new WorkerShare(new WorkerId(0), 20, 500), new WorkerShare(new WorkerId(1), 20, 500)], report.Workers);
    }

    [Fact]
    public void Cut_last_line_is_told_and_is_no_fault_at_any_length()
    {
        var log = new HonestLog(Options(100, 4), 1000, 5);
        var whole = log.Bytes();
        var last = log.Lines[4].Length;
        for (var cut = 1; cut < last; cut++)
        {
            var report = CommitAudit.Run(new AuditInput(whole.AsMemory(0, whole.Length - cut), log.Options, log.Samples));
            Assert.Empty(report.Findings);
            Assert.Equal((4L, (long)(last - cut)), (report.Steps, report.CutBytes));
        }
    }

    [Fact]
    public void Empty_log_is_clean_and_proves_nothing()
    {
        var report = CommitAudit.Run(new AuditInput(ReadOnlyMemory<byte>.Empty, Options(100, 4), 1000));
        Assert.True(report.IsClean);
        Assert.Equal((0L, 0L, 40L), (report.Steps, report.SamplesProven, report.TotalSteps));
        Assert.Null(report.Partial);
    }

    [Fact]
    public void Length_that_was_asked_for_is_the_given_one_else_the_steps_else_the_epochs()
    {
        var log = new HonestLog(Options(100, 4), 1000, 1).Bytes();
        Assert.Equal(40, CommitAudit.Run(new AuditInput(log, Options(100, 4), 1000)).TotalSteps);
        Assert.Equal(9, CommitAudit.Run(new AuditInput(log, Options(100, 4) with { Steps = 9 }, 1000)).TotalSteps);
        Assert.Equal(7, CommitAudit.Run(new AuditInput(log, Options(100, 4) with { Steps = 9 }, 1000) { TotalSteps = 7 }).TotalSteps);
    }

    [Fact]
    public void Options_that_no_run_can_have_are_the_users_mistake()
    {
        var log = new HonestLog(Options(100, 4), 1000, 1).Bytes();
        Assert.Throws<UserMistakeException>(() => CommitAudit.Run(new AuditInput(log, Options(100, 3), 1000)));
        Assert.Throws<UserMistakeException>(() => CommitAudit.Run(new AuditInput(log, Options(100, 4), 0)));
        Assert.Throws<UserMistakeException>(() => CommitAudit.Run(new AuditInput(log, Options(100, 4) with { Schedule = new ScheduleOptions { Kind = "cosines" } }, 1000)));
    }

    [Fact]
    public void A_log_is_held_against_the_order_that_its_run_noted()
    {
        var log = new HonestLog(new RunOptions { Batch = 16, Microbatches = 4, Epochs = 2 }, samples: 100, steps: 14, layout: new OrderLayout(8, 3));
        Assert.True(log.Audit().IsClean);
        log.Layout = OrderLayout.Uniform;
        var report = log.Audit();
        Assert.All(report.Findings, static finding => Assert.Equal(AuditFault.SamplesDiffer, finding.Fault));
        Assert.Equal(7 * 4 * 2 - 2 * 3, report.FindingCount);
    }
}
