using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

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
        lanes.Accumulate(chunk, width);
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

/// <summary>The eight running sums of <see cref="ChunkNorm"/>. Every span but the last must have a length divisible by eight.</summary>
internal struct SquareLanes
{
    private Vector256<double> _low, _high;

    /// <summary>The lanes added in pairs: ((0+4)+(2+6)) + ((1+5)+(3+7)).</summary>
    public readonly double Total
    {
        get
        {
            var four = _low + _high;
            return (four[0] + four[2]) + (four[1] + four[3]);
        }
    }

    public unsafe void Accumulate(ReadOnlySpan<float> values, VectorWidth width)
    {
        fixed (float* source = values)
        {
            var i = width switch
            {
                VectorWidth.Bits512 => Accumulate512(source, values.Length),
                VectorWidth.Bits256 => Accumulate256(source, values.Length),
                _ => 0,
            };
            AccumulateScalar(source, i, values.Length);
        }
    }

    [SkipLocalsInit]
    private unsafe nint Accumulate512(float* source, nint length)
    {
        var sum = Vector512.Create(_low, _high);
        nint i = 0;
        for (; i + 16 <= length; i += 16)
        {
            var (low, high) = Vector512.Widen(Vector512.Load(source + i));
            sum += low * low;
            sum += high * high;
        }
        (_low, _high) = (sum.GetLower(), sum.GetUpper());
        return i;
    }

    private unsafe nint Accumulate256(float* source, nint length)
    {
        var (sumLow, sumHigh) = (_low, _high);
        nint i = 0;
        for (; i + 8 <= length; i += 8)
        {
            var (low, high) = Vector256.Widen(Vector256.Load(source + i));
            sumLow += low * low;
            sumHigh += high * high;
        }
        (_low, _high) = (sumLow, sumHigh);
        return i;
    }

    private unsafe void AccumulateScalar(float* source, nint from, nint length)
    {
        var sums = stackalloc double[ChunkNorm.LaneCount];
        _low.Store(sums);
        _high.Store(sums + 4);
        for (var i = from; i < length; i++) sums[i % ChunkNorm.LaneCount] += (double)source[i] * source[i];
        _low = Vector256.Load(sums);
        _high = Vector256.Load(sums + 4);
    }
}
