using System.Globalization;
using Cluster.Contracts;

namespace Cluster.Coordinator.Core.Audit;

/// <summary>What one line shows by itself.</summary>
/// <param name="Content">Null when the line is damaged.</param>
/// <param name="InReach">False for a step number that cannot be: nothing else of the line was checked.</param>
/// <param name="SamplesProven">Samples in leaves whose digest is the recomputed one.</param>
/// <param name="LeftOut">Samples in such leaves that the record names as left out.</param>
internal sealed record LineVerdict(CommitLine? Content, bool InReach, int LeavesChecked, int SamplesProven, IReadOnlyList<int> LeftOut, FindingList Findings);

/// <summary>
/// Checks of one line against what the configuration alone determines: the cut of the step into leaves, the sample ids of
/// each leaf, the clipping. Depends on no other line, so lines may be checked at the same time.
/// </summary>
internal sealed class LineAudit
{
    /// <summary>Leaves of one step whose fault is told one by one.</summary>
    private const int MaxFindingsPerLine = 16;

    /// <summary>
    /// A step number that is so far from its line is damage: nothing is computed for it, because the learning rate of a step
    /// schedule costs a multiplication per drop.
    /// </summary>
    private const long FarthestStep = 1_000_000;

    private readonly RunOptions _options;
    private readonly int _samples;
    private readonly OrderLayout _layout;

    public LineAudit(RunOptions options, int trainingSamples, OrderLayout layout = default)
    {
        _options = options;
        _samples = trainingSamples;
        _layout = layout;
    }

    /// <param name="line">Without its newline.</param>
    /// <param name="number">From 1.</param>
    public LineVerdict Check(ReadOnlySpan<byte> line, int number)
    {
        var findings = new FindingList(MaxFindingsPerLine);
        CommitLine content;
        try
        {
            content = CommitLog.ReadLine(line, number);
        }
        catch (CommitLogException e)
        {
            findings.Add(AuditFault.DamagedLine, number, null, null, "the line " + e.Reason);
            return new LineVerdict(null, false, 0, 0, [], findings);
        }
        var record = content.Record;
        if (record.Step.Value < 1 || record.Step.Value > number + FarthestStep)
        {
            findings.Add(AuditFault.Implausible, number, record.Step.Value, null, "no run has this step at this place of its log; nothing else of the line was checked");
            return new LineVerdict(content, false, 0, 0, [], findings);
        }

        var plan = StepPlan.For(record.Step, _samples, _options.Batch, _options.Microbatches);
        var order = new SampleOrder(_options.Seed, plan.Epoch, _samples, _layout);
        var leftOut = LeftOut(record, number, plan, order, findings);
        CheckNumbers(content, number, plan, leftOut.Count, findings);
        var (leaves, proven, provenOut) = CheckLeaves(record, number, plan, order, leftOut, findings);
        return new LineVerdict(content, true, leaves, proven, provenOut, findings);
    }

    private void CheckNumbers(CommitLine content, int number, StepPlan plan, int leftOut, FindingList findings)
    {
        var record = content.Record;
        void Found(AuditFault fault, string sentence) => findings.Add(fault, number, record.Step.Value, null, sentence);
        void Implausible(bool holds, string sentence)
        {
            if (!holds) Found(AuditFault.Implausible, sentence);
        }

        if (record.Epoch != plan.Epoch) Found(AuditFault.PlanDiffers, $"says epoch {record.Epoch}, but the step lies in epoch {plan.Epoch}");
        var count = plan.SampleCount - leftOut;
        if (record.Samples != count) Found(AuditFault.PlanDiffers, $"says {record.Samples} samples, but the step has {plan.SampleCount}{(leftOut > 0 ? $", of which {leftOut} were left out" : "")}");
        Implausible(!record.Applied || record.Samples > 0, "was applied without a sample");

        // A skipped step is skipped because loss or gradient were not finite; it was clipped by nothing.
        Implausible(!record.Applied || (double.IsFinite(record.Loss) && record.Loss >= 0), $"was applied with the loss {Text(record.Loss)}, which no mean cross-entropy has");
        var plausibleNorm = !record.Applied || (double.IsFinite(record.GradNorm) && record.GradNorm >= 0);
        Implausible(plausibleNorm, $"was applied with the gradient norm {Text(record.GradNorm)}");
        if (plausibleNorm && ScaleAudit.Check(record, _options.Optimizer) is { } scaled) Found(AuditFault.ScaleDiffers, scaled);
        Implausible(IsFractionOf(record.Accuracy, count), $"accuracy {Text(record.Accuracy)}, which is not a count of right answers out of {count}");
        Implausible(content.Milliseconds >= 0 && double.IsFinite(content.Milliseconds), $"took {Text(content.Milliseconds)} ms");
        Implausible(record.Attempt >= 1, $"attempt {record.Attempt}; attempts count from 1");
        Implausible(record.Term.Value >= 1, $"term {record.Term}; terms count from 1");
    }

    /// <summary>Samples of the step that the record leaves out, each with its leaf. That they cannot be decoded no log can prove; that they are the step's, and not too many, it can.</summary>
    private static Dictionary<int, int> LeftOut(CommitRecord record, int number, StepPlan plan, SampleOrder order, FindingList findings)
    {
        var found = new Dictionary<int, int>();
        if (record.LeftOut is not { Count: > 0 } named) return found;
        var leafOf = new Dictionary<int, int>(plan.SampleCount);
        for (var leaf = 0; leaf < plan.LeafCount; leaf++)
        {
            var (first, count) = plan.Leaf(leaf);
            for (var i = 0; i < count; i++) leafOf[order.SampleAt(first + i)] = leaf;
        }
        foreach (var sample in named)
        {
            if (!leafOf.TryGetValue(sample, out var leaf))
                findings.Add(AuditFault.PlanDiffers, number, record.Step.Value, null, $"leaves out sample {sample}, which does not belong to the step");
            else if (!found.TryAdd(sample, leaf))
                findings.Add(AuditFault.Implausible, number, record.Step.Value, null, $"leaves out sample {sample} twice");
        }
        if (StepProtocol.IsTooMuch(found.Count, plan.SampleCount))
            findings.Add(AuditFault.Implausible, number, record.Step.Value, null, $"leaves out {found.Count} of its {plan.SampleCount} samples: a run halts before that");
        return found;
    }

    private (int Checked, int Proven, IReadOnlyList<int> LeftOut) CheckLeaves(CommitRecord record, int number, StepPlan plan, SampleOrder order, Dictionary<int, int> leftOut, FindingList findings)
    {
        if (record.Leaves.Count != plan.LeafCount)
            findings.Add(AuditFault.PlanDiffers, number, record.Step.Value, null, $"has {Count(record.Leaves.Count, "leaf", "leaves")}, but its {plan.SampleCount} samples are cut into {plan.LeafCount}");
        var provenOut = new List<int>(leftOut.Count);
        var leaves = Math.Min(record.Leaves.Count, plan.LeafCount);
        var proven = 0;
        for (var leaf = 0; leaf < leaves; leaf++)
        {
            var (worker, samples, digest) = record.Leaves[leaf];
            void Found(AuditFault fault, string sentence) => findings.Add(fault, number, record.Step.Value, leaf, sentence);
            if (worker.Index is < 0 or >= Limits.MaxWorkers) Found(AuditFault.Implausible, $"was computed by worker {worker.Index}; workers are 0 to {Limits.MaxWorkers - 1}");
            int[] gone = leftOut.Count == 0 ? [] : [.. leftOut.Where(l => l.Value == leaf).Select(static l => l.Key).Order()];
            var planned = plan.Leaf(leaf).Count - gone.Length;
            var expected = plan.DigestOf(leaf, order, gone.Length == 0 ? null : gone);
            if (samples != planned)
                Found(AuditFault.PlanDiffers, $"{worker} took {Count(samples, "sample", "samples")}, but the leaf has {planned}{(gone.Length > 0 ? " without those left out" : "")}");
            else if (digest != expected)
                Found(AuditFault.SamplesDiffer, $"{worker} decoded other samples than the {planned} of this leaf (digest {digest:x16}, expected {expected:x16}){Resemblance(plan, leaf, digest, order)}");
            else
            {
                proven += planned;
                provenOut.AddRange(gone);
            }
        }
        return (leaves, proven, provenOut);
    }

    /// <summary>Whose digest it is when it is that of another leaf of the step, or of the leaf in a neighbouring step or epoch.</summary>
    private string Resemblance(StepPlan plan, int leaf, ulong digest, SampleOrder order)
    {
        for (var other = 0; other < plan.LeafCount; other++)
        {
            if (other != leaf && plan.DigestOf(other, order) == digest) return $": they are those of leaf {other}, which were then taken twice while those of leaf {leaf} were left out";
        }
        foreach (var step in (long[])[plan.Step.Value - 1, plan.Step.Value + 1])
        {
            if (step < 1) continue;
            var near = StepPlan.For(new StepId(step), _samples, _options.Batch, _options.Microbatches);
            if (leaf < near.LeafCount && near.DigestOf(leaf, new SampleOrder(_options.Seed, near.Epoch, _samples, _layout)) == digest) return $": they are those of leaf {leaf} of step {step}";
        }
        foreach (var epoch in (long[])[plan.Epoch - 1, plan.Epoch + 1])
        {
            if (epoch >= 0 && plan.DigestOf(leaf, new SampleOrder(_options.Seed, epoch, _samples, _layout)) == digest) return $": they are in the order of epoch {epoch}";
        }
        return "";
    }

    /// <summary>True for k / count with a whole k in 0 to count, to the last bit.</summary>
    private static bool IsFractionOf(double value, int count) =>
        count == 0 ? value == 0 : value is >= 0 and <= 1 && Math.Round(value * count) / count == value;

    private static bool SameBits(double a, double b) => BitConverter.DoubleToInt64Bits(a) == BitConverter.DoubleToInt64Bits(b);

    private static string Text(double value) => value.ToString("R", CultureInfo.InvariantCulture);

    private static string Count(int count, string one, string many) => $"{count} {(count == 1 ? one : many)}";
}
