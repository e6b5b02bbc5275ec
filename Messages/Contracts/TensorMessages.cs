namespace Cluster.Contracts;

// The in-process twins of the data plane's frames: tensors by reference. Whoever receives one owns a reference to its
// buffer and disposes it.

/// <summary>A partial gradient sum of one step, from a worker to a shard. The shard reads its own range of it.</summary>
/// <param name="LeafCount">L: the shape of the tree.</param>
/// <param name="Offset">First float of the state vector that the buffer holds: 0 when it holds all.</param>
/// <param name="Buffer">Covers at least the shard's range; must not change until it is released.</param>
public sealed record GradientNode(
    Term Term, StepId Step, int Attempt, TreeNode Node, int LeafCount, WorkerId Worker, int Offset, NativeBuffer Buffer, TraceContext Trace) : IReplicaInput
{
    public SumKey Sum => new(Term, Step, Attempt);

    /// <summary>Leaves without a sample, ascending: the rest of the tree's shape. The same in all nodes of a sum; null = none.</summary>
    public IReadOnlyList<int>? EmptyLeaves { get; init; }

    /// <summary>When it was here, all of it.</summary>
    public DateTimeOffset At { get; } = DateTimeOffset.UtcNow;
}

/// <summary>Weights of one version from one shard to a worker: the go signal for the next step once all shards' parts are there.</summary>
/// <param name="Offset">First float of the part in the state vector.</param>
/// <param name="Buffer">[part length].</param>
/// <param name="IsAverage">The average of the weights up to this version: for an evaluation, never for a step.</param>
public sealed record WeightsPart(
    Term Term, WeightsVersion Version, ShardId Shard, int Offset, NativeBuffer Buffer, TraceContext Trace, bool IsAverage = false) : IWorkerInput;

/// <summary>Primary to standby: the reduced gradient of this attempt, on its way while the coordinator decides.</summary>
/// <param name="Buffer">[range length].</param>
public sealed record StandbySum(Term Term, ShardId Shard, SumKey Sum, NativeBuffer Buffer) : IReplicaInput;

/// <summary>Primary to a standby that lacks its version: everything it holds of the shard.</summary>
/// <param name="Previous">The version before, null when the primary has none.</param>
/// <param name="Slots">Optimizer state by name.</param>
public sealed record SeedStandby(
    Term Term, ShardId Shard, WeightsVersion Version, long AppliedSteps, IReadOnlyList<CommitRecord> Records,
    NativeBuffer Weights, NativeBuffer? Previous, IReadOnlyDictionary<string, NativeBuffer> Slots) : IReplicaInput
{
    /// <summary>Releases what this message holds.</summary>
    public void Release()
    {
        Weights.Dispose();
        Previous?.Dispose();
        foreach (var slot in Slots.Values) slot.Dispose();
    }
}
