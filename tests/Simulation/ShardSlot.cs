using Cluster.Contracts;
using Cluster.Coordinator.Core;

namespace Cluster.Simulation;

/// <summary>A copy of a shard: the state that the core decides on, and the few floats beside it.</summary>
internal sealed class ShardSlot(ReplicaState state)
{
    /// <summary>Whose copies the sum was made of.</summary>
    public IReadOnlyList<Contribution> Contributors { get; set; } = [];

    /// <summary>Of the sum and the weights that it was computed from; null where the rule needs none.</summary>
    public double[]? PieceSums { get; set; }

    public ReplicaState State { get; set; } = state;
    public float[] Weights { get; set; } = [];
    public float[]? Previous { get; set; }
    public float[] Momentum { get; set; } = [];
    public float[] Sum { get; set; } = [];

    /// <summary>Kept nodes.</summary>
    public Dictionary<TreeNode, float[]> Nodes { get; } = [];

    /// <summary>Every node of the open sum that came, in order of arrival; what a planted bug adds instead.</summary>
    public List<(TreeNode Node, float[] Value)> Arrived { get; } = [];
}

/// <summary>A message to one slot of a node.</summary>
internal sealed record ToSlot(ShardId Shard, IReplicaInput Message)
{
    public override string ToString() => $"shard {Shard.Index}, {Message}";
}

/// <summary>Tensors of a whole state of a shard, beside LoadShard and SeedStandby.</summary>
internal sealed record ShardTensors(float[] Weights, float[]? Previous, float[] Momentum);

/// <summary>A primary's answer to SnapshotShard.</summary>
internal sealed record SlotSnapshot(Term Term, WeightsVersion Version, ShardId Shard, long AppliedSteps);
