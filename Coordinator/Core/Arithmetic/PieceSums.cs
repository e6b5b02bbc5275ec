using Cluster.Contracts;

namespace Cluster.Coordinator.Core;

/// <summary>
/// Sums of squares over the pieces of a shard's parameters, each in the order of <see cref="ChunkNorm"/> from the piece's
/// first element on: what norms of single tensors are made of, whoever owns their chunks.
/// </summary>
/// <remarks>Holds no tensors. Thread-safe.</remarks>
public sealed class PieceSums
{
    private readonly ShardRange _range;
    private readonly ParameterPiece[] _pieces;
    private readonly bool _withWeights;

    private PieceSums(ShardRange range, ParameterPiece[] pieces, bool withWeights) => (_range, _pieces, _withWeights) = (range, pieces, withWeights);

    /// <summary>Null where the run's rule needs none.</summary>
    public static PieceSums? For(ShardRange range, ParameterLayout layout, OptimizerOptions optimizer)
    {
        ArgumentNullException.ThrowIfNull(layout);
        ArgumentNullException.ThrowIfNull(optimizer);
        return optimizer.NeedsTensorSums()
            ? new PieceSums(range, [.. layout.Pieces.Where(p => p.Chunk >= range.FirstChunk && p.Chunk < range.EndChunk)], WithWeights(optimizer))
            : null;
    }

    /// <summary>True if the rule needs the weights' norms beside the gradients'; reading them costs a pass over memory.</summary>
    public static bool WithWeights(OptimizerOptions optimizer)
    {
        ArgumentNullException.ThrowIfNull(optimizer);
        return optimizer.Kind == "lars";
    }

    /// <summary>What <see cref="ShardReduced.PieceSums"/> says.</summary>
    /// <param name="summed">[Range.Length] root of the reduction tree.</param>
    /// <param name="weights">[Range.Length] the version that the gradient belongs to.</param>
    public double[] Of(ReadOnlySpan<float> summed, ReadOnlySpan<float> weights)
    {
        if (summed.Length != _range.Length || weights.Length != _range.Length)
            throw new ArgumentException($"{_range.Shard} has {_range.Length} floats, not {summed.Length} gradients and {weights.Length} weights");
        var sums = new double[_withWeights ? 2 * _pieces.Length : _pieces.Length];
        for (var i = 0; i < _pieces.Length; i++)
        {
            var start = _pieces[i].Offset - _range.Offset;
            sums[i] = ChunkNorm.SumOfSquares(summed.Slice(start, _pieces[i].Length));
            if (_withWeights) sums[_pieces.Length + i] = ChunkNorm.SumOfSquares(weights.Slice(start, _pieces[i].Length));
        }
        return sums;
    }
}
