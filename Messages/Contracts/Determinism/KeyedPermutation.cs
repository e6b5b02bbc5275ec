namespace Cluster.Contracts;

/// <summary>
/// A bijection of [0, count), computed in O(1) and never stored: a six-round Feistel network over the next even power of two,
/// with cycle walking (Black and Rogaway, "Ciphers with arbitrary finite domains", 2002): at most four draws on average.
/// </summary>
public readonly struct KeyedPermutation
{
    private const int Rounds = 6;
    private readonly Keys _keys;
    private readonly int _halfBits;
    private readonly uint _halfMask;
    private readonly uint _count;

    /// <param name="stream">Gives the six keys.</param>
    /// <param name="count">At least 1.</param>
    public KeyedPermutation(PhiloxStream stream, int count)
    {
        _count = (uint)count;
        _halfBits = 1;
        while (1L << (2 * _halfBits) < count) _halfBits++;
        _halfMask = (1u << _halfBits) - 1;
        for (var i = 0; i < Rounds; i++) _keys[i] = stream.NextUInt32();
    }

    /// <summary>The value at <paramref name="place"/>, both in [0, count).</summary>
    public int At(int place)
    {
        var value = (uint)place;
        do
        {
            var (left, right) = (value >> _halfBits, value & _halfMask);
            for (var i = 0; i < Rounds; i++) (left, right) = (right, left ^ (Mix(right ^ _keys[i]) & _halfMask));
            value = (left << _halfBits) | right;
        }
        while (value >= _count);
        return (int)value;
    }

    /// <summary>Where <see cref="At"/> gives <paramref name="wanted"/>: the same cycle, walked back.</summary>
    public int PlaceOf(int wanted)
    {
        var value = (uint)wanted;
        do
        {
            var (left, right) = (value >> _halfBits, value & _halfMask);
            for (var i = Rounds - 1; i >= 0; i--) (left, right) = (right ^ (Mix(left ^ _keys[i]) & _halfMask), left);
            value = (left << _halfBits) | right;
        }
        while (value >= _count);
        return (int)value;
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

    [System.Runtime.CompilerServices.InlineArray(Rounds)]
    private struct Keys
    {
        private uint _first;
    }
}
