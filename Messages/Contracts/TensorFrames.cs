using MessagePack;

namespace Cluster.Contracts;

// What travels before the tensors of a bulk message: the message itself, without them.

/// <summary>Head of a <see cref="GradientNode"/> that is cut to its shard.</summary>
[MessagePackObject]
public sealed record GradientNodeHead(
    [property: Key(0)] Term Term,
    [property: Key(1)] StepId Step,
    [property: Key(2)] int Attempt,
    [property: Key(3)] TreeNode Node,
    [property: Key(4)] int LeafCount,
    [property: Key(5)] WorkerId Worker,
    [property: Key(6)] int Offset,
    [property: Key(7)] TraceContext Trace,
    [property: Key(8)] IReadOnlyList<int>? EmptyLeaves = null);

/// <summary>Head of a <see cref="WeightsPart"/>.</summary>
[MessagePackObject]
public sealed record WeightsPartHead(
    [property: Key(0)] Term Term,
    [property: Key(1)] WeightsVersion Version,
    [property: Key(2)] ShardId Shard,
    [property: Key(3)] int Offset,
    [property: Key(4)] TraceContext Trace,
    [property: Key(5)] bool IsAverage = false);

/// <summary>Head of a <see cref="StandbySum"/>.</summary>
[MessagePackObject]
public sealed record StandbySumHead([property: Key(0)] Term Term, [property: Key(1)] ShardId Shard, [property: Key(2)] SumKey Sum);

/// <summary>Head of a <see cref="SeedStandby"/>: tensors are the weights, the previous version if there is one, then the slots by name.</summary>
[MessagePackObject]
public sealed record SeedStandbyHead(
    [property: Key(0)] Term Term,
    [property: Key(1)] ShardId Shard,
    [property: Key(2)] WeightsVersion Version,
    [property: Key(3)] long AppliedSteps,
    [property: Key(4)] IReadOnlyList<CommitRecord> Records,
    [property: Key(5)] bool HasPrevious,
    [property: Key(6)] IReadOnlyList<string> Slots);

/// <summary>Head of a <see cref="LoadShard"/> that is cut to its shard: tensors are the weights, then the slots by name.</summary>
[MessagePackObject]
public sealed record LoadShardHead(
    [property: Key(0)] Term Term,
    [property: Key(1)] WeightsVersion Version,
    [property: Key(2)] IReadOnlyList<string> Slots,
    [property: Key(3)] long AppliedSteps,
    [property: Key(4)] int Offset,
    [property: Key(5)] TraceContext Trace);

/// <summary>Head of an <see cref="InitialState"/>.</summary>
[MessagePackObject]
public sealed record InitialStateHead([property: Key(0)] Term Term, [property: Key(1)] WorkerId Worker);

/// <summary>Head of a <see cref="ShardSnapshot"/>: tensors are the weights, then the slots by name.</summary>
[MessagePackObject]
public sealed record ShardSnapshotHead(
    [property: Key(0)] Term Term,
    [property: Key(1)] WeightsVersion Version,
    [property: Key(2)] ShardId Shard,
    [property: Key(3)] int Offset,
    [property: Key(4)] long AppliedSteps,
    [property: Key(5)] IReadOnlyList<string> Slots);
