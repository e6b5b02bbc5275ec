using MessagePack;

namespace Cluster.Contracts;

/// <summary>What a replica answers to: every message to a slot of a shard.</summary>
public interface IReplicaInput
{
    /// <summary>On whose word: nothing of another term than the promised one has an effect.</summary>
    Term Term { get; }
}

/// <summary>What a worker answers to.</summary>
public interface IWorkerInput;

/// <summary>Coordinator to a replica: obey nobody below this term from now on, and say what you hold.</summary>
/// <param name="Claimant">Tells two incarnations apart that claim the same term: it is promised to one of them.</param>
[MessagePackObject]
public sealed record ClaimTerm(
    [property: Key(0)] Term Term,
    [property: Key(1)] long Claimant,
    [property: Key(2)] ShardId Shard) : IReplicaInput;

/// <summary>What a replica holds.</summary>
/// <param name="Version">Null when it is empty.</param>
/// <param name="HasPrevious">It can still hand out the version before.</param>
/// <param name="Sum">The reduced gradient that it keeps, null when none.</param>
/// <param name="WasPrimary">In the last term that placed it.</param>
/// <param name="Records">Of the steps since the oldest checkpoint that can be restored, as far as it has seen them; in step order.</param>
[MessagePackObject]
public sealed record ReplicaReport(
    [property: Key(0)] WeightsVersion? Version,
    [property: Key(1)] bool HasPrevious,
    [property: Key(2)] SumKey? Sum,
    [property: Key(3)] bool WasPrimary,
    [property: Key(4)] IReadOnlyList<CommitRecord> Records);

/// <summary>Replica to coordinator: promised.</summary>
[MessagePackObject]
public sealed record TermPromised(
    [property: Key(0)] Term Term,
    [property: Key(1)] long Claimant,
    [property: Key(2)] ReplicaId Replica,
    [property: Key(3)] ReplicaReport Report) : IStepInput;

/// <summary>Replica to a coordinator whose claim or order it refuses: a higher term (or another claimant of the same) has its promise.</summary>
[MessagePackObject]
public sealed record TermRefused(
    [property: Key(0)] Term Asked,
    [property: Key(1)] Term Promised,
    [property: Key(2)] ReplicaId Replica) : IStepInput;

/// <summary>Coordinator to both replicas of a shard: this is the shard's place in this term.</summary>
/// <param name="Seed">The standby does not hold the primary's version: the primary sends it its state.</param>
[MessagePackObject]
public sealed record HoldPlace(
    [property: Key(0)] Term Term,
    [property: Key(1)] ShardPlace Place,
    [property: Key(2)] bool Seed) : IReplicaInput;

/// <summary>Replica to coordinator: it holds its place, and a standby holds the primary's state.</summary>
[MessagePackObject]
public sealed record PlaceHeld([property: Key(0)] Term Term, [property: Key(1)] ReplicaId Replica) : IStepInput;

/// <summary>Replica to coordinator: it holds the version that it was told to load.</summary>
[MessagePackObject]
public sealed record ShardLoaded([property: Key(0)] Term Term, [property: Key(1)] WeightsVersion Version, [property: Key(2)] ReplicaId Replica) : IStepInput;

/// <summary>Coordinator to a replica: say again whether this sum is complete; the answer may have been lost.</summary>
[MessagePackObject]
public sealed record ReportAgain([property: Key(0)] SumKey Sum, [property: Key(1)] ShardId Shard) : IReplicaInput
{
    [IgnoreMember] public Term Term => Sum.Term;
}

/// <summary>Coordinator to replicas: records up to this version are in a checkpoint that can be restored; forget them.</summary>
[MessagePackObject]
public sealed record ForgetRecords([property: Key(0)] Term Term, [property: Key(1)] WeightsVersion Version, [property: Key(2)] ShardId Shard) : IReplicaInput;

/// <summary>Primary to standby: the record of this step, to be applied to the sum that you hold.</summary>
[MessagePackObject]
public sealed record StandbyApply(
    [property: Key(0)] Term Term,
    [property: Key(1)] ShardId Shard,
    [property: Key(2)] CommitRecord Record,
    [property: Key(3)] SumKey Sum,
    [property: Key(4)] TraceContext Trace = default) : IReplicaInput;

/// <summary>Standby to primary: it holds the version. Only now may the primary show it to anybody.</summary>
[MessagePackObject]
public sealed record StandbyApplied([property: Key(0)] Term Term, [property: Key(1)] ShardId Shard, [property: Key(2)] WeightsVersion Version) : IReplicaInput;

/// <summary>Standby to primary: it lacks the sum; send it again.</summary>
[MessagePackObject]
public sealed record StandbyLacksSum([property: Key(0)] Term Term, [property: Key(1)] ShardId Shard, [property: Key(2)] SumKey Sum) : IReplicaInput;

/// <summary>Worker to a primary: send your part of this version; it never came, or came before the worker did.</summary>
/// <param name="IsAverage">The average of the weights up to this version is meant, which is sent only when asked for, and only while the version is the newest.</param>
[MessagePackObject]
public sealed record RequestWeights(
    [property: Key(0)] Term Term,
    [property: Key(1)] WeightsVersion Version,
    [property: Key(2)] ShardId Shard,
    [property: Key(3)] WorkerId Worker,
    [property: Key(4)] bool IsAverage = false) : IReplicaInput;

/// <summary>Coordinator to workers: who holds which shard in this term. Sent before the term's first step.</summary>
/// <param name="Places">In shard order.</param>
[MessagePackObject]
public sealed record Routes([property: Key(0)] Term Term, [property: Key(1)] IReadOnlyList<ShardPlace> Places) : IWorkerInput;

/// <summary>Coordinator to workers: push the nodes that you keep of this attempt to these shards again.</summary>
[MessagePackObject]
public sealed record PushAgain(
    [property: Key(0)] Term Term,
    [property: Key(1)] StepId Step,
    [property: Key(2)] int Attempt,
    [property: Key(3)] IReadOnlyList<ShardId> Shards) : IWorkerInput;
