namespace Cluster.Coordinator.Core;

/// <summary>
/// Sums of squares in float64 over one chunk, in an order of additions that is fixed by the offset in the chunk alone:
/// element i goes to lane i mod 8, every lane adds up in order, and the lanes are added in pairs. So the bits depend
/// neither on the CPU's vector width nor on which shard owns the chunk. (The square of a float32 is exact in float64.)
/// </summary>
public static class ChunkNorm
{
    /// <summary>Lanes: the float64 width of a Vector512. Changing it changes every logged norm's last bits.</summary>
    public const int LaneCount = 8;

    /// <summary>The sum of squares of <paramref name="chunk"/>, whose first element lies at the chunk's edge. Zero when empty.</summary>
    public static double SumOfSquares(ReadOnlySpan<float> chunk) => SumOfSquares(chunk, Lanes.Best);

    internal static double SumOfSquares(ReadOnlySpan<float> chunk, VectorWidth width)
    {
        var lanes = new SquareLanes();
        unsafe
        {
            fixed (float* source = chunk) lanes.Accumulate(source, chunk.Length, width);
        }
        return lanes.Total;
    }
}

/// <summary>The norm of the whole gradient out of the sums of its chunks.</summary>
public static class GlobalNorm
{
    /// <summary>√(Σ <paramref name="sumsInChunkOrder"/>), added one by one from the first chunk on: the same for any number of shards.</summary>
    /// <param name="sumsInChunkOrder">Sum of squares per parameter chunk, chunk 0 first.</param>
    public static double Of(IEnumerable<double> sumsInChunkOrder)
    {
        ArgumentNullException.ThrowIfNull(sumsInChunkOrder);
        var total = 0.0;
        foreach (var sum in sumsInChunkOrder) total += sum;
        return Math.Sqrt(total);
    }

    /// <inheritdoc cref="Of(IEnumerable{double})"/>
    /// <summary>The norm of the mean gradient, from sums of squares of the summed one: norm / n.</summary>
    /// <param name="samples">n: samples of the step.</param>
    public static double OfMean(IEnumerable<double> sumsInChunkOrder, int samples)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(samples);
        return Of(sumsInChunkOrder) / samples;
    }
}
