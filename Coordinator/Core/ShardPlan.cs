using Cluster.Contracts;

namespace Cluster.Coordinator.Core;

/// <summary>What one parameter shard owns: whole chunks, contiguous.</summary>
/// <param name="FirstChunk">Index in the layout of the first chunk.</param>
/// <param name="ChunkCount">At least 1.</param>
/// <param name="Offset">First float in the state vector: the edge of a chunk.</param>
/// <param name="Length">Floats.</param>
public readonly record struct ShardRange(ShardId Shard, int FirstChunk, int ChunkCount, int Offset, int Length)
{
    public int End => Offset + Length;
    public int EndChunk => FirstChunk + ChunkCount;
}

/// <summary>Deals the chunks of a layout to P shards: contiguous, in shard order, sizes within one chunk of each other.</summary>
public sealed class ShardPlan
{
    private ShardPlan(IReadOnlyList<ShardRange> ranges) => Ranges = ranges;

    /// <summary>By shard index; disjoint, in offset order, together the whole state.</summary>
    public IReadOnlyList<ShardRange> Ranges { get; }

    public int Count => Ranges.Count;
    public ShardRange this[ShardId shard] => Ranges[shard.Index];

    /// <param name="shards">P.</param>
    /// <exception cref="UserMistakeException">P is not between 1 and the number of chunks (an empty shard would hold nothing and still have to answer every step).</exception>
    public static ShardPlan Deal(ParameterLayout layout, int shards)
    {
        ArgumentNullException.ThrowIfNull(layout);
        if (shards < 1) throw new UserMistakeException($"--ps {shards}: a run needs at least one parameter shard; use --ps 1");
        if (shards > Limits.MaxShards) throw new UserMistakeException($"--ps {shards} is more than the {Limits.MaxShards} parameter shards that a run can have; use fewer");
        if (shards > layout.ChunkCount)
            throw new UserMistakeException($"--ps {shards} but the model has only {layout.ChunkCount} chunks of {(layout.WholeRows ? "about " : "")}{Limits.ChunkFloats * sizeof(float) / 1024} KiB; use --ps {layout.ChunkCount} or fewer");
        var ranges = new ShardRange[shards];
        for (var i = 0; i < shards; i++)
        {
            var first = (int)((long)i * layout.ChunkCount / shards);
            var end = (int)((long)(i + 1) * layout.ChunkCount / shards);
            var (offset, _) = layout.Chunk(first);
            var (lastStart, lastLength) = layout.Chunk(end - 1);
            ranges[i] = new ShardRange(new ShardId(i), first, end - first, offset, lastStart + lastLength - offset);
        }
        return new ShardPlan(ranges);
    }
}
