using Cluster.Contracts;
using Cluster.Workers.Data.Cifar;
using Cluster.Workers.Data.Synthetic;

namespace Cluster.Workers.Data;

/// <summary>From a <c>--data</c> specification to its two splits.</summary>
public static class Datasets
{
    /// <summary>What <see cref="Open"/> understands, for messages and help.</summary>
    public const string KnownSpecifications = "cifar10, cifar10:DIR, synthetic";

    /// <summary>Opens a data set that is already on this machine; downloads nothing.</summary>
    /// <returns>Both splits; the caller disposes each.</returns>
    /// <exception cref="UserMistakeException">An unknown specification, or a missing, short, long or corrupted file.</exception>
    public static (IDataset Train, IDataset Test) Open(DataRequest request)
    {
        ArgumentNullException.ThrowIfNull(request);
        var (name, directory) = Parse(request.Spec);
        if (name == SyntheticDataset.SetName) return (SyntheticDataset.Train(request.Seed), SyntheticDataset.Test(request.Seed));
        var root = request.CacheRoot ?? CacheFolder.Default();
        return Cifar10Dataset.Open(directory ?? Cifar10Source.DirectoryIn(root), root);
    }

    /// <inheritdoc cref="Open(DataRequest)"/>
    public static (IDataset Train, IDataset Test) Open(string spec, ulong seed, string? cacheRoot = null) => Open(new DataRequest(spec, seed) { CacheRoot = cacheRoot });

    /// <summary>Shape of the images and number of classes of a known set, without downloading it.</summary>
    /// <exception cref="UserMistakeException">An unknown specification.</exception>
    public static (ImageShape Shape, int ClassCount) Describe(DataRequest request) => Parse(request.Spec).Name == SyntheticDataset.SetName
        ? (SyntheticDataset.ImageShape, SyntheticDataset.Classes)
        : (Cifar10Format.Shape, Cifar10Format.ClassCount);

    /// <summary>True when <see cref="Open"/> would need files in the cache folder that are not all there with their right sizes.</summary>
    /// <exception cref="UserMistakeException">An unknown specification.</exception>
    public static bool NeedsDownload(string spec, string? cacheRoot = null)
    {
        var (name, directory) = Parse(spec);
        return name == Cifar10Format.SetName && directory is null
            && !Cifar10Format.HasAllSizes(Cifar10Source.DirectoryIn(cacheRoot));
    }

    /// <summary>Downloads what <see cref="Open"/> needs and this machine lacks; returns at once when there is nothing to do.</summary>
    /// <inheritdoc cref="Cifar10Source.GetAsync"/>
    public static async Task PrepareAsync(string spec, string? cacheRoot = null, IProgress<DownloadProgress>? progress = null, CancellationToken cancellation = default)
    {
        if (NeedsDownload(spec, cacheRoot))
            await Cifar10Source.GetAsync(Cifar10Source.DirectoryIn(cacheRoot), progress, cancellation).ConfigureAwait(false);
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
            case SyntheticDataset.SetName when directory is not null:
                throw new UserMistakeException($"data set '{spec}': synthetic is computed and takes no folder; write synthetic");
            case SyntheticDataset.SetName:
                return (name, null);
            default:
                throw new UserMistakeException($"unknown data set '{spec}'; known are {KnownSpecifications}");
        }
    }
}
