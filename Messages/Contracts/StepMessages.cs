using MessagePack;

namespace Cluster.Contracts;

/// <summary>Something that the step protocol has an answer to: a message of this file, a timer, a change of membership.</summary>
public interface IStepInput;

/// <summary>Coordinator to worker: compute these leaves from weights <see cref="StepId.Consumes"/>, once you hold them.</summary>
/// <param name="Leases">Leaf runs of this worker in this attempt; may be empty.</param>
/// <param name="LeafCount">L of this step.</param>
/// <param name="AuditLeaf">Whoever computes this leaf reports its hash, so that the copies of several workers can be compared; null = none.</param>
/// <param name="LeftOut">Samples of this step that cannot be decoded and are left out of their leaves in this attempt, ascending; null = none.</param>
/// <param name="EmptyLeaves">Leaves of which no sample is left, ascending: they are reported and have no node in the tree; null = none.</param>
[MessagePackObject]
public sealed record BeginStep(
    [property: Key(0)] Term Term,
    [property: Key(1)] StepId Step,
    [property: Key(2)] int Attempt,
    [property: Key(3)] int LeafCount,
    [property: Key(4)] IReadOnlyList<LeafRange> Leases,
    [property: Key(5)] TraceContext Trace,
    [property: Key(6)] int? AuditLeaf = null,
    [property: Key(7)] IReadOnlyList<int>? LeftOut = null,
    [property: Key(8)] IReadOnlyList<int>? EmptyLeaves = null) : IWorkerInput;

/// <summary>A worker finished one leaf of one step. Small on purpose: the tensor travels as tree nodes.</summary>
/// <param name="LossSum">Sum, not mean, of per-sample loss in nats: uneven leaves add up exactly.</param>
/// <param name="SampleDigest">Digest of the ids that were decoded: what the auditor recomputes.</param>
/// <param name="IsFinite">False if any element is NaN or infinite. Absent on the wire reads as false: unproven.</param>
/// <param name="FirstBadParameter">Where, when not finite.</param>
/// <param name="Hash">Lower-case SHA-256 of the leaf's gradient, buffers, loss and correct count, when it is audited; else null.</param>
/// <param name="WaitedMilliseconds">How long the device waited for the leaf's samples.</param>
/// <param name="ComputedMilliseconds">How long it computed.</param>
[MessagePackObject]
public sealed record LeafDone(
    [property: Key(0)] Term Term,
    [property: Key(1)] StepId Step,
    [property: Key(2)] int Attempt,
    [property: Key(3)] int Leaf,
    [property: Key(4)] WorkerId Worker,
    [property: Key(5)] int SampleCount,
    [property: Key(6)] double LossSum,
    [property: Key(7)] int CorrectCount,
    [property: Key(8)] ulong SampleDigest,
    [property: Key(9)] bool IsFinite,
    [property: Key(10)] string? FirstBadParameter,
    [property: Key(11)] TraceContext Trace,
    [property: Key(12)] string? Hash = null,
    [property: Key(13)] float WaitedMilliseconds = 0,
    [property: Key(14)] float ComputedMilliseconds = 0) : IStepInput;

/// <summary>A sample that could not be decoded.</summary>
/// <param name="Sample">Its number in its split.</param>
/// <param name="Reason">Where, and what is wrong; at most <see cref="Limits.UndecodedReasonLength"/> characters.</param>
[MessagePackObject]
public sealed record UndecodedSample([property: Key(0)] int Sample, [property: Key(1)] string Reason)
{
    /// <summary>With a reason of one line that is not too long.</summary>
    public static UndecodedSample Of(int sample, string reason)
    {
        ArgumentNullException.ThrowIfNull(reason);
        var line = reason.ReplaceLineEndings(" ");
        return new UndecodedSample(sample, line.Length <= Limits.UndecodedReasonLength ? line : line[..(Limits.UndecodedReasonLength - 1)] + "…");
    }
}

/// <summary>
/// Instead of <see cref="LeafDone"/>: samples of the leaf that the order does not leave out cannot be decoded. No node with
/// the leaf is pushed.
/// </summary>
/// <param name="Samples">At least one and at most <see cref="Limits.ReportedUndecoded"/>; what lies beyond is found again in the next attempt.</param>
[MessagePackObject]
public sealed record LeafUnreadable(
    [property: Key(0)] Term Term,
    [property: Key(1)] StepId Step,
    [property: Key(2)] int Attempt,
    [property: Key(3)] int Leaf,
    [property: Key(4)] WorkerId Worker,
    [property: Key(5)] IReadOnlyList<UndecodedSample> Samples,
    [property: Key(6)] TraceContext Trace) : IStepInput;

/// <summary>Shard to coordinator: the tree is complete for all chunks of this shard.</summary>
/// <param name="FirstChunk">Index of the first chunk in <paramref name="SquaredNorms"/>.</param>
/// <param name="Contributors">The nodes of the sum and who computed them: the coordinator decides only on what they have vouched for.</param>
/// <param name="SquaredNorms">Per parameter chunk, the float64 sum of squares of the summed (not yet averaged) gradient. Empty for shards of buffers.</param>
/// <param name="PieceSums">Where the rule needs norms of single tensors: per piece of a tensor in a chunk of this shard, in offset order, the float64 sums of squares of the summed gradient, then, for LARS, those of the weights. Else null.</param>
/// <param name="Extreme">Clipping by value: the largest magnitude of an element of the summed gradient; adaptive clipping: the largest ratio of a unit's summed gradient norm to its weights' norm. Else 0.</param>
[MessagePackObject]
public sealed record ShardReduced(
    [property: Key(0)] Term Term,
    [property: Key(1)] StepId Step,
    [property: Key(2)] int Attempt,
    [property: Key(3)] ShardId Shard,
    [property: Key(4)] int FirstChunk,
    [property: Key(5)] IReadOnlyList<double> SquaredNorms,
    [property: Key(6)] IReadOnlyList<Contribution> Contributors,
    [property: Key(7)] TraceContext Trace,
    [property: Key(8)] IReadOnlyList<double>? PieceSums = null,
    [property: Key(9)] double Extreme = 0) : IStepInput;

/// <summary>A node of a sum, and the worker whose copy of it was taken.</summary>
[MessagePackObject]
public sealed record Contribution([property: Key(0)] TreeNode Node, [property: Key(1)] WorkerId Worker);

/// <summary>Coordinator to shard: the step is in the log; apply it. Idempotent by (step, version).</summary>
/// <param name="Sum">The sum that is to be applied: the record's own, or that of a replay in a later term.</param>
[MessagePackObject]
public sealed record ApplyStep(
    [property: Key(0)] Term Term,
    [property: Key(1)] CommitRecord Record,
    [property: Key(2)] SumKey Sum,
    [property: Key(3)] TraceContext Trace) : IReplicaInput;

/// <summary>Shard to coordinator: this shard holds (and has published) the version.</summary>
[MessagePackObject]
public sealed record ShardApplied(
    [property: Key(0)] Term Term,
    [property: Key(1)] WeightsVersion Version,
    [property: Key(2)] ShardId Shard,
    [property: Key(3)] TraceContext Trace) : IStepInput;

/// <summary>Coordinator to shards and workers: this attempt is void.</summary>
[MessagePackObject]
public sealed record StepAbandoned(
    [property: Key(0)] Term Term,
    [property: Key(1)] StepId Step,
    [property: Key(2)] int Attempt,
    [property: Key(3)] string Reason,
    [property: Key(4)] TraceContext Trace) : IReplicaInput, IWorkerInput;
