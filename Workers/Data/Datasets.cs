using Cluster.Contracts;
using Cluster.Workers.Data.Cifar;
using Cluster.Workers.Data.Folders;
using Cluster.Workers.Data.Mnist;
using Cluster.Workers.Data.Shards;
using Cluster.Workers.Data.Synthetic;

namespace Cluster.Workers.Data;

/// <summary>From a <c>--data</c> specification to its two splits.</summary>
public static class Datasets
{
    /// <summary>What <see cref="Open"/> understands, for messages and help.</summary>
    public const string KnownSpecifications = "cifar10, cifar10:DIR, cifar100:DIR, mnist:DIR, fashion-mnist:DIR, imagefolder:DIR, shards:DIR, synthetic";

    /// <summary>Opens a data set that is already on this machine; downloads nothing, but makes the index of a folder that has none.</summary>
    /// <returns>Both splits; the caller disposes each.</returns>
    /// <exception cref="UserMistakeException">An unknown specification, or a missing, short, long or corrupted file.</exception>
    public static (IDataset Train, IDataset Test) Open(DataRequest request)
    {
        ArgumentNullException.ThrowIfNull(request);
        var (name, directory) = Parse(request.Spec);
        var root = request.CacheRoot ?? CacheFolder.Default();
        return name switch
        {
            SyntheticDataset.SetName => (SyntheticDataset.Train(request.Seed), SyntheticDataset.Test(request.Seed)),
            Cifar100Files.SetName => Cifar100Files.Open(directory!),
            MnistFiles.Digits or MnistFiles.Fashion => MnistFiles.Open(name, directory!),
            ImageFolderDataset.SetName => ImageFolderDataset.Open(request, directory!),
            ShardNames.SetName => ShardDataset.Open(request, directory!),
            _ => Cifar10Dataset.Open(directory ?? Cifar10Source.DirectoryIn(root), root),
        };
    }

    /// <inheritdoc cref="Open(DataRequest)"/>
    public static (IDataset Train, IDataset Test) Open(string spec, ulong seed, string? cacheRoot = null) => Open(new DataRequest(spec, seed) { CacheRoot = cacheRoot });

    /// <summary>Shape of the images and number of classes of a known set, without downloading it. A folder's classes stand in its index, which is made if need be.</summary>
    /// <exception cref="UserMistakeException">An unknown specification, or a folder that is none of images.</exception>
    public static (ImageShape Shape, int ClassCount) Describe(DataRequest request)
    {
        ArgumentNullException.ThrowIfNull(request);
        var (name, directory) = Parse(request.Spec);
        return name switch
        {
            SyntheticDataset.SetName => (SyntheticDataset.ImageShape, SyntheticDataset.Classes),
            Cifar100Files.SetName => (Cifar100Files.Shape, Cifar100Files.ClassCount),
            MnistFiles.Digits or MnistFiles.Fashion => (MnistFiles.Shape, MnistFiles.ClassCount),
            ImageFolderDataset.SetName => (new ImageShape(3, request.ImageSize, request.ImageSize), new FolderIndexCache(directory!, request.CacheRoot, request.Progress).Get().Classes.Length),
            ShardNames.SetName => (new ImageShape(3, request.ImageSize, request.ImageSize), ShardDataset.CountClasses(request, directory!)),
            _ => (Cifar10Format.Shape, Cifar10Format.ClassCount),
        };
    }

    /// <summary>True when <see cref="Open"/> would need files in the cache folder that are not all there with their right sizes.</summary>
    /// <exception cref="UserMistakeException">An unknown specification.</exception>
    public static bool NeedsDownload(string spec, string? cacheRoot = null)
    {
        var (name, directory) = Parse(spec);
        return name == Cifar10Format.SetName && directory is null
            && !Cifar10Format.HasAllSizes(Cifar10Source.DirectoryIn(cacheRoot));
    }

    /// <summary>True when there is something to do before <see cref="Open"/> is quick: a download, or the index of a folder.</summary>
    /// <exception cref="UserMistakeException">An unknown specification.</exception>
    public static bool NeedsPreparation(string spec, string? cacheRoot = null)
    {
        var (name, directory) = Parse(spec);
        if (name == ShardNames.SetName) return ShardFolder.NeedsIndex(directory!, cacheRoot ?? CacheFolder.Default());
        return name == ImageFolderDataset.SetName ? new FolderIndexCache(directory!, cacheRoot, progress: null).Stored() is null : NeedsDownload(spec, cacheRoot);
    }

    /// <summary>Downloads what <see cref="Open"/> needs and this machine lacks, or makes the index of a folder; returns at once when there is nothing to do.</summary>
    /// <inheritdoc cref="Cifar10Source.GetAsync"/>
    public static async Task PrepareAsync(string spec, string? cacheRoot = null, IProgress<DownloadProgress>? progress = null, CancellationToken cancellation = default)
    {
        if (NeedsDownload(spec, cacheRoot))
            await Cifar10Source.GetAsync(Cifar10Source.DirectoryIn(cacheRoot), progress, cancellation).ConfigureAwait(false);
        else if (Parse(spec) is (ImageFolderDataset.SetName, { } directory))
            await Task.Run(() => new FolderIndexCache(directory, cacheRoot, progress).Get(cancellation), cancellation).ConfigureAwait(false);
        else if (Parse(spec) is (ShardNames.SetName, { } shards))
            await Task.Run(() => ShardFolder.Open(shards, cacheRoot ?? CacheFolder.Default(), progress), cancellation).ConfigureAwait(false);
    }

    private static (string Name, string? Directory) Parse(string spec)
    {
        ArgumentNullException.ThrowIfNull(spec);
        var colon = spec.IndexOf(':', StringComparison.Ordinal);
        var (name, directory) = colon < 0 ? (spec, null) : (spec[..colon], spec[(colon + 1)..]);
        switch (name)
        {
            case Cifar10Format.SetName when directory is "":
                throw new UserMistakeException("data set 'cifar10:' names no folder after the colon; write cifar10 or cifar10:DIR");
            case Cifar10Format.SetName:
                return (name, directory);
            case Cifar100Files.SetName or MnistFiles.Digits or MnistFiles.Fashion or ImageFolderDataset.SetName or ShardNames.SetName when string.IsNullOrEmpty(directory):
                throw new UserMistakeException($"data set '{spec}' names no folder: write {name}:DIR");
            case Cifar100Files.SetName or MnistFiles.Digits or MnistFiles.Fashion or ImageFolderDataset.SetName or ShardNames.SetName:
                return (name, directory);
            case SyntheticDataset.SetName when directory is not null:
                throw new UserMistakeException($"data set '{spec}': synthetic is computed and takes no folder; write synthetic");
            case SyntheticDataset.SetName:
                return (name, null);
            default:
                throw new UserMistakeException($"unknown data set '{spec}'; known are {KnownSpecifications}");
        }
    }
}
