namespace Cluster.Contracts;

// The in-process twins of the data plane's frames: tensors by reference. Whoever receives one owns a reference to its
// buffer and disposes it.

/// <summary>A partial gradient sum of one step, from a worker to a shard. The shard reads its own range of it.</summary>
/// <param name="LeafCount">L: the shape of the tree.</param>
/// <param name="Buffer">[StateFloats]; must not change until it is released.</param>
public sealed record GradientNode(
    Term Term, StepId Step, int Attempt, TreeNode Node, int LeafCount, WorkerId Worker, NativeBuffer Buffer, TraceContext Trace);

/// <summary>Weights of one version from one shard to a worker: the go signal for the next step once all shards' parts are there.</summary>
/// <param name="Offset">First float of the part in the state vector.</param>
/// <param name="Buffer">[part length].</param>
public sealed record WeightsPart(Term Term, WeightsVersion Version, ShardId Shard, int Offset, NativeBuffer Buffer, TraceContext Trace);
