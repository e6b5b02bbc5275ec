using System.Globalization;
using MessagePack;

namespace Cluster.Contracts;

/// <summary>Number of the coordinator's incarnation; on every decision, the higher one wins.</summary>
[MessagePackObject]
public readonly record struct Term([property: Key(0)] long Value) : IComparable<Term>
{
    public static readonly Term First = new(1);

    public Term Next() => new(Value + 1);
    public int CompareTo(Term other) => Value.CompareTo(other.Value);
    public static bool operator <(Term left, Term right) => left.Value < right.Value;
    public static bool operator >(Term left, Term right) => left.Value > right.Value;
    public static bool operator <=(Term left, Term right) => left.Value <= right.Value;
    public static bool operator >=(Term left, Term right) => left.Value >= right.Value;
    public override string ToString() => Value.ToString(CultureInfo.InvariantCulture);
}

/// <summary>One weight update, counted from 1. Step t turns weights of version t-1 into version t.</summary>
[MessagePackObject]
public readonly record struct StepId([property: Key(0)] long Value) : IComparable<StepId>
{
    [IgnoreMember] public WeightsVersion Produces => new(Value);
    [IgnoreMember] public WeightsVersion Consumes => new(Value - 1);

    public StepId Next() => new(Value + 1);
    public int CompareTo(StepId other) => Value.CompareTo(other.Value);
    public static bool operator <(StepId left, StepId right) => left.Value < right.Value;
    public static bool operator >(StepId left, StepId right) => left.Value > right.Value;
    public static bool operator <=(StepId left, StepId right) => left.Value <= right.Value;
    public static bool operator >=(StepId left, StepId right) => left.Value >= right.Value;
    public override string ToString() => Value.ToString(CultureInfo.InvariantCulture);
}

/// <summary>The weights after step <c>Value</c>; 0 is the initial state.</summary>
[MessagePackObject]
public readonly record struct WeightsVersion([property: Key(0)] long Value) : IComparable<WeightsVersion>
{
    public static readonly WeightsVersion Initial = new(0);

    public int CompareTo(WeightsVersion other) => Value.CompareTo(other.Value);
    public static bool operator <(WeightsVersion left, WeightsVersion right) => left.Value < right.Value;
    public static bool operator >(WeightsVersion left, WeightsVersion right) => left.Value > right.Value;
    public static bool operator <=(WeightsVersion left, WeightsVersion right) => left.Value <= right.Value;
    public static bool operator >=(WeightsVersion left, WeightsVersion right) => left.Value >= right.Value;
    public override string ToString() => Value.ToString(CultureInfo.InvariantCulture);
}

/// <summary>A worker: one device that computes leaves. Written <c>worker-0</c>.</summary>
[MessagePackObject]
public readonly record struct WorkerId([property: Key(0)] int Index) : IComparable<WorkerId>
{
    public int CompareTo(WorkerId other) => Index.CompareTo(other.Index);
    public static bool operator <(WorkerId left, WorkerId right) => left.Index < right.Index;
    public static bool operator >(WorkerId left, WorkerId right) => left.Index > right.Index;
    public static bool operator <=(WorkerId left, WorkerId right) => left.Index <= right.Index;
    public static bool operator >=(WorkerId left, WorkerId right) => left.Index >= right.Index;
    public override string ToString() => "worker-" + Index.ToString(CultureInfo.InvariantCulture);
}

/// <summary>A parameter shard: owner of a contiguous range of chunks. Written <c>ps-0</c>.</summary>
[MessagePackObject]
public readonly record struct ShardId([property: Key(0)] int Index) : IComparable<ShardId>
{
    public int CompareTo(ShardId other) => Index.CompareTo(other.Index);
    public static bool operator <(ShardId left, ShardId right) => left.Index < right.Index;
    public static bool operator >(ShardId left, ShardId right) => left.Index > right.Index;
    public static bool operator <=(ShardId left, ShardId right) => left.Index <= right.Index;
    public static bool operator >=(ShardId left, ShardId right) => left.Index >= right.Index;
    public override string ToString() => "ps-" + Index.ToString(CultureInfo.InvariantCulture);
}

/// <summary>A contiguous run of leaves [First, First + Count) of one step.</summary>
[MessagePackObject]
public readonly record struct LeafRange([property: Key(0)] int First, [property: Key(1)] int Count)
{
    public static readonly LeafRange Empty = new(0, 0);

    [IgnoreMember] public int End => First + Count;
    [IgnoreMember] public bool IsEmpty => Count == 0;

    public bool Contains(int leaf) => leaf >= First && leaf < End;
    public override string ToString() => Count == 0 ? "none" : $"{First}..{End - 1}";
}
