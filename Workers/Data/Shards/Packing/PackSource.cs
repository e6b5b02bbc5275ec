using Cluster.Contracts;
using Cluster.Workers.Data.Images;

namespace Cluster.Workers.Data.Shards;

/// <summary>One split that is to be packed.</summary>
/// <param name="Name"><c>train</c> or <c>val</c>.</param>
/// <param name="Fingerprint">Of the source's split: a pack goes on only with the same.</param>
/// <param name="Layout">Of the order in which the source is read: shuffled as finely as its medium bears.</param>
internal sealed record PackSplit(string Name, IEncodedImages Images, string Fingerprint, OrderLayout Layout = default);

/// <summary>What is to be packed.</summary>
/// <param name="Spec">As the user named it, for messages.</param>
internal sealed record PackSource(string Spec, IReadOnlyList<string> ClassNames, IReadOnlyList<PackSplit> Splits);

/// <summary>How it is packed.</summary>
/// <param name="ShardBytes">A shard is ended before it would become larger; one image alone may be.</param>
/// <param name="Resize">Short side that larger images get; 0 = the bytes are copied as they are.</param>
/// <param name="Quality">Of the JPEGs that resizing makes, 1 to 100.</param>
internal sealed record PackOptions(long ShardBytes = PackOptions.DefaultShardBytes, int Resize = 0, int Quality = PackOptions.DefaultQuality)
{
    public const long DefaultShardBytes = 256L << 20;

    public const int DefaultQuality = 95;

    /// <summary>Threads that read and encode; the result does not depend on it.</summary>
    public int Threads { get; init; } = Environment.ProcessorCount;
}

/// <summary>What becomes of an image on its way into a shard. One thread at a time.</summary>
internal interface IPackTransform : IDisposable
{
    /// <param name="image">Encoded.</param>
    /// <param name="length">Bytes of it; afterwards those of the result.</param>
    /// <returns>Null, or one line that completes "the image …".</returns>
    string? Apply(ref byte[] image, ref int length);
}

/// <summary>Images go into the shards as they are.</summary>
internal sealed class PlainCopy : IPackTransform
{
    public string? Apply(ref byte[] image, ref int length) => null;

    public void Dispose()
    {
    }
}
