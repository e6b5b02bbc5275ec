using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Cluster.Workers.Data.Images;

/// <summary>
/// The two passes of a resize, over pixels of four bytes: first every row, rounded to bytes, then every column; both give what
/// Pillow gives, bit for bit. Integers alone, so vectors and plain loops give the same.
/// </summary>
internal static unsafe class Resampler
{
    private const int Half = 1 << (AxisFilter.PrecisionBits - 1);

    /// <summary>Bytes from one row of <see cref="Rows"/>' results to the next.</summary>
    public static int PitchOf(int pixels) => (pixels * 4 + 31) / 32 * 32;

    /// <summary>The pass along the rows.</summary>
    /// <param name="source">[rows] rows of pixels, the first of them the filter's <see cref="AxisFilter.Low"/>; <see cref="Scratch.Slack"/> bytes behind the last may be read.</param>
    /// <param name="sourcePitch">In bytes.</param>
    /// <param name="target">[rows, PitchOf(filter.Count)] bytes.</param>
    public static void Rows(AxisFilter filter, byte* source, nint sourcePitch, int rows, byte* target)
    {
        if (!Avx2.IsSupported)
        {
            RowsPlainly(filter, source, sourcePitch, rows, target);
            return;
        }
        var pitch = PitchOf(filter.Count);
        for (var row = 0; row < rows; row += 2)
        {
            // The last row of an odd number is its own neighbour.
            var next = row + 1 < rows ? row + 1 : row;
            TwoRows(filter, source + row * sourcePitch, source + next * sourcePitch, target + (nint)row * pitch, target + (nint)next * pitch);
        }
    }

    /// <summary><see cref="Rows"/> without vectors.</summary>
    internal static void RowsPlainly(AxisFilter filter, byte* source, nint sourcePitch, int rows, byte* target)
    {
        for (var row = 0; row < rows; row++) OneRow(filter, source + row * sourcePitch, target + (nint)row * PitchOf(filter.Count));
    }

    /// <summary>The pass along the columns: one row of the result.</summary>
    /// <param name="source">What <see cref="Rows"/> made, from the filter's <see cref="AxisFilter.Low"/> on.</param>
    /// <param name="pitch">Of a row of <paramref name="source"/>, in bytes; a multiple of 32.</param>
    /// <param name="target">[pitch] bytes.</param>
    public static void Column(AxisFilter filter, int row, byte* source, int pitch, byte* target)
    {
        if (Avx2.IsSupported) ColumnOfVectors(WeightsOf(filter, row), source + (nint)filter.Starts[row] * pitch, pitch, target);
        else ColumnPlainly(filter, row, source, pitch, target);
    }

    /// <summary><see cref="Column"/> without vectors.</summary>
    internal static void ColumnPlainly(AxisFilter filter, int row, byte* source, int pitch, byte* target)
    {
        var weights = WeightsOf(filter, row);
        var first = source + (nint)filter.Starts[row] * pitch;
        for (var i = 0; i < pitch; i++)
        {
            var sum = Half;
            for (var tap = 0; tap < weights.Length; tap++) sum += weights[tap] * first[(nint)tap * pitch + i];
            target[i] = ToByte(sum);
        }
    }

    private static ReadOnlySpan<int> WeightsOf(AxisFilter filter, int pixel) => filter.Weights.Slice(pixel * filter.Stride, filter.Counts[pixel]);

    private static void OneRow(AxisFilter filter, byte* source, byte* target)
    {
        for (var x = 0; x < filter.Count; x++)
        {
            var pixel = source + 4 * (nint)filter.Starts[x];
            var (red, green, blue) = (Half, Half, Half);
            foreach (var weight in WeightsOf(filter, x))
            {
                red += weight * pixel[0];
                green += weight * pixel[1];
                blue += weight * pixel[2];
                pixel += 4;
            }
            (target[4 * x], target[4 * x + 1], target[4 * x + 2], target[4 * x + 3]) = (ToByte(red), ToByte(green), ToByte(blue), 0);
        }
    }

    private static byte ToByte(int sum) => (byte)Math.Clamp(sum >> AxisFilter.PrecisionBits, 0, 255);

    /// <summary>One row in each half of a vector, four pixels of it at once; see <see cref="AxisFilter.Packed"/>.</summary>
    private static void TwoRows(AxisFilter filter, byte* upper, byte* lower, byte* upperTarget, byte* lowerTarget)
    {
        // Bytes of the pixels 0 and 1, then 2 and 3, channel by channel, as 16-bit pairs.
        var firstPair = Vector256.Create(Vector128.Create((byte)0, 128, 4, 128, 1, 128, 5, 128, 2, 128, 6, 128, 3, 128, 7, 128));
        var secondPair = Vector256.Create(Vector128.Create((byte)8, 128, 12, 128, 9, 128, 13, 128, 10, 128, 14, 128, 11, 128, 15, 128));
        var half = Vector256.Create(Half);
        fixed (int* starts = filter.Starts, counts = filter.Counts, packed = filter.Packed)
        {
            for (var x = 0; x < filter.Count; x++)
            {
                var offset = 4 * (nint)starts[x];
                var weights = packed + (nint)x * filter.Stride;
                var end = counts[x];
                var (high, low) = (Vector256<int>.Zero, half);
                for (var tap = 0; tap < end; tap += AxisFilter.TapsAtOnce, offset += 16, weights += 4)
                {
                    var pixels = Vector256.Create(Vector128.Load(upper + offset), Vector128.Load(lower + offset));
                    var first = Avx2.Shuffle(pixels, firstPair).AsInt16();
                    var second = Avx2.Shuffle(pixels, secondPair).AsInt16();
                    high += Avx2.MultiplyAddAdjacent(first, Vector256.Create(weights[0]).AsInt16()) + Avx2.MultiplyAddAdjacent(second, Vector256.Create(weights[1]).AsInt16());
                    low += Avx2.MultiplyAddAdjacent(first, Vector256.Create(weights[2]).AsInt16()) + Avx2.MultiplyAddAdjacent(second, Vector256.Create(weights[3]).AsInt16());
                }
                var sums = ((high << 8) + low) >> AxisFilter.PrecisionBits;
                var words = Avx2.PackSignedSaturate(sums, sums);
                var bytes = Avx2.PackUnsignedSaturate(words, words).AsInt32();
                *(int*)(upperTarget + 4 * x) = bytes.GetElement(0);
                *(int*)(lowerTarget + 4 * x) = bytes.GetElement(4);
            }
        }
    }

    private static void ColumnOfVectors(ReadOnlySpan<int> weights, byte* first, int pitch, byte* target)
    {
        var half = Vector256.Create(Half);
        for (var i = 0; i < pitch; i += 32)
        {
            var (sum0, sum1, sum2, sum3) = (half, half, half, half);
            var (high0, high1, high2, high3) = (Vector256<int>.Zero, Vector256<int>.Zero, Vector256<int>.Zero, Vector256<int>.Zero);
            var source = first + i;
            for (var tap = 0; tap < weights.Length; tap += 2, source += 2 * (nint)pitch)
            {
                var a = Vector256.Load(source);
                // A weight that is too many is 0; its row may not be there.
                var isPair = tap + 1 < weights.Length;
                var b = isPair ? Vector256.Load(source + pitch) : Vector256<byte>.Zero;
                var (wa, wb) = (weights[tap], isPair ? weights[tap + 1] : 0);
                var upper = Vector256.Create((wa >> 8) | (wb >> 8 << 16)).AsInt16();
                var lower = Vector256.Create((wa & 0xFF) | ((wb & 0xFF) << 16)).AsInt16();
                var (near, far) = (Avx2.UnpackLow(a, b), Avx2.UnpackHigh(a, b));
                var p0 = Avx2.UnpackLow(near, Vector256<byte>.Zero).AsInt16();
                var p1 = Avx2.UnpackHigh(near, Vector256<byte>.Zero).AsInt16();
                var p2 = Avx2.UnpackLow(far, Vector256<byte>.Zero).AsInt16();
                var p3 = Avx2.UnpackHigh(far, Vector256<byte>.Zero).AsInt16();
                BitPairs(p0, upper, lower, ref high0, ref sum0);
                BitPairs(p1, upper, lower, ref high1, ref sum1);
                BitPairs(p2, upper, lower, ref high2, ref sum2);
                BitPairs(p3, upper, lower, ref high3, ref sum3);
            }
            var words = Avx2.PackSignedSaturate(Shifted(high0, sum0), Shifted(high1, sum1));
            var others = Avx2.PackSignedSaturate(Shifted(high2, sum2), Shifted(high3, sum3));
            Avx2.PackUnsignedSaturate(words, others).Store(target + i);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void BitPairs(Vector256<short> pixels, Vector256<short> upper, Vector256<short> lower, ref Vector256<int> high, ref Vector256<int> sum)
    {
        high += Avx2.MultiplyAddAdjacent(pixels, upper);
        sum += Avx2.MultiplyAddAdjacent(pixels, lower);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<int> Shifted(Vector256<int> high, Vector256<int> sum) => ((high << 8) + sum) >> AxisFilter.PrecisionBits;
}
