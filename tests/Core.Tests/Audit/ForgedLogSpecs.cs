using System.Text;
using Cluster.Contracts;
using Cluster.Coordinator.Core;
using Cluster.Coordinator.Core.Audit;

namespace Cluster.Core.Tests.Audit;

/// <summary>Each log has one fault, with checksums that fit unless the fault is in the bytes, and the audit names just that one.</summary>
public sealed class ForgedLogSpecs
{
    private static HonestLog Log(long steps = 33) => new(
        new RunOptions
        {
            Batch = 96,
            Microbatches = 6,
            Seed = 11,
            Epochs = 3,
            Schedule = new ScheduleOptions { Kind = "one-cycle", LearningRate = 0.6 },
            Optimizer = new OptimizerOptions { ClipNorm = 1 },
        }, samples: 1000, steps);

    private static void AssertAt(AuditFinding finding, AuditFault fault, int line, long? step, int? leaf, string sentence)
    {
        Assert.Equal((fault, line, step, leaf), (finding.Fault, finding.Line, finding.Step, finding.Leaf));
        Assert.Contains(sentence, finding.Sentence);
    }

    [Fact]
    public void Sample_that_is_taken_twice_is_caught()
    {
        var log = Log();
        var taken = log.SamplesOf(4, 2);
        taken[7] = taken[3];
        AssertAt(log.ForgeLeaf(4, 2, leaf => leaf with { Digest = HonestLog.DigestOf(taken) }).Finding(), AuditFault.SamplesDiffer, 4, 4, 2, "worker-2 decoded other samples");
    }

    [Fact]
    public void Sample_that_is_missing_is_caught_whether_the_count_admits_it_or_not()
    {
        var log = Log();
        var taken = log.SamplesOf(4, 2);
        taken.RemoveAt(15);
        var digest = HonestLog.DigestOf(taken);
        AssertAt(log.ForgeLeaf(4, 2, leaf => leaf with { Digest = digest }).Finding(), AuditFault.SamplesDiffer, 4, 4, 2, "worker-2 decoded other samples");
        AssertAt(log.ForgeLeaf(4, 2, leaf => leaf with { Digest = digest, Samples = 15 }).Finding(), AuditFault.PlanDiffers, 4, 4, 2, "took 15 samples, but the leaf has 16");
    }

    [Fact]
    public void Samples_in_another_order_are_caught()
    {
        var log = Log();
        var taken = log.SamplesOf(4, 2);
        taken.Reverse();
        Assert.Equal(AuditFault.SamplesDiffer, log.ForgeLeaf(4, 2, leaf => leaf with { Digest = HonestLog.DigestOf(taken) }).Finding().Fault);
    }

    [Theory]
    [InlineData(4, 1, "they are those of leaf 1, which were then taken twice")]
    [InlineData(3, 2, "they are those of leaf 2 of step 3")]
    [InlineData(5, 2, "they are those of leaf 2 of step 5")]
    [InlineData(15, 2, "they are in the order of epoch 1")]
    public void Samples_that_belong_elsewhere_are_recognised(long fromStep, int fromLeaf, string sentence)
    {
        var log = Log();
        var digest = HonestLog.DigestOf(log.SamplesOf(fromStep, fromLeaf));
        AssertAt(log.ForgeLeaf(4, 2, leaf => leaf with { Digest = digest }).Finding(), AuditFault.SamplesDiffer, 4, 4, 2, sentence);
    }

    [Fact]
    public void Epoch_with_a_wrong_leaf_is_not_whole()
    {
        var report = Log().ForgeLeaf(15, 0, leaf => leaf with { Digest = 1 }).Audit();
        Assert.Equal((2L, 1L), (report.EpochsWhole, report.EpochsFaulty));
        Assert.Equal(3000 - 16, report.SamplesProven);
    }

    [Fact]
    public void Lost_step_is_caught()
    {
        var log = Log();
        log.Lines.RemoveAt(6);
        AssertAt(log.Finding(), AuditFault.StepMissing, 7, 8, null, "step 7 is missing before this one");
        log.Lines.RemoveAt(6);
        AssertAt(log.Finding(), AuditFault.StepMissing, 7, 9, null, "steps 7 to 8 are missing before this one");
        var report = log.Audit();
        Assert.Equal((31L, 2L, 1L), (report.Steps, report.EpochsWhole, report.EpochsFaulty));
    }

    [Fact]
    public void Lost_first_step_is_caught()
    {
        var log = Log();
        log.Lines.RemoveAt(0);
        AssertAt(log.Finding(), AuditFault.StepMissing, 1, 2, null, "step 1 is missing");
    }

    [Fact]
    public void Lost_end_is_caught_where_the_summary_claims_more()
    {
        var report = Log(20).Audit(claimed: 33);
        AssertAt(Assert.Single(report.Findings), AuditFault.LogShortened, 0, null, null, "ends with step 20, but the run's summary claims 33");
        Assert.True(Log(20).Audit(claimed: 20).IsClean);
        Assert.True(Log(20).Audit(claimed: 12).IsClean);
    }

    [Fact]
    public void Step_that_is_there_twice_is_caught_and_counted_once()
    {
        var log = Log();
        log.Lines.Insert(7, log.Lines[6]);
        AssertAt(log.Finding(), AuditFault.StepRepeated, 8, 7, null, "a second time");
        var report = log.Audit();
        Assert.Equal((33L, 2L, 1L, 3000L), (report.Steps, report.EpochsWhole, report.EpochsFaulty, report.SamplesProven));
    }

    [Fact]
    public void Steps_in_another_order_are_caught()
    {
        var log = Log();
        (log.Lines[6], log.Lines[7]) = (log.Lines[7], log.Lines[6]);
        var report = log.Audit();
        Assert.Equal([(7, 8L), (8, 7L)], report.Findings.Select(f => (f.Line, f.Step!.Value)));
        Assert.All(report.Findings, f => Assert.Equal(AuditFault.StepMissing, f.Fault));
    }

    [Fact]
    public void Flipped_bit_is_caught_at_every_place_of_a_line()
    {
        var log = Log(3);
        var line = log.Lines[1];
        for (var at = 0; at < line.Length - 1; at++)
        {
            for (var bit = 0; bit < 8; bit++)
            {
                line[at] ^= (byte)(1 << bit);
                // A flip that makes a newline tears the line in two damaged ones.
                if (line[at] != (byte)'\n') AssertAt(log.Finding(), AuditFault.DamagedLine, 2, null, null, "the line ");
                else Assert.Equal(2, log.Audit().FindingCount);
                line[at] ^= (byte)(1 << bit);
            }
        }
        Assert.True(log.Audit().IsClean);
    }

    [Fact]
    public void Flipped_bit_of_a_digest_is_caught_though_its_checksum_was_made_to_fit()
    {
        for (var bit = 0; bit < 64; bit++)
            Assert.Equal(AuditFault.SamplesDiffer, Log(5).ForgeLeaf(5, 5, leaf => leaf with { Digest = leaf.Digest ^ 1UL << bit }).Finding().Fault);
    }

    [Fact]
    public void Damaged_line_leaves_its_neighbours_alone()
    {
        var log = Log();
        log.Lines[6] = Encoding.UTF8.GetBytes("{\"step\":7}\n");
        AssertAt(log.Finding(), AuditFault.DamagedLine, 7, null, null, "does not end with its checksum");
        var report = log.Audit();
        Assert.Equal((32L, 2L, 1L), (report.Steps, report.EpochsWhole, report.EpochsFaulty));
        // A damaged line that stands between whole ones took no step's place.
        log = Log();
        log.Lines.Insert(6, "noise\n"u8.ToArray());
        AssertAt(log.Finding(), AuditFault.DamagedLine, 7, null, null, "checksum");
        Assert.Equal(3, log.Audit().EpochsWhole);
    }

    [Fact]
    public void Term_that_falls_is_caught()
    {
        var log = Log();
        for (var step = 5; step <= 33; step++) log.Forge(step, record => record with { Term = new Term(step == 20 ? 1 : 2) });
        AssertAt(log.Finding(), AuditFault.TermFalls, 20, 20, null, "term 1 after term 2");
    }

    [Fact]
    public void Learning_rate_that_does_not_follow_from_the_evaluations_is_caught()
    {
        var options = new RunOptions { Batch = 96, Microbatches = 6, Schedule = new ScheduleOptions { Kind = "plateau", Patience = 0, Gamma = 0.5 } };
        var log = new HonestLog(options, 1000, 12);
        Assert.NotEqual(log.Records[0].LearningRate, log.Records[^1].LearningRate);
        AssertAt(log.Forge(8, record => record with { LearningRate = 0.1 }).Finding(), AuditFault.LearningRateDiffers, 8, 8, null, "the schedule 'plateau' has");
        // An evaluation that was left out shows in all rates that hang on it.
        Assert.All(new HonestLog(options, 1000, 12).Forge(7, record => record with { Evaluation = null }).Audit().Findings, finding => Assert.Equal(AuditFault.LearningRateDiffers, finding.Fault));
    }

    [Fact]
    public void Wrong_learning_rate_is_caught_to_the_last_bit()
    {
        AssertAt(Log().Forge(9, record => record with { LearningRate = Math.BitIncrement(record.LearningRate) }).Finding(), AuditFault.LearningRateDiffers, 9, 9, null, "the schedule 'one-cycle' has");
        Assert.Equal(AuditFault.LearningRateDiffers, Log().Forge(9, record => record with { LearningRate = double.NaN }).Finding().Fault);
    }

    [Fact]
    public void Scale_that_does_not_follow_from_the_norm_is_caught()
    {
        AssertAt(Log().Forge(9, record => record with { Scale = 0.5 }).Finding(), AuditFault.ScaleDiffers, 9, 9, null, "clipping scale 0.5, but the norm 1 with clip-norm 1 gives");
        Assert.Equal(AuditFault.ScaleDiffers, Log().Forge(9, record => record with { GradNorm = 4 }).Finding().Fault);
        AssertAt(Log().Forge(9, record => record with { Applied = false, Scale = 0.5 }).Finding(), AuditFault.ScaleDiffers, 9, 9, null, "a skipped step has 1");
    }

    // Norms of 0.5 to 2: step 9 has 1, step 10 has 1.25.
    [Theory]
    [InlineData("value", 1.0, null)]
    [InlineData("value", 0.8, null)]
    [InlineData("value", 0.79, "with clip-value 1 gives 0.8 to 1")]
    [InlineData("value", 1.5, "to 1")]
    [InlineData("adaptive", 0.01, null)]
    [InlineData("adaptive", 1e-6, "clip-adaptive 0.01")]
    [InlineData("norm", 1.0, "which no option of the run asks for", 1.0)]
    [InlineData("parameter", 0.9, null, 1.0, 0.9)]
    [InlineData("parameter", 0.9, "which clip-parameter-norm 1 needs")]
    [InlineData("parameter", 0.8, "smallest factor of a tensor is 0.9", 1.0, 0.9)]
    [InlineData("parameter", 0.5, "to 1", 1.0, 0.5)]
    [InlineData("parameter", 0.9, "the factor 1.1 of parameter 0", 1.1, 0.9)]
    [InlineData("lars", 1.0, null, 1.0, 17.5)]
    [InlineData("lars", 0.5, "with clip-norm 0 gives 1", 1.0, 17.5)]
    [InlineData("lars", 1.0, "the factor -1 of parameter 1, which lars cannot give", 1.0, -1.0)]
    public void Factors_that_no_norms_could_give_are_caught(string rule, double scale, string? sentence, params double[] tensors)
    {
        var options = rule switch
        {
            "value" => new OptimizerOptions { ClipValue = 1 },
            "adaptive" => new OptimizerOptions { ClipAdaptive = 0.01 },
            "parameter" => new OptimizerOptions { ClipParameterNorm = 1 },
            "lars" => new OptimizerOptions { Kind = "lars" },
            _ => new OptimizerOptions(),
        };
        var log = new HonestLog(new RunOptions { Batch = 96, Microbatches = 6, Seed = 11, Epochs = 3, Optimizer = options }, samples: 1000, steps: 10);
        for (var step = 1; step <= 9; step++) log.Forge(step, record => record with { Scale = 1, TensorScales = options.NeedsTensorSums() ? [1.0, 1.0] : null });
        log.Forge(10, record => record with { Scale = scale, TensorScales = tensors.Length == 0 ? null : tensors });
        if (sentence is null) Assert.True(log.Audit().IsClean, string.Join('\n', log.Audit().Findings));
        else AssertAt(log.Finding(), AuditFault.ScaleDiffers, 10, 10, null, sentence);
    }

    [Fact]
    public void Missing_leaf_is_caught()
    {
        AssertAt(Log().Forge(9, record => record with { Leaves = [.. record.Leaves.Take(5)] }).Finding(), AuditFault.PlanDiffers, 9, 9, null, "has 5 leaves, but its 96 samples are cut into 6");
        AssertAt(Log().Forge(11, record => record with { Leaves = [.. record.Leaves, record.Leaves[0]] }).Finding(), AuditFault.PlanDiffers, 11, 11, null, "has 4 leaves, but its 40 samples are cut into 3");
        Assert.Equal(AuditFault.PlanDiffers, Log().Forge(9, record => record with { Leaves = [] }).Finding().Fault);
    }

    public static TheoryData<string, Func<CommitRecord, CommitRecord>> Implausible => new()
    {
        { "says epoch 3, but the step lies in epoch 0", record => record with { Epoch = 3 } },
        { "says 95 samples, but the step has 96", record => record with { Samples = 95 } },
        { "loss NaN", record => record with { Loss = double.NaN } },
        { "loss -0.5", record => record with { Loss = -0.5 } },
        { "gradient norm Infinity", record => record with { GradNorm = double.PositiveInfinity } },
        { "gradient norm -1", record => record with { GradNorm = -1 } },
        { "accuracy 1.5", record => record with { Accuracy = 1.5 } },
        { "accuracy NaN", record => record with { Accuracy = double.NaN } },
        { "not a count of right answers out of 96", record => record with { Accuracy = 0.123 } },
        { "attempt 0", record => record with { Attempt = 0 } },
        { "computed by worker -1", record => record with { Leaves = [record.Leaves[0] with { Worker = new WorkerId(-1) }, .. record.Leaves.Skip(1)] } },
    };

    [Theory]
    [MemberData(nameof(Implausible), DisableDiscoveryEnumeration = true)]
    public void Number_that_no_step_can_have_is_caught(string sentence, Func<CommitRecord, CommitRecord> change)
    {
        var finding = Log().Forge(9, change).Finding();
        Assert.Equal((9, 9L), (finding.Line, finding.Step));
        Assert.Contains(sentence, finding.Sentence);
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(double.NaN)]
    [InlineData(double.PositiveInfinity)]
    public void Time_that_cannot_be_is_caught(double milliseconds) =>
        Assert.Equal(AuditFault.Implausible, Log().Forge(9, record => record, milliseconds).Finding().Fault);

    [Theory]
    [InlineData(0)]
    [InlineData(-7)]
    [InlineData(long.MinValue)]
    [InlineData(long.MaxValue)]
    public void Step_number_that_cannot_be_is_caught_and_costs_nothing(long step) =>
        AssertAt(Log().Forge(9, record => record with { Step = new StepId(step) }).Finding(), AuditFault.Implausible, 9, step, null, "no run has this step");

    [Fact]
    public void Another_seed_or_size_of_the_data_set_is_caught()
    {
        var log = Log();
        Assert.False(CommitAudit.Run(new AuditInput(log.Bytes(), log.Options with { Seed = 12 }, log.Samples)).IsClean);
        Assert.False(CommitAudit.Run(new AuditInput(log.Bytes(), log.Options, log.Samples + 1)).IsClean);
        Assert.False(CommitAudit.Run(new AuditInput(log.Bytes(), log.Options with { Microbatches = 12 }, log.Samples)).IsClean);
    }

    [Fact]
    public void Several_faults_are_all_counted_and_the_first_are_listed_in_order()
    {
        var log = Log();
        for (var step = 1; step <= 33; step++) log.Forge(step, record => record with { LearningRate = 7, Leaves = [.. record.Leaves.Select(leaf => leaf with { Digest = 5 })] });
        var report = log.Audit(maxFindings: 10);
        Assert.Equal(33 + log.Records.Sum(record => record.Leaves.Count), report.FindingCount);
        Assert.Equal(10, report.Findings.Count);
        Assert.Equal(report.Findings.OrderBy(f => f.Line), report.Findings);
        Assert.Equal((0L, 3L, 0L), (report.EpochsWhole, report.EpochsFaulty, report.SamplesProven));
    }

    [Fact]
    public void Report_does_not_depend_on_the_number_of_threads()
    {
        var log = Log();
        for (var step = 1; step <= 33; step += 2) log.ForgeLeaf(step, 1, leaf => leaf with { Digest = 5 });
        Assert.Equal(log.Audit(parallelism: 1).Findings, log.Audit(parallelism: 4).Findings);
    }

    [Fact]
    public void Arbitrary_bytes_are_findings_and_no_exceptions()
    {
        var random = new Random(5);
        var bytes = new byte[20_000];
        random.NextBytes(bytes);
        var lines = bytes.Count(b => b == (byte)'\n');
        var log = Log(1);
        var report = CommitAudit.Run(new AuditInput(bytes, log.Options, log.Samples));
        Assert.Equal((lines, 0L), (report.FindingCount, report.Steps));
    }

    [Fact]
    public void Finding_reads_as_a_sentence_with_its_place() =>
        Assert.Equal(
            $"line 9, step 9: clipping scale 0.5, but the norm 1 with clip-norm 1 gives {Clipping.Scale(1, 1):R}",
            Log().Forge(9, record => record with { Scale = 0.5 }).Finding().ToString());
}
