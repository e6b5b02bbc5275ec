using System.Globalization;
using MessagePack;

namespace Cluster.Contracts;

/// <summary>
/// A process that holds parameter shards, written <c>ps-0</c>. The incarnation tells its starts apart: whatever an
/// earlier one held is gone.
/// </summary>
/// <param name="Incarnation">Grows from start to start.</param>
[MessagePackObject]
public readonly record struct NodeId([property: Key(0)] int Index, [property: Key(1)] long Incarnation) : IComparable<NodeId>
{
    public int CompareTo(NodeId other) => Index != other.Index ? Index.CompareTo(other.Index) : Incarnation.CompareTo(other.Incarnation);
    public static bool operator <(NodeId left, NodeId right) => left.CompareTo(right) < 0;
    public static bool operator >(NodeId left, NodeId right) => left.CompareTo(right) > 0;
    public static bool operator <=(NodeId left, NodeId right) => left.CompareTo(right) <= 0;
    public static bool operator >=(NodeId left, NodeId right) => left.CompareTo(right) >= 0;
    public override string ToString() => "ps-" + Index.ToString(CultureInfo.InvariantCulture);
}

/// <summary>One copy of a shard: the shard's slot on a node. Most slots are empty.</summary>
[MessagePackObject]
public readonly record struct ReplicaId([property: Key(0)] ShardId Shard, [property: Key(1)] NodeId Node) : IComparable<ReplicaId>
{
    public int CompareTo(ReplicaId other) => Shard != other.Shard ? Shard.CompareTo(other.Shard) : Node.CompareTo(other.Node);
    public static bool operator <(ReplicaId left, ReplicaId right) => left.CompareTo(right) < 0;
    public static bool operator >(ReplicaId left, ReplicaId right) => left.CompareTo(right) > 0;
    public static bool operator <=(ReplicaId left, ReplicaId right) => left.CompareTo(right) <= 0;
    public static bool operator >=(ReplicaId left, ReplicaId right) => left.CompareTo(right) >= 0;
    public override string ToString() => $"shard {Shard.Index} on {Node}";
}

/// <summary>Where a shard's copies live during one term.</summary>
/// <param name="Standby">Null when there is none.</param>
[MessagePackObject]
public sealed record ShardPlace([property: Key(0)] ShardId Shard, [property: Key(1)] NodeId Primary, [property: Key(2)] NodeId? Standby)
{
    [IgnoreMember] public ReplicaId PrimaryReplica => new(Shard, Primary);
    [IgnoreMember] public ReplicaId? StandbyReplica => Standby is { } node ? new ReplicaId(Shard, node) : null;
}

/// <summary>Names a reduced gradient: only the sum that the coordinator decided on may be applied.</summary>
[MessagePackObject]
public readonly record struct SumKey([property: Key(0)] Term Term, [property: Key(1)] StepId Step, [property: Key(2)] int Attempt)
{
    public override string ToString() => $"step {Step} attempt {Attempt} of term {Term}";
}
