using Cluster.Contracts;

namespace Cluster.Cli.Bench.Fuzz;

/// <summary>A decoder that faces a network, or a file from elsewhere.</summary>
/// <param name="Name">For people and for <c>--sides</c>: <c>link.control</c>.</param>
/// <param name="Samples">Bytes that it takes: the product's own writers made them. At least one.</param>
/// <param name="Open">Given a folder of its own, what decodes one case: true if the bytes are taken. One thread.</param>
internal sealed record FuzzTarget(string Name, Func<IReadOnlyList<byte[]>> Samples, Func<string, FuzzDecoder> Open)
{
    /// <summary>Managed bytes that one case may allocate: as much as a buffer of this decoder holds, and a multiple of the case.</summary>
    public const long FixedAllowance = 4 << 20, AllowancePerByte = 256;

    /// <summary>Makes checksums right again: what lies behind them is to be reached. Null = it has none.</summary>
    public Func<byte[], byte[]>? Seal { get; init; }

    /// <summary>What may come out besides an answer.</summary>
    public Func<Exception, bool> IsTyped { get; init; } = static e => e is ClusterException;

    /// <summary>In place of <see cref="FixedAllowance"/> where a buffer is larger on purpose.</summary>
    public long Allowance { get; init; } = FixedAllowance;

    /// <summary>How much longer a case takes than most: a shared budget of cases is divided by it.</summary>
    public int Cost { get; init; } = 1;

    /// <summary>The bytes of a case: the samples themselves first, then what the seed makes of them.</summary>
    public byte[] Case(IReadOnlyList<byte[]> samples, ulong seed, long index)
    {
        if (index < samples.Count) return samples[(int)index];
        var random = FuzzRandom.For(seed, Name, index);
        var bytes = Mutator.Make(samples, ref random);
        // Some keep their wrong sums: that check is a decoder's, too.
        return Seal is null || random.OneIn(4) ? bytes : Seal(bytes);
    }
}

/// <summary>What decodes; disposed after the last case.</summary>
/// <param name="Decode">True if the bytes are taken, false if they are refused with an answer.</param>
internal sealed record FuzzDecoder(Func<byte[], bool> Decode, Action? End = null) : IDisposable
{
    public void Dispose() => End?.Invoke();

    /// <summary>For decoders of files: every case is written over the one before.</summary>
    public static FuzzDecoder OfFile(string folder, string name, Func<string, bool> decode)
    {
        var path = Path.Combine(folder, name);
        return new FuzzDecoder(bytes =>
        {
            File.WriteAllBytes(path, bytes);
            return decode(path);
        });
    }
}
