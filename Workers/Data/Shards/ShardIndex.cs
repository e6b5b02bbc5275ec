using System.Globalization;
using Cluster.Contracts;

namespace Cluster.Workers.Data.Shards;

/// <summary>Where one sample's encoded image lies, and what it is: 24 bytes in memory.</summary>
/// <param name="Shard">Number of the shard in its index.</param>
/// <param name="Crc">CRC32C of the encoded bytes.</param>
/// <param name="Offset">Of the first byte in the shard.</param>
internal readonly record struct ShardSample(int Shard, int Length, int Label, uint Crc, long Offset)
{
    public long End => Offset + Length;
}

/// <summary>One archive of a pack.</summary>
/// <param name="Name">Of the file, without a folder.</param>
/// <param name="Length">In bytes.</param>
/// <param name="Sha256">Of the whole file, lower-case hex.</param>
/// <param name="Samples">How many it holds; they follow each other in the index.</param>
internal sealed record ShardFile(string Name, long Length, string Sha256, int Samples);

/// <summary>One split of a packed set. Immutable; any thread.</summary>
internal sealed class ShardIndex
{
    /// <param name="samples">In the order of the shards, and of their place within one. Not copied.</param>
    /// <exception cref="InvalidDataException">Something of it cannot be; one line that completes "the index …".</exception>
    public ShardIndex(IReadOnlyList<string> classNames, IReadOnlyList<ShardFile> shards, ShardSample[] samples)
    {
        (ClassNames, Shards, Samples) = (classNames, shards, samples);
        Check();
        Order = LayoutOf(samples);
    }

    /// <summary>By label.</summary>
    public IReadOnlyList<string> ClassNames { get; }

    public IReadOnlyList<ShardFile> Shards { get; }

    public ShardSample[] Samples { get; }

    /// <summary>A function of the samples' sizes alone: so it is the same on all nodes.</summary>
    public OrderLayout Order { get; }

    /// <summary>SHA-256, lower-case hex, of the index as it is written: every label, place and checksum is in it.</summary>
    public string Fingerprint => _fingerprint ??= ShardIndexFile.FingerprintOf(this);

    private string? _fingerprint;

    /// <summary>
    /// Blocks of a power of two samples, of <see cref="Limits.ShardBlockBytes"/> on the average, made smaller until none exceeds
    /// <see cref="Limits.MaxShardBlockBytes"/>.
    /// </summary>
    internal static OrderLayout LayoutOf(ShardSample[] samples)
    {
        if (samples.Length == 0) return new OrderLayout(1, Limits.ShardWindowBlocks);
        var bytes = samples.Sum(static sample => (double)sample.Length);
        var block = 1;
        while (block < Limits.MaxShardBlockSamples && bytes / samples.Length * block * 2 <= Limits.ShardBlockBytes) block *= 2;
        while (block > 1 && Largest(samples, block) > Limits.MaxShardBlockBytes) block /= 2;
        return new OrderLayout(block, Limits.ShardWindowBlocks);
    }

    /// <summary>Bytes of the shards that the largest block spans.</summary>
    private static long Largest(ShardSample[] samples, int block)
    {
        long largest = 0;
        for (var first = 0; first < samples.Length; first += block)
        {
            long span = 0;
            var start = first;
            for (var i = first; i < Math.Min(samples.Length, first + block); i++)
            {
                if (samples[i].Shard != samples[start].Shard)
                {
                    span += samples[i - 1].End - samples[start].Offset;
                    start = i;
                }
            }
            span += samples[Math.Min(samples.Length, first + block) - 1].End - samples[start].Offset;
            largest = Math.Max(largest, span);
        }
        return largest;
    }

    private void Check()
    {
        var next = 0;
        for (var shard = 0; shard < Shards.Count; shard++)
        {
            var file = Shards[shard];
            if (file.Name.Length == 0 || Path.GetFileName(file.Name) != file.Name || file.Name is "." or "..") throw Fault($"names a shard '{file.Name}', which is no name of a file");
            if (file.Samples < 0 || file.Samples > Samples.Length - next) throw Fault($"gives {file.Name} {file.Samples} samples, but has only {Samples.Length - next} left");
            long end = 0;
            for (; file.Samples > 0 && next < Samples.Length && Samples[next].Shard == shard; next++)
            {
                var sample = Samples[next];
                if (sample.Label < 0 || sample.Label >= ClassNames.Count) throw Fault($"gives sample {next} the class {sample.Label}, but has {ClassNames.Count} classes, from 0");
                if (sample.Length is < 1 or > Limits.MaxEncodedImageBytes) throw Fault($"gives sample {next} {sample.Length} bytes; an image has 1 to {Limits.MaxEncodedImageBytes}");
                if (sample.Offset < end || sample.Offset > file.Length - sample.Length) throw Fault($"places sample {next} at byte {sample.Offset} of {file.Name}, where it cannot be");
                end = sample.End;
            }
        }
        if (next != Samples.Length || Shards.Sum(static shard => (long)shard.Samples) != Samples.Length) throw Fault("has samples of no shard");
    }

    private static InvalidDataException Fault(FormattableString fault) => new(fault.ToString(CultureInfo.InvariantCulture));

    private static InvalidDataException Fault(string fault) => new(fault);
}
