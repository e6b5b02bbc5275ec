namespace Cluster.Contracts;

/// <summary>
/// The order of an epoch's samples: a bijection of [0, count) keyed by (seed, epoch), computed in O(1) per position,
/// never stored or shipped. A six-round Feistel network over the next even power of two, with cycle walking
/// (Black and Rogaway, "Ciphers with arbitrary finite domains", 2002): at most four draws per position on average.
/// </summary>
public sealed class SampleOrder
{
    private const int Rounds = 6;
    private readonly uint[] _keys = new uint[Rounds];
    private readonly int _halfBits;
    private readonly uint _halfMask;

    public SampleOrder(ulong seed, long epoch, int count)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(count);
        ArgumentOutOfRangeException.ThrowIfNegative(epoch);
        Count = count;
        Epoch = epoch;
        _halfBits = 1;
        while (1L << (2 * _halfBits) < count) _halfBits++;
        _halfMask = (1u << _halfBits) - 1;
        var stream = new PhiloxStream(seed, RandomPurpose.Permutation, (ulong)epoch);
        for (var i = 0; i < Rounds; i++) _keys[i] = stream.NextUInt32();
    }

    public int Count { get; }
    public long Epoch { get; }

    /// <summary>The sample at <paramref name="position"/> of this epoch.</summary>
    public int SampleAt(int position)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(position);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(position, Count);
        var value = (uint)position;
        do
        {
            value = Permute(value);
        }
        while (value >= (uint)Count);
        return (int)value;
    }

    private uint Permute(uint value)
    {
        var left = value >> _halfBits;
        var right = value & _halfMask;
        foreach (var key in _keys)
            (left, right) = (right, left ^ (Mix(right ^ key) & _halfMask));
        return (left << _halfBits) | right;
    }

    /// <summary>The 32-bit finalizer of MurmurHash3 (Appleby, public domain constants).</summary>
    private static uint Mix(uint x)
    {
        x ^= x >> 16;
        x *= 0x85EBCA6B;
        x ^= x >> 13;
        x *= 0xC2B2AE35;
        return x ^ (x >> 16);
    }
}

/// <summary>
/// Digest of the sample ids of a leaf, in order: what a worker reports of the samples that it decoded and what the
/// auditor recomputes from (seed, epoch) alone. Not cryptographic: it finds mistakes, not forgers of a whole log.
/// </summary>
public struct SampleDigest
{
    private ulong _state;

    public void Add(int sampleId)
    {
        // The finalizer of SplitMix64 (Steele, Lea and Flood, 2014) over a running state: order matters, zero ids count.
        var x = _state + 0x9E3779B97F4A7C15 + (ulong)(uint)sampleId;
        x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9;
        x = (x ^ (x >> 27)) * 0x94D049BB133111EB;
        _state = x ^ (x >> 31);
    }

    public readonly ulong Value => _state;
}
