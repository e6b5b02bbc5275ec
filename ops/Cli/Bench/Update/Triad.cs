using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Cluster.Cli.Bench.Update;

/// <summary>
/// The triad of McCalpin's STREAM, a[i] = b[i] + s·c[i], in float32: the yardstick of memory bandwidth. STREAM counts
/// three arrays; ordinary stores also read the target's cache lines first (a fourth), streaming stores do not. Compiled at full
/// optimisation at once: called once a round, it would else be measured in the runtime's first tier.
/// </summary>
internal static unsafe class Triad
{
    public const int CountedArrays = 3;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Ordinary(Span<float> target, ReadOnlySpan<float> b, ReadOnlySpan<float> c, float factor)
    {
        fixed (float* t = target, x = b, y = c)
        {
            nint i = 0, length = target.Length;
            if (Vector512.IsHardwareAccelerated)
            {
                var s = Vector512.Create(factor);
                for (; i + 16 <= length; i += 16) (Vector512.Load(x + i) + s * Vector512.Load(y + i)).Store(t + i);
            }
            var s256 = Vector256.Create(factor);
            for (; i + 8 <= length; i += 8) (Vector256.Load(x + i) + s256 * Vector256.Load(y + i)).Store(t + i);
            for (; i < length; i++) t[i] = x[i] + factor * y[i];
        }
    }

    /// <summary>The same with streaming stores; the spans must be aligned to 64 bytes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Streaming(Span<float> target, ReadOnlySpan<float> b, ReadOnlySpan<float> c, float factor)
    {
        fixed (float* t = target, x = b, y = c)
        {
            nint i = 0, length = target.Length;
            if (Vector512.IsHardwareAccelerated)
            {
                var s = Vector512.Create(factor);
                for (; i + 16 <= length; i += 16) (Vector512.Load(x + i) + s * Vector512.Load(y + i)).StoreAlignedNonTemporal(t + i);
            }
            var s256 = Vector256.Create(factor);
            for (; i + 8 <= length; i += 8) (Vector256.Load(x + i) + s256 * Vector256.Load(y + i)).StoreAlignedNonTemporal(t + i);
            for (; i < length; i++) t[i] = x[i] + factor * y[i];
        }
    }
}
