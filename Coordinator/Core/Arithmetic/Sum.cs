namespace Cluster.Coordinator.Core;

/// <summary>
/// Elementwise float32 addition of gradients: the one operation of the reduction tree. The same bits for every vector
/// width (a sum of two NaNs may carry either payload; such a gradient is never applied).
/// </summary>
/// <remarks>Any thread; spans may be managed or native and of any alignment.</remarks>
public static unsafe class Sum
{
    /// <summary>target[i] = left[i] + right[i]. The target may be one of the operands, but must not overlap one in part.</summary>
    /// <exception cref="ArgumentException">The lengths differ.</exception>
    public static void Add(Span<float> target, ReadOnlySpan<float> left, ReadOnlySpan<float> right) => Add(target, left, right, Lanes.Best);

    /// <summary>accumulator[i] += addend[i]: the accumulator is the left child.</summary>
    /// <exception cref="ArgumentException">The lengths differ.</exception>
    public static void AddInto(Span<float> accumulator, ReadOnlySpan<float> addend) => Add(accumulator, accumulator, addend, Lanes.Best);

    /// <summary>
    /// <see cref="Add(Span{float}, ReadOnlySpan{float}, ReadOnlySpan{float})"/> and
    /// <see cref="ChunkNorm.SumOfSquares(ReadOnlySpan{float})"/> of the target in one pass, so that the arithmetic of the
    /// norm hides behind the memory traffic of the sum. The same bits as the two calls one after the other.
    /// </summary>
    /// <returns>Sum of squares of the target.</returns>
    /// <exception cref="ArgumentException">The lengths differ.</exception>
    public static double AddAndSquare(Span<float> target, ReadOnlySpan<float> left, ReadOnlySpan<float> right) => AddAndSquare(target, left, right, Lanes.Best);

    internal static double AddAndSquare(Span<float> target, ReadOnlySpan<float> left, ReadOnlySpan<float> right, VectorWidth width)
    {
        CheckLengths(target, left, right);
        var lanes = new SquareLanes();
        fixed (float* t = target, l = left, r = right) lanes.AddAndAccumulate(t, l, r, target.Length, width);
        return lanes.Total;
    }

    internal static void Add(Span<float> target, ReadOnlySpan<float> left, ReadOnlySpan<float> right, VectorWidth width)
    {
        CheckLengths(target, left, right);
        fixed (float* t = target, l = left, r = right)
        {
            var done = width switch
            {
                VectorWidth.Bits512 => Add<Lanes512, System.Runtime.Intrinsics.Vector512<float>>(t, l, r, 0, target.Length),
                VectorWidth.Bits256 => Add<Lanes256, System.Runtime.Intrinsics.Vector256<float>>(t, l, r, 0, target.Length),
                VectorWidth.Bits128 => Add<Lanes128, System.Runtime.Intrinsics.Vector128<float>>(t, l, r, 0, target.Length),
                _ => 0,
            };
            Add<LanesScalar, float>(t, l, r, done, target.Length);
        }
    }

    private static nint Add<TLanes, TVector>(float* target, float* left, float* right, nint from, nint length)
        where TLanes : struct, ILanes<TVector>
        where TVector : struct
    {
        var i = from;
        for (; i + TLanes.Count <= length; i += TLanes.Count)
            TLanes.Store(TLanes.Add(TLanes.Load(left + i), TLanes.Load(right + i)), target + i);
        return i;
    }

    private static void CheckLengths(Span<float> target, ReadOnlySpan<float> left, ReadOnlySpan<float> right)
    {
        if (target.Length != left.Length || target.Length != right.Length)
            throw new ArgumentException($"cannot add {left.Length} and {right.Length} floats into {target.Length}");
    }
}
