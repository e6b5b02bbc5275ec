using System.Collections.Immutable;
using Cluster.Contracts;

namespace Cluster.Coordinator.Core;

/// <summary>A process that can hold shards is here; all its slots are as its incarnation left them.</summary>
/// <param name="Host">Name of its machine, which dies as a whole; empty = not known, or of no interest.</param>
public sealed record NodeUp(NodeId Node, string Host = "") : IStepInput;

/// <summary>The process is gone, and what it held with it.</summary>
public sealed record NodeLost(NodeId Node, string Cause) : IStepInput;

/// <summary>Missing nodes have been waited for long enough.</summary>
public sealed record GraceSpent : IStepInput;

/// <summary>The term is on disk, fsynced.</summary>
public sealed record TermWritten(Term Term) : IStepInput;

/// <summary>The disk has a term that this coordinator did not write: another one has come.</summary>
public sealed record TermTaken(Term Term) : IStepInput;

/// <summary>The longest log is the log now.</summary>
/// <param name="Last">Last step in it; 0 = empty.</param>
/// <param name="Checkpoint">The newest version that can be loaded; 0 = the seeded first weights.</param>
/// <param name="Recorded">Records of the steps after the checkpoint, in order.</param>
public sealed record LogAdopted(StepId Last, WeightsVersion Checkpoint, IReadOnlyList<CommitRecord> Recorded) : IStepInput
{
    /// <summary>All that the log says about evaluations, in its order.</summary>
    public IReadOnlyList<EvaluationNote> Evaluations { get; init; } = [];

    /// <summary>Workers that any record of the log names as quarantined, and the step.</summary>
    public IReadOnlyDictionary<WorkerId, StepId> Quarantined { get; init; } = ImmutableDictionary<WorkerId, StepId>.Empty;
}

/// <summary>What came between two steps (evaluation, checkpoint) is done: the next may begin.</summary>
public sealed record GoOn : IStepInput;
