using System.Collections.Concurrent;
using System.Security.Cryptography;
using Cluster.Contracts;
using Cluster.Workers.Data.Folders;
using Cluster.Workers.Data.Images;
using Cluster.Workers.Data.Shards;

namespace Cluster.Workers.Data;

/// <summary>How a set is packed.</summary>
/// <param name="Source">Whose images: its specification, cache folder and progress.</param>
/// <param name="Directory">Where the shards are to lie.</param>
public sealed record PackRequest(DataRequest Source, string Directory)
{
    /// <summary>A shard is ended before it would become larger.</summary>
    public long ShardBytes { get; init; } = PackOptions.DefaultShardBytes;

    /// <summary>Short side that larger images get, in pixels; 0 = the bytes are copied as they are.</summary>
    public int Resize { get; init; }

    /// <summary>Of the JPEGs that resizing makes, 1 to 100.</summary>
    public int Quality { get; init; } = PackOptions.DefaultQuality;

    /// <summary>Threads that read, decode and encode; the result does not depend on it.</summary>
    public int Threads { get; init; } = Environment.ProcessorCount;
}

/// <summary>What a pack came to.</summary>
/// <param name="Shards">Of both splits.</param>
/// <param name="Kept">Of these, found whole from an earlier start.</param>
public sealed record PackSummary(int Shards, int Kept, int Samples, long Bytes);

/// <summary>Shards: packing a set into them, and checking them.</summary>
public static class ShardSource
{
    /// <summary>The name in front of the colon.</summary>
    public const string SetName = ShardNames.SetName;

    /// <summary>Packs a set of encoded images; stopped and started again it goes on, and ends with the same bytes.</summary>
    /// <exception cref="UserMistakeException">A set without encoded images, a folder that is not empty and no such pack, no room, a bad image.</exception>
    /// <exception cref="OperationCanceledException">What is whole is kept.</exception>
    public static PackSummary Pack(PackRequest request, CancellationToken stop)
    {
        ArgumentNullException.ThrowIfNull(request);
        var (train, test) = Datasets.Open(request.Source);
        using (train)
        using (test)
        {
            var source = new PackSource(request.Source.Spec, train.ClassNames, [SplitOf("train", train, request.Source.Spec), SplitOf("val", test, request.Source.Spec)]);
            var options = new PackOptions(request.ShardBytes, request.Resize, request.Quality) { Threads = request.Threads };
            Func<IPackTransform> transform = request.Resize > 0 ? () => new Shrink(request.Resize, request.Quality) : static () => new PlainCopy();
            var result = new ShardPacker(source, request.Directory, options, transform, request.Source.Progress).Run(stop);
            return new PackSummary(result.Shards, result.Kept, result.Samples, result.Bytes);
        }
    }

    /// <summary>Reads every shard through and decodes every image, on all cores.</summary>
    /// <returns>A finding per shard, in their order, then one per image that cannot be decoded.</returns>
    /// <exception cref="UserMistakeException">The set cannot be opened at all.</exception>
    public static IReadOnlyList<FileFinding> Check(DataRequest request, CancellationToken stop)
    {
        ArgumentNullException.ThrowIfNull(request);
        var directory = Path.GetFullPath(request.Spec[(SetName.Length + 1)..]);
        var (train, val) = ShardFolder.Open(directory, request.CacheRoot ?? CacheFolder.Default(), request.Progress);
        var findings = new List<FileFinding>();
        foreach (var index in (ShardIndex[])[train, val])
        {
            long done = 0;
            var total = index.Shards.Sum(static shard => shard.Length);
            foreach (var shard in index.Shards)
            {
                stop.ThrowIfCancellationRequested();
                findings.Add(new FileFinding(Path.Combine(directory, shard.Name), FaultOf(Path.Combine(directory, shard.Name), shard)));
                request.Progress?.Report(new DownloadProgress($"reading {shard.Name}", done += shard.Length, total));
            }
        }
        var (trainSet, testSet) = ShardDataset.Open(request, directory);
        using (trainSet)
        using (testSet)
            foreach (var split in (IDataset[])[trainSet, testSet]) findings.AddRange(BadImages(split, request.Progress, stop));
        return findings;
    }

    private static string? FaultOf(string path, ShardFile shard)
    {
        try
        {
            using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 1 << 20, FileOptions.SequentialScan);
            return Convert.ToHexStringLower(SHA256.HashData(file)) == shard.Sha256 ? null : $"{path} is damaged: its SHA-256 is not that of the index; copy it again";
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return $"{path} cannot be read: {Cifar.Fetch.OneLine.Of(e.Message)}";
        }
    }

    private static List<FileFinding> BadImages(IDataset split, IProgress<DownloadProgress>? progress, CancellationToken stop)
    {
        var bad = new ConcurrentBag<(int Sample, string Reason)>();
        var source = split.With(new AugmentationOptions(), seed: 0);
        var piece = Math.Max(1, split.Order.BlockSamples);
        var done = 0;
        Parallel.For(0, (split.Count + piece - 1) / piece, new ParallelOptions { CancellationToken = stop, MaxDegreeOfParallelism = Environment.ProcessorCount }, () => (Reader: source.Open(), Pixels: new float[split.Shape.Floats]), (block, _, own) =>
        {
            var end = Math.Min(split.Count, (block + 1) * piece);
            for (var sample = block * piece; sample < end; sample++)
            {
                try
                {
                    own.Reader.ReadEvaluation(sample, own.Pixels);
                }
                catch (UnreadableSampleException e)
                {
                    bad.Add((sample, e.Message));
                }
            }
            progress?.Report(new DownloadProgress($"decoding {split.Split}", Interlocked.Add(ref done, end - block * piece), split.Count));
            return own;
        }, static own => own.Reader.Dispose());
        return [.. bad.OrderBy(static image => image.Sample).Select(static image => new FileFinding("", image.Reason))];
    }

    private static PackSplit SplitOf(string name, IDataset split, string spec) => split switch
    {
        ImageFolderDataset folder => new PackSplit(name, folder.Images, folder.Fingerprint),
        ShardDataset shards => new PackSplit(name, shards.Images, shards.Fingerprint, shards.Order),
        _ => throw new UserMistakeException($"{spec} holds no JPEGs or PNGs that could be packed: give imagefolder:DIR or shards:DIR"),
    };
}
