using System.Diagnostics;
using Cluster.Contracts;
using Cluster.Workers.Data.Folders;

namespace Cluster.Workers.Data;

/// <summary>An image of a folder that is no sample, or something that was passed over.</summary>
/// <param name="Path">Relative to the set's folder.</param>
/// <param name="Reason">What is wrong with it; completes a sentence that begins with the path.</param>
public sealed record BadImage(string Path, string Reason)
{
    /// <summary>Of the training split.</summary>
    public bool IsTraining { get; init; }

    /// <summary>One line, whatever the name is made of.</summary>
    public string Line => $"{ImageNames.Escape(Path)} {ImageNames.Escape(Reason)}";
}

/// <summary>What was found in a folder of images when all of them were decoded.</summary>
/// <param name="Root">Absolute.</param>
/// <param name="Train">Images, bad ones counted.</param>
/// <param name="Test">As <paramref name="Train"/>.</param>
/// <param name="Bad">In the order of their paths.</param>
/// <param name="SkipList">Where they are written down now; null when nothing is bad, and no list is left.</param>
/// <param name="SkippedBefore">Images on the list that was there before.</param>
/// <param name="OtherFiles">Files without an image's extension.</param>
/// <param name="Passed">What else was passed over; the first few.</param>
public sealed record ImageFolderReport(
    string Root, int Train, int Test, int Classes, IReadOnlyList<BadImage> Bad, string? SkipList, int SkippedBefore, long OtherFiles, IReadOnlyList<BadImage> Passed)
{
    /// <summary>Training images that can be decoded.</summary>
    public int TrainLeft { get; init; }
}

/// <summary>How long the parts of an index took, and what it needs.</summary>
/// <param name="Images">Of both splits.</param>
/// <param name="HeldBytes">By how much managed memory is larger while the index is held.</param>
/// <param name="FileBytes">Of the stored index.</param>
public sealed record IndexingTimes(int Images, TimeSpan Listing, TimeSpan Headers, TimeSpan Writing, TimeSpan Reading, long HeldBytes, long FileBytes);

/// <summary>Folders of images: checking them, and measuring how fast they are indexed.</summary>
public static class ImageFolderSource
{
    /// <summary>The name in front of the colon.</summary>
    public const string SetName = ImageFolderDataset.SetName;

    /// <summary>
    /// Decodes every image on all cores, and writes those that cannot be decoded to the skip list in the cache folder: they
    /// are no samples from then on. Without bad images an earlier list is removed.
    /// </summary>
    /// <param name="request">Its specification names the folder; its progress is told.</param>
    /// <exception cref="UserMistakeException">It is no folder of images, or the list cannot be written.</exception>
    /// <exception cref="ClusterException">The folder vanished meanwhile.</exception>
    public static ImageFolderReport Check(DataRequest request, CancellationToken stop)
    {
        ArgumentNullException.ThrowIfNull(request);
        return new FolderCheck(request, request.Spec[(SetName.Length + 1)..], stop).Run();
    }

    /// <summary>Makes an index, writes it to <paramref name="cacheRoot"/> and reads it back; for measurements.</summary>
    /// <exception cref="UserMistakeException">It is no folder of images.</exception>
    public static IndexingTimes Measure(string directory, string cacheRoot, IProgress<DownloadProgress>? progress, CancellationToken stop)
    {
        var cache = new FolderIndexCache(directory, cacheRoot, progress);
        var builder = new FolderIndexBuilder(cache.Root, progress, stop);
        var before = GC.GetTotalMemory(forceFullCollection: true);
        var index = builder.Build();
        var begun = Stopwatch.GetTimestamp();
        Directory.CreateDirectory(cache.Folder);
        FolderIndexFile.Write(cache.IndexPath, index);
        var writing = Stopwatch.GetElapsedTime(begun);
        var held = GC.GetTotalMemory(forceFullCollection: true) - before;
        var images = index.Train.Count + index.Test.Count;
        begun = Stopwatch.GetTimestamp();
        index = FolderIndexFile.Read(cache.IndexPath) ?? throw new ClusterException($"{cache.IndexPath} could not be read back");
        var reading = Stopwatch.GetElapsedTime(begun);
        if (index.Train.Count + index.Test.Count != images) throw new ClusterException($"{cache.IndexPath} holds another index than the one that was written");
        return new IndexingTimes(images, builder.ListingTime, builder.HeaderTime, writing, reading, held, new FileInfo(cache.IndexPath).Length);
    }
}
