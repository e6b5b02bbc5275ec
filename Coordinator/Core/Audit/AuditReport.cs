using Cluster.Contracts;

namespace Cluster.Coordinator.Core.Audit;

/// <summary>What an audit is made from: a run's log and its configuration, never its data.</summary>
/// <param name="Commits">The bytes of commits.jsonl.</param>
/// <param name="Options">The run's resolved options.</param>
/// <param name="TrainingSamples">Samples of the training set, as the run noted them.</param>
public sealed record AuditInput(ReadOnlyMemory<byte> Commits, RunOptions Options, int TrainingSamples)
{
    /// <summary>How the order of the samples was laid out, as the run noted it.</summary>
    public OrderLayout SampleOrder { get; init; }

    /// <summary>Last step that the run was asked for; null = what the options say.</summary>
    public long? TotalSteps { get; init; }

    /// <summary>Steps that the run's summary claims to have committed; null when there is no summary.</summary>
    public long? ClaimedSteps { get; init; }

    /// <summary>Findings (and skipped steps) that are listed one by one; the rest is only counted.</summary>
    public int MaxFindings { get; init; } = 100;

    /// <summary>Lines that are checked at the same time; 0 = one per processor. The report does not depend on it.</summary>
    public int Parallelism { get; init; }
}

/// <summary>What can be wrong with a log.</summary>
public enum AuditFault
{
    /// <summary>The bytes of a line do not have their checksum, or are no commit record.</summary>
    DamagedLine,
    StepMissing,
    StepRepeated,
    TermFalls,

    /// <summary>Epoch, samples or leaves of a step are not what the configuration cuts it into.</summary>
    PlanDiffers,

    /// <summary>A leaf's samples are not those that (seed, epoch) put there.</summary>
    SamplesDiffer,
    LearningRateDiffers,
    ScaleDiffers,

    /// <summary>A number that no training step can have.</summary>
    Implausible,

    /// <summary>The log ends before the step that the run's summary claims.</summary>
    LogShortened,
}

/// <summary>One thing that is wrong.</summary>
/// <param name="Line">Line of commits.jsonl, from 1; 0 when the log as a whole is meant.</param>
/// <param name="Step">Null when the line cannot be read.</param>
/// <param name="Leaf">Null when the whole step is meant.</param>
/// <param name="Sentence">For a person, without line and step.</param>
public sealed record AuditFinding(AuditFault Fault, int Line, long? Step, int? Leaf, string Sentence)
{
    /// <summary><c>line 7, step 7, leaf 2: …</c></summary>
    public override string ToString()
    {
        var place = Line == 0 ? "commits.jsonl" : $"line {Line}";
        if (Step is { } step) place += $", step {step}";
        if (Leaf is { } leaf) place += $", leaf {leaf}";
        return $"{place}: {Sentence}";
    }
}

/// <summary>A step that was committed without changing the weights: its samples were seen and not applied.</summary>
public sealed record SkippedStep(long Step, long Epoch, int Samples);

/// <summary>A sample that could not be decoded when its turn came, by the log's own word.</summary>
public sealed record LeftOutSample(long Step, int Sample);

/// <summary>What one worker contributed to committed steps.</summary>
public sealed record WorkerShare(WorkerId Worker, long Leaves, long Samples);

/// <summary>The last epoch of a log that stops in the middle of one.</summary>
/// <param name="Epoch">From 0.</param>
/// <param name="Samples">Samples of it that were committed.</param>
public sealed record PartialEpoch(long Epoch, long Samples);

/// <summary>The outcome of an audit.</summary>
/// <param name="Steps">Different steps that are in the log and can be read.</param>
/// <param name="TotalSteps">Steps that the run was asked for.</param>
/// <param name="TrainingSamples">Samples of a whole epoch.</param>
/// <param name="Leaves">Leaves whose digest was recomputed.</param>
/// <param name="SamplesProven">Samples in leaves whose digest is the recomputed one, each step counted once.</param>
/// <param name="SamplesApplied">Of these, the samples of steps that were not skipped.</param>
/// <param name="EpochsWhole">Epochs in which every sample is proven to have been taken exactly once, or to be named as left out.</param>
/// <param name="EpochsFaulty">Epochs that are over and of which that is not proven.</param>
/// <param name="Partial">The last epoch, when the log ends inside it.</param>
/// <param name="Skipped">The first of the skipped steps.</param>
/// <param name="SkippedCount">All of them.</param>
/// <param name="Retried">Steps that needed more than one attempt.</param>
/// <param name="FirstTerm">0 for an empty log.</param>
/// <param name="LastTerm">Highest term; more than <paramref name="FirstTerm"/> after a resume or a takeover.</param>
/// <param name="Terms">Different terms in the log.</param>
/// <param name="Workers">By id.</param>
/// <param name="CutBytes">Bytes of a last line without its newline; that step was never committed, so it is no fault.</param>
/// <param name="Findings">The first of what is wrong, in the order of the log.</param>
/// <param name="FindingCount">All that is wrong.</param>
public sealed record AuditReport(
    long Steps,
    long TotalSteps,
    int TrainingSamples,
    long Leaves,
    long SamplesProven,
    long SamplesApplied,
    long EpochsWhole,
    long EpochsFaulty,
    PartialEpoch? Partial,
    IReadOnlyList<SkippedStep> Skipped,
    long SkippedCount,
    long Retried,
    long FirstTerm,
    long LastTerm,
    long Terms,
    IReadOnlyList<WorkerShare> Workers,
    long CutBytes,
    IReadOnlyList<AuditFinding> Findings,
    long FindingCount)
{
    /// <summary>The first of the samples that were left out, each step counted once, in the order of the log.</summary>
    public IReadOnlyList<LeftOutSample> LeftOut { get; init; } = [];

    /// <summary>All of them.</summary>
    public long LeftOutCount { get; init; }

    public bool IsClean => FindingCount == 0;
}
