using Cluster.Contracts;
using Cluster.Coordinator.Core;
using Cluster.Coordinator.Core.Audit;

namespace Cluster.Core.Tests.Audit;

/// <summary>The log that an honest run with these options would write; tests forge it line by line.</summary>
internal sealed class HonestLog
{
    private readonly List<byte[]> _lines = [];

    public HonestLog(RunOptions options, int samples, long steps, int workers = 3, OrderLayout layout = default)
    {
        Layout = layout;
        Options = options;
        Samples = samples;
        var schedule = LearningRateSchedule.For(options, samples);
        for (var step = 1L; step <= steps; step++)
        {
            var plan = StepPlan.For(new StepId(step), samples, options.Batch, options.Microbatches);
            var order = new SampleOrder(options.Seed, plan.Epoch, samples, layout);
            var note = schedule.FollowsEvaluations && step % 3 == 1 ? new EvaluationNote(plan.Step.Consumes, 2 - 0.1 * (step % 4), 0.5) : null;
            if (note is not null) schedule = schedule.Knowing(note);
            var norm = 0.5 + step % 7 * 0.25;
            Records.Add(new CommitRecord(
                Term.First, plan.Step, 1, plan.Epoch, plan.SampleCount, 2.3 / step, (double)(plan.SampleCount / 3) / plan.SampleCount, norm,
                Clipping.Scale(norm, options.Optimizer.ClipNorm), schedule.At(plan.Step), true,
                [.. Enumerable.Range(0, plan.LeafCount).Select(leaf => new LeafRecord(new WorkerId(leaf % workers), plan.Leaf(leaf).Count, plan.DigestOf(leaf, order)))])
            { Evaluation = note });
        }
        _lines.AddRange(Records.Select(record => CommitLog.Write(record, 12.5)));
    }

    public RunOptions Options { get; }
    public int Samples { get; }

    /// <summary>Of the sample order, as the run noted it; a test may claim another one.</summary>
    public OrderLayout Layout { get; set; }

    /// <summary>As first written, by index = step - 1; forging does not change them.</summary>
    public List<CommitRecord> Records { get; } = [];

    /// <summary>Whole lines with their newline, by index = line - 1.</summary>
    public IList<byte[]> Lines => _lines;

    /// <summary>Writes the line of a step anew, with a checksum that fits.</summary>
    public HonestLog Forge(long step, Func<CommitRecord, CommitRecord> change, double milliseconds = 12.5)
    {
        _lines[(int)step - 1] = CommitLog.Write(change(Records[(int)step - 1]), milliseconds);
        return this;
    }

    public HonestLog ForgeLeaf(long step, int leaf, Func<LeafRecord, LeafRecord> change) =>
        Forge(step, record => record with { Leaves = [.. record.Leaves.Select((known, i) => i == leaf ? change(known) : known)] });

    /// <summary>The step of a run in which these samples of it could not be decoded.</summary>
    public HonestLog LeaveOut(long step, params int[] samples) => Forge(step, record =>
    {
        var leaves = record.Leaves.Select((leaf, i) =>
        {
            var left = SamplesOf(step, i).Except(samples).ToArray();
            return leaf with { Samples = left.Length, Digest = DigestOf(left) };
        }).ToArray();
        var count = leaves.Sum(static l => l.Samples);
        return record with { Leaves = leaves, Samples = count, Accuracy = count == 0 ? 0 : (double)(count / 3) / count, LeftOut = [.. samples.Order()] };
    });

    /// <summary>The digest that a worker reports which decoded these samples.</summary>
    public static ulong DigestOf(IEnumerable<int> samples)
    {
        var digest = new SampleDigest();
        foreach (var sample in samples) digest.Add(sample);
        return digest.Value;
    }

    /// <summary>The samples of a leaf, in order.</summary>
    public List<int> SamplesOf(long step, int leaf)
    {
        var plan = StepPlan.For(new StepId(step), Samples, Options.Batch, Options.Microbatches);
        var order = new SampleOrder(Options.Seed, plan.Epoch, Samples, Layout);
        var (first, count) = plan.Leaf(leaf);
        return [.. Enumerable.Range(first, count).Select(order.SampleAt)];
    }

    public byte[] Bytes() => [.. _lines.SelectMany(line => line)];

    public AuditReport Audit(int maxFindings = 100, int parallelism = 0, long? claimed = null) =>
        CommitAudit.Run(new AuditInput(Bytes(), Options, Samples) { SampleOrder = Layout, MaxFindings = maxFindings, Parallelism = parallelism, ClaimedSteps = claimed });

    /// <summary>The only finding.</summary>
    public AuditFinding Finding()
    {
        var report = Audit();
        Assert.False(report.IsClean);
        Assert.Equal(1, report.FindingCount);
        return Assert.Single(report.Findings);
    }
}
