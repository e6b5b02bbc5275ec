using Cluster.Contracts;
using Cluster.Coordinator.Core.Audit;

namespace Cluster.Core.Tests.Audit;

/// <summary>Logs of runs that could not decode some samples.</summary>
public sealed class LeftOutLogSpecs
{
    private const int Samples = 1000;

    private static HonestLog Log(long steps = 21) => new(
        new RunOptions
        {
            Batch = 96,
            Microbatches = 6,
            Seed = 11,
            Epochs = 4,
            Schedule = new ScheduleOptions { Kind = "one-cycle", LearningRate = 0.6 },
            Optimizer = new OptimizerOptions { ClipNorm = 1 },
        }, Samples, steps);

    [Fact]
    public void Epochs_are_whole_with_what_was_left_out_named_and_counted()
    {
        var log = Log();
        int[] two = [log.SamplesOf(3, 0)[4], log.SamplesOf(3, 5)[15]], leaf = [.. log.SamplesOf(14, 2)];
        var report = log.LeaveOut(3, two).LeaveOut(14, leaf).Audit();
        Assert.Empty(report.Findings);
        Assert.Equal((1L, 0L, 18L), (report.EpochsWhole, report.EpochsFaulty, report.LeftOutCount));
        Assert.Equal(Samples - 2, report.SamplesProven - report.Partial!.Samples);
        Assert.Equal([.. two.Select(static s => (3L, s)).Order(), .. leaf.Select(static s => (14L, s)).Order()], report.LeftOut.Select(static l => (l.Step, l.Sample)).Order());
        // Listed up to a bound, counted all.
        report = log.Audit(maxFindings: 5);
        Assert.Equal((5, 18L), (report.LeftOut.Count, report.LeftOutCount));
    }

    [Fact]
    public void A_clean_log_has_nothing_left_out()
    {
        var report = Log().Audit();
        Assert.Equal(0, report.LeftOutCount);
        Assert.Empty(report.LeftOut);
    }

    [Fact]
    public void A_sample_of_another_step_cannot_be_left_out()
    {
        var log = Log();
        var other = log.SamplesOf(4, 0)[0];
        var finding = log.Forge(3, record => record with { LeftOut = [other] }).Finding();
        Assert.Equal((AuditFault.PlanDiffers, 3L), (finding.Fault, finding.Step));
        Assert.Equal($"leaves out sample {other}, which does not belong to the step", finding.Sentence);
    }

    [Fact]
    public void A_sample_that_is_named_as_left_out_is_not_in_a_digest_and_one_that_is_not_is()
    {
        var log = Log();
        var sample = log.SamplesOf(3, 1)[0];
        // Named, and counted all the same: the step's n and the leaf's.
        var named = log.Forge(3, record => record with { LeftOut = [sample] }).Audit();
        Assert.Contains(named.Findings, f => f.Leaf == 1 && f.Sentence.EndsWith("took 16 samples, but the leaf has 15 without those left out", StringComparison.Ordinal));
        Assert.Equal(0, named.EpochsWhole);
        // Left out, and not named.
        var hidden = Log();
        var record = hidden.LeaveOut(3, sample).Lines[2];
        var read = Cluster.Coordinator.Core.CommitLog.ReadLine(record.AsSpan(0, record.Length - 1), 3).Record;
        var report = hidden.Forge(3, _ => read with { LeftOut = null }).Audit();
        Assert.Equal(0, report.EpochsWhole);
        Assert.Contains(report.Findings, static f => f.Fault == AuditFault.PlanDiffers && f.Leaf == 1);
    }

    [Fact]
    public void Another_sample_than_the_one_that_is_named_is_found()
    {
        var log = Log();
        var (named, really) = (log.SamplesOf(3, 1)[0], log.SamplesOf(3, 1)[1]);
        log.LeaveOut(3, really);
        var line = log.Lines[2];
        var read = Cluster.Coordinator.Core.CommitLog.ReadLine(line.AsSpan(0, line.Length - 1), 3).Record;
        var finding = log.Forge(3, _ => read with { LeftOut = [named] }).Finding();
        Assert.Equal((AuditFault.SamplesDiffer, (int?)1), (finding.Fault, finding.Leaf));
    }

    [Fact]
    public void More_than_a_run_would_leave_out_is_implausible_and_so_is_a_sample_twice()
    {
        var log = Log();
        int[] most = [.. Enumerable.Range(0, 4).SelectMany(leaf => log.SamplesOf(3, leaf))];
        Assert.Equal(AuditFault.Implausible, log.LeaveOut(3, most).Finding().Fault);
        var twice = Log();
        var sample = twice.SamplesOf(3, 1)[0];
        Assert.Equal("leaves out sample " + sample + " twice", twice.LeaveOut(3, sample, sample).Finding().Sentence);
    }

    [Fact]
    public void A_short_step_of_which_nothing_is_left_is_a_skipped_one()
    {
        // 7 samples, batch 4: the second step of an epoch has 3.
        var log = new HonestLog(new RunOptions { Batch = 4, Microbatches = 4, Seed = 11, Epochs = 2, Schedule = new ScheduleOptions { Kind = "constant", LearningRate = 0.1 } }, 7, 4);
        int[] all = [.. Enumerable.Range(0, 3).SelectMany(leaf => log.SamplesOf(2, leaf))];
        log.LeaveOut(2, all);
        var line = log.Lines[1];
        var read = Cluster.Coordinator.Core.CommitLog.ReadLine(line.AsSpan(0, line.Length - 1), 2).Record;
        Assert.Contains(log.Audit().Findings, static f => f.Sentence == "was applied without a sample");
        var report = log.Forge(2, _ => read with { Applied = false, Scale = 1, Loss = double.NaN, GradNorm = double.NaN }).Audit();
        Assert.Empty(report.Findings);
        Assert.Equal((2L, 3L, 1L), (report.EpochsWhole, report.LeftOutCount, report.SkippedCount));
    }
}
