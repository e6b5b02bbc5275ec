using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Cluster.Contracts;

/// <summary>What a random stream is for. The number is part of the key: append only, never renumber.</summary>
public enum RandomPurpose
{
    Permutation = 1,
    Augmentation = 2,
    Dropout = 3,
    Initialization = 4,
    SyntheticPrototype = 5,
    SyntheticSample = 6,
    Fingerprint = 7,
    BlockPermutation = 8,
    WindowPermutation = 9,
}

/// <summary>
/// Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011): a counter-based generator.
/// The value at (key, counter) is a pure function, so no generator is shared and no order of calls matters.
/// </summary>
public static class Philox
{
    private const uint M0 = 0xD2511F53, M1 = 0xCD9E8D57, W0 = 0x9E3779B9, W1 = 0xBB67AE85;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static (uint A, uint B, uint C, uint D) Block(uint key0, uint key1, uint c0, uint c1, uint c2, uint c3)
    {
        for (var round = 0; round < 10; round++)
        {
            var p0 = (ulong)M0 * c0;
            var p1 = (ulong)M1 * c2;
            (c0, c1, c2, c3) = ((uint)(p1 >> 32) ^ c1 ^ key0, (uint)p1, (uint)(p0 >> 32) ^ c3 ^ key1, (uint)p0);
            key0 += W0;
            key1 += W1;
        }
        return (c0, c1, c2, c3);
    }

    /// <summary>Blocks <paramref name="counter"/> to counter + 3 at once, 32 bits to a lane; the same words as <see cref="Block"/>'s. Upper halves of lanes are rubbish.</summary>
    internal static (Vector256<ulong> A, Vector256<ulong> B, Vector256<ulong> C, Vector256<ulong> D) FourBlocks(uint key0, uint key1, ulong counter, uint high2, uint high3)
    {
        var counters = Vector256.Create(counter) + Vector256.Create(0UL, 1, 2, 3);
        var (c0, c1, c2, c3) = (counters, counters >>> 32, Vector256.Create((ulong)high2), Vector256.Create((ulong)high3));
        for (var round = 0; round < 10; round++)
        {
            var p0 = Product(c0, M0);
            var p1 = Product(c2, M1);
            (c0, c1, c2, c3) = ((p1 >>> 32) ^ c1 ^ Vector256.Create((ulong)key0), p1, (p0 >>> 32) ^ c3 ^ Vector256.Create((ulong)key1), p0);
            key0 += W0;
            key1 += W1;
        }
        return (c0, c1, c2, c3);
    }

    /// <summary>64-bit products of the lanes' lower halves.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<ulong> Product(Vector256<ulong> values, uint factor) => Avx2.IsSupported
        ? Avx2.Multiply(values.AsUInt32(), Vector256.Create((ulong)factor).AsUInt32())
        : (values & Vector256.Create(0xFFFFFFFFUL)) * Vector256.Create((ulong)factor);
}

/// <summary>A sequence of draws keyed by (seed, purpose, a, b). A value type: copying it forks the sequence.</summary>
/// <remarks>Not thread-safe; give every sample, leaf or parameter a stream of its own.</remarks>
public struct PhiloxStream
{
    private readonly uint _key0, _key1, _c2, _c3;
    private ulong _block;
    private uint _b, _c, _d;
    private int _left;

    /// <param name="seed">The run's seed.</param>
    /// <param name="purpose">Keeps streams of different uses apart.</param>
    /// <param name="a">For example the epoch or the step.</param>
    /// <param name="b">For example the sample or the leaf.</param>
    public PhiloxStream(ulong seed, RandomPurpose purpose, ulong a, ulong b = 0)
    {
        // a and b may be 64 bits wide; one block under the plain key folds them and the purpose into a key and a counter half.
        var (k0, k1, c2, c3) = Philox.Block((uint)seed, (uint)(seed >> 32), (uint)a, (uint)(a >> 32) ^ ((uint)purpose << 24), (uint)b, (uint)(b >> 32));
        (_key0, _key1, _c2, _c3) = (k0, k1, c2, c3);
        (_block, _b, _c, _d, _left) = (0, 0, 0, 0, 0);
    }

    public uint NextUInt32()
    {
        if (_left == 0)
        {
            (var a, _b, _c, _d) = Philox.Block(_key0, _key1, (uint)_block, (uint)(_block >> 32), _c2, _c3);
            _block++;
            _left = 3;
            return a;
        }
        _left--;
        return _left switch { 2 => _b, 1 => _c, _ => _d };
    }

    /// <summary>As many draws of <see cref="NextUInt32"/> as fit, sixteen at a time where it can.</summary>
    public void Fill(Span<uint> draws)
    {
        var next = 0;
        for (; _left > 0 && next < draws.Length; next++) draws[next] = NextUInt32();
        for (; draws.Length - next >= 16; next += 16, _block += 4)
        {
            var (a, b, c, d) = Philox.FourBlocks(_key0, _key1, _block, _c2, _c3);
            var sixteen = draws.Slice(next, 16);
            for (var i = 0; i < 4; i++)
            {
                sixteen[4 * i] = (uint)a[i];
                sixteen[4 * i + 1] = (uint)b[i];
                sixteen[4 * i + 2] = (uint)c[i];
                sixteen[4 * i + 3] = (uint)d[i];
            }
        }
        for (; next < draws.Length; next++) draws[next] = NextUInt32();
    }

    public ulong NextUInt64() => ((ulong)NextUInt32() << 32) | NextUInt32();

    /// <summary>Uniform in [0, bound); the bias is below bound / 2^32.</summary>
    public int NextInt32(int bound)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(bound);
        return (int)(((ulong)NextUInt32() * (ulong)bound) >> 32);
    }

    /// <summary>Uniform in [0, 1) with 24 random bits: every value is exact in float32.</summary>
    public float NextSingle() => (NextUInt32() >> 8) * (1f / (1 << 24));

    /// <summary>Uniform in [0, 1) with 53 random bits.</summary>
    public double NextDouble() => (NextUInt64() >> 11) * (1.0 / (1UL << 53));

    /// <summary>Standard normal (Box and Muller, one of the pair).</summary>
    public double NextGaussian()
    {
        var u = 1.0 - NextDouble();
        var v = NextDouble();
        return Math.Sqrt(-2.0 * Math.Log(u)) * Math.Cos(2.0 * Math.PI * v);
    }
}
