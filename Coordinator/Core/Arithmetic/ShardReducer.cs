using Cluster.Contracts;

namespace Cluster.Coordinator.Core;

/// <summary>A node's tensor as a shard reads it.</summary>
/// <param name="Start">Where the shard's first float lies in the buffer: its offset for a whole state vector, 0 for one cut to the shard.</param>
public readonly record struct NodeMemory(NativeBuffer Buffer, int Start);

/// <summary>
/// Runs a <see cref="ReductionProgram"/> over the memory of one shard, chunk by chunk: the temporaries of one chunk stay
/// in the second-level cache, and the last addition of each chunk yields its sum of squares on the way.
/// </summary>
/// <remarks>Not thread-safe: one per thread. Dispose frees the temporaries.</remarks>
public sealed class ShardReducer : IDisposable
{
    private readonly ParameterLayout _layout;
    private readonly int _longestChunk;
    private NativeBuffer? _scratch;

    public ShardReducer(ShardRange range, ParameterLayout layout)
    {
        ArgumentNullException.ThrowIfNull(layout);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(range.EndChunk, layout.ChunkCount);
        Range = range;
        _layout = layout;
        _longestChunk = Enumerable.Range(range.FirstChunk, range.ChunkCount).Max(i => layout.Chunk(i).Length);
        ParameterChunkCount = Math.Clamp(layout.ParameterChunkCount - range.FirstChunk, 0, range.ChunkCount);
    }

    public ShardRange Range { get; }

    /// <summary>Chunks of this shard that hold parameters; they come first, the rest holds buffers.</summary>
    public int ParameterChunkCount { get; }

    /// <summary>Completes the tree over the whole range.</summary>
    /// <param name="nodes">In the order of <see cref="ReductionProgram.Nodes"/>; read only.</param>
    /// <param name="summed">[Range.Length]; receives the root's value.</param>
    /// <param name="squaredNorms">[<see cref="ParameterChunkCount"/>]; receives the sum of squares per parameter chunk. A non-finite element makes its chunk's sum non-finite.</param>
    public void Reduce(ReductionProgram program, IReadOnlyList<NodeMemory> nodes, Span<float> summed, Span<double> squaredNorms)
    {
        if (summed.Length != Range.Length) throw new ArgumentException($"{Range.Shard} sums {Range.Length} floats, not {summed.Length}", nameof(summed));
        if (squaredNorms.Length != ParameterChunkCount) throw new ArgumentException($"{Range.Shard} has {ParameterChunkCount} parameter chunks, not {squaredNorms.Length}", nameof(squaredNorms));
        for (var i = 0; i < Range.ChunkCount; i++)
        {
            var square = ReduceChunk(program, nodes, i, summed);
            if (i < ParameterChunkCount) squaredNorms[i] = square;
        }
    }

    /// <summary>Completes the tree over one chunk; see <see cref="Reduce"/>.</summary>
    /// <param name="chunk">Counted from the shard's first chunk.</param>
    /// <returns>The chunk's sum of squares; 0 for a chunk of buffers.</returns>
    public double ReduceChunk(ReductionProgram program, IReadOnlyList<NodeMemory> nodes, int chunk, Span<float> summed)
    {
        ArgumentNullException.ThrowIfNull(program);
        ArgumentNullException.ThrowIfNull(nodes);
        ArgumentOutOfRangeException.ThrowIfNegative(chunk);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(chunk, Range.ChunkCount);
        if (nodes.Count != program.Nodes.Count) throw new ArgumentException($"the program adds {program.Nodes.Count} nodes, not {nodes.Count}", nameof(nodes));
        var (offset, length) = _layout.Chunk(Range.FirstChunk + chunk);
        var start = offset - Range.Offset;
        var result = summed.Slice(start, length);
        var wantsNorm = chunk < ParameterChunkCount;
        if (program.Additions.Count == 0)
        {
            Node(nodes[0], start, length).CopyTo(result);
            return wantsNorm ? ChunkNorm.SumOfSquares(result) : 0;
        }
        var scratch = Scratch(program.ScratchCount);
        for (var i = 0; i < program.Additions.Count; i++)
        {
            var (target, left, right) = program.Additions[i];
            var l = Read(left, nodes, scratch, start, length);
            var r = Read(right, nodes, scratch, start, length);
            if (target.Kind == OperandKind.Scratch) Sum.Add(scratch.Slice(target.Index * _longestChunk, length), l, r);
            else if (wantsNorm) return Sum.AddAndSquare(result, l, r);
            else Sum.Add(result, l, r);
        }
        return 0;
    }

    public void Dispose()
    {
        _scratch?.Dispose();
        _scratch = null;
    }

    private ReadOnlySpan<float> Read(Operand operand, IReadOnlyList<NodeMemory> nodes, Span<float> scratch, int start, int length) =>
        operand.Kind == OperandKind.Node
            ? Node(nodes[operand.Index], start, length)
            : scratch.Slice(operand.Index * _longestChunk, length);

    private static ReadOnlySpan<float> Node(NodeMemory node, int start, int length) => node.Buffer.Span.Slice(node.Start + start, length);

    private Span<float> Scratch(int chunks)
    {
        if (chunks == 0) return [];
        if (_scratch is null || _scratch.Length < chunks * _longestChunk)
        {
            _scratch?.Dispose();
            _scratch = NativeBuffer.Allocate(chunks * _longestChunk);
        }
        return _scratch.Span;
    }
}

/// <summary>The tree over numbers that travel per leaf: loss, counts.</summary>
public static class TreeSum
{
    /// <summary>The root's value in float64 over <paramref name="leaves"/>, in leaf order: the same tree as the gradient's.</summary>
    /// <param name="leaves">[L], L at least 1.</param>
    /// <param name="emptyLeaves">Leaves without a sample, ascending: what stands for them is not added; null = none.</param>
    /// <returns>0 when no leaf has a sample.</returns>
    public static double Of(ReadOnlySpan<double> leaves, IReadOnlyList<int>? emptyLeaves = null)
    {
        ArgumentOutOfRangeException.ThrowIfZero(leaves.Length);
        // Level by level in place: pairs move down, an odd one at the end, or one whose sibling is empty, passes through.
        Span<double> level = leaves.Length <= 64 ? stackalloc double[leaves.Length] : new double[leaves.Length];
        Span<bool> isEmpty = leaves.Length <= 64 ? stackalloc bool[leaves.Length] : new bool[leaves.Length];
        isEmpty.Clear();
        leaves.CopyTo(level);
        foreach (var leaf in emptyLeaves ?? []) isEmpty[leaf] = true;
        for (var count = leaves.Length; count > 1; count = (count + 1) / 2)
        {
            for (var i = 0; i < count / 2; i++)
            {
                var (left, right) = (2 * i, 2 * i + 1);
                (level[i], isEmpty[i]) = isEmpty[left] ? (level[right], isEmpty[right]) : isEmpty[right] ? (level[left], false) : (level[left] + level[right], false);
            }
            if (count % 2 == 1) (level[count / 2], isEmpty[count / 2]) = (level[count - 1], isEmpty[count - 1]);
        }
        return isEmpty[0] ? 0 : level[0];
    }
}
