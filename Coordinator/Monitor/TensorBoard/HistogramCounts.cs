using System.Buffers;
using System.Runtime.InteropServices;

namespace Cluster.Coordinator.Monitor.TensorBoard;

/// <summary>
/// A histogram with TensorFlow's buckets (core/lib/histogram/histogram.cc): limits grow by a tenth from 1e-12 to 1e20, the
/// same below zero, and 0 between; bucket i holds what lies in [limit i-1, limit i). Values that are not finite are left out.
/// </summary>
/// <remarks>Not thread-safe.</remarks>
public sealed class HistogramCounts
{
    /// <summary>Bits of a float that its first guess looks at: sign, exponent, and seven bits more. Steps of a 128th never pass more than one limit.</summary>
    private const int GuessShift = 16;

    /// <summary>Ascending; the last one is the largest double.</summary>
    public static IReadOnlyList<double> Limits => AllLimits;

    private static readonly double[] AllLimits = MakeLimits();
    private static readonly ushort[] Guesses = MakeGuesses();

    private readonly long[] _counts = new long[AllLimits.Length];
    private double _least = double.PositiveInfinity, _most = double.NegativeInfinity, _sum, _sumOfSquares;

    /// <summary>Values that were counted.</summary>
    public long Count { get; private set; }

    public void Add(ReadOnlySpan<float> values)
    {
        foreach (var value in values)
        {
            if (!float.IsFinite(value)) continue;
            _counts[BucketOf(value)]++;
            Count++;
            _least = Math.Min(_least, value);
            _most = Math.Max(_most, value);
            _sum += value;
            _sumOfSquares += (double)value * value;
        }
    }

    /// <summary>Index of the first limit above a finite value.</summary>
    public static int BucketOf(float value)
    {
        int bucket = Guesses[BitConverter.SingleToUInt32Bits(value) >> GuessShift];
        while (AllLimits[bucket] <= value) bucket++;
        return bucket;
    }

    /// <summary>Appends the HistogramProto: min, max, num, sum, sum_squares, bucket_limit, bucket. Each run of empty buckets is one, up to its last limit; those behind the last value are left out.</summary>
    public void Write(IBufferWriter<byte> into)
    {
        var (limits, counts) = (new List<double>(), new List<double>());
        for (var i = 0; i < _counts.Length; i++)
        {
            // An empty bucket before a full one says where that one begins.
            if (_counts[i] == 0 && (i + 1 == _counts.Length || _counts[i + 1] == 0)) continue;
            limits.Add(AllLimits[i]);
            counts.Add(_counts[i]);
        }
        Protobuf.WriteDouble(into, 1, Count > 0 ? _least : 0);
        Protobuf.WriteDouble(into, 2, Count > 0 ? _most : 0);
        Protobuf.WriteDouble(into, 3, Count);
        Protobuf.WriteDouble(into, 4, _sum);
        Protobuf.WriteDouble(into, 5, _sumOfSquares);
        Protobuf.WriteDoubles(into, 6, CollectionsMarshal.AsSpan(limits));
        Protobuf.WriteDoubles(into, 7, CollectionsMarshal.AsSpan(counts));
    }

    private static double[] MakeLimits()
    {
        var positive = new List<double>();
        for (var limit = 1e-12; limit < 1e20; limit *= 1.1) positive.Add(limit);
        positive.Add(double.MaxValue);
        return [.. positive.Select(static limit => -limit).Reverse(), 0, .. positive];
    }

    /// <summary>Per beginning of a float the bucket of the smallest value that has it.</summary>
    private static ushort[] MakeGuesses()
    {
        var guesses = new ushort[1 << (32 - GuessShift)];
        for (var i = 0; i < guesses.Length; i++)
        {
            var bits = (uint)i << GuessShift;
            // Of negative numbers the smallest is the one with the largest bits.
            var smallest = BitConverter.UInt32BitsToSingle(bits >> 31 == 0 ? bits : bits | ((1u << GuessShift) - 1));
            if (!float.IsFinite(smallest)) continue;
            var at = Array.BinarySearch(AllLimits, smallest);
            guesses[i] = (ushort)(at >= 0 ? at + 1 : ~at);
        }
        return guesses;
    }
}
