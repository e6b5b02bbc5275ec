using System.Runtime.Intrinsics;

namespace Cluster.Coordinator.Core;

/// <summary>The eight running sums of <see cref="ChunkNorm"/>, over one run of floats that begins at a chunk's edge.</summary>
internal unsafe struct SquareLanes
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

    public void Accumulate(float* source, nint length, VectorWidth width)
    {
        nint i = 0;
        if (width == VectorWidth.Bits512)
        {
            var sum = Vector512.Create(_low, _high);
            for (; i + 16 <= length; i += 16) sum = Accumulate(sum, Vector512.Load(source + i));
            (_low, _high) = (sum.GetLower(), sum.GetUpper());
        }
        else if (width == VectorWidth.Bits256)
        {
            var (low, high) = (_low, _high);
            for (; i + 8 <= length; i += 8) (low, high) = Accumulate(low, high, Vector256.Load(source + i));
            (_low, _high) = (low, high);
        }
        AccumulateScalar(source, i, length);
    }

    /// <summary>target[i] = left[i] + right[i], and the target's squares.</summary>
    public void AddAndAccumulate(float* target, float* left, float* right, nint length, VectorWidth width)
    {
        nint i = 0;
        if (width == VectorWidth.Bits512)
        {
            var sum = Vector512.Create(_low, _high);
            for (; i + 16 <= length; i += 16)
            {
                var values = Vector512.Load(left + i) + Vector512.Load(right + i);
                values.Store(target + i);
                sum = Accumulate(sum, values);
            }
            (_low, _high) = (sum.GetLower(), sum.GetUpper());
        }
        else if (width == VectorWidth.Bits256)
        {
            var (low, high) = (_low, _high);
            for (; i + 8 <= length; i += 8)
            {
                var values = Vector256.Load(left + i) + Vector256.Load(right + i);
                values.Store(target + i);
                (low, high) = Accumulate(low, high, values);
            }
            (_low, _high) = (low, high);
        }
        for (var j = i; j < length; j++) target[j] = left[j] + right[j];
        AccumulateScalar(target, i, length);
    }

    private static Vector512<double> Accumulate(Vector512<double> sum, Vector512<float> values)
    {
        var (first, second) = Vector512.Widen(values);
        return sum + first * first + second * second;
    }

    private static (Vector256<double> Low, Vector256<double> High) Accumulate(Vector256<double> low, Vector256<double> high, Vector256<float> values)
    {
        var (first, second) = Vector256.Widen(values);
        return (low + first * first, high + second * second);
    }

    private void AccumulateScalar(float* source, nint from, nint length)
    {
        var sums = stackalloc double[ChunkNorm.LaneCount];
        _low.Store(sums);
        _high.Store(sums + 4);
        for (var i = from; i < length; i++) sums[i % ChunkNorm.LaneCount] += (double)source[i] * source[i];
        _low = Vector256.Load(sums);
        _high = Vector256.Load(sums + 4);
    }
}
