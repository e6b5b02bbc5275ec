using System.Collections.Concurrent;
using Cluster.Contracts;

namespace Cluster.Workers.Data.Folders;

/// <summary>Decodes every image of a folder and writes down which cannot be decoded.</summary>
internal sealed class FolderCheck(DataRequest request, string directory, CancellationToken stop)
{
    private const int Block = 32;

    private readonly ConcurrentBag<BadImage> _bad = [];
    private int _done;

    /// <summary>Makes the index anew, decodes all that it holds, the images of an earlier skip list too, and writes the skip list.</summary>
    /// <exception cref="UserMistakeException">It is no folder of images, or the list cannot be written.</exception>
    /// <exception cref="ClusterException">The folder vanished.</exception>
    public ImageFolderReport Run()
    {
        var cache = new FolderIndexCache(directory, request.CacheRoot, request.Progress);
        var index = cache.Make(stop);
        var before = ReadBefore(cache.SkipListPath(index));
        var (train, test) = ImageFolderDataset.Of(cache, index, skipped: new HashSet<string>(), request);
        using (train)
        using (test)
        {
            Decode(train, cache.Root, train.Count + test.Count);
            Decode(test, cache.Root, train.Count + test.Count);
        }
        var bad = _bad.OrderBy(static image => image.Path, StringComparer.Ordinal).ToList();
        var path = Keep(cache, index, bad);
        return new ImageFolderReport(cache.Root, index.Train.Count, index.Test.Count, index.Classes.Length, bad, path, before.Count, index.OtherFiles, [.. index.Passed.Select(static passed => new BadImage(passed.Path, passed.Reason))])
        {
            TrainLeft = index.Train.Count - bad.Count(image => image.IsTraining),
        };
    }

    private void Decode(ImageFolderDataset split, string root, int total)
    {
        if (split.Count == 0) return;
        SeveralThreads.Run(() => Parallel.ForEach(Partitioner.Create(0, split.Count, Block), new ParallelOptions { MaxDegreeOfParallelism = Environment.ProcessorCount, CancellationToken = stop },
            static () => new WholeImage(),
            (range, _, image) =>
            {
                for (var sample = range.Item1; sample < range.Item2; sample++) Decode(split, sample, image, root);
                request.Progress?.Report(new DownloadProgress("decoding", Interlocked.Add(ref _done, range.Item2 - range.Item1), total) { Unit = "images" });
                return image;
            },
            static image => image.Dispose()));
    }

    private void Decode(ImageFolderDataset split, int sample, WholeImage image, string root)
    {
        try
        {
            image.Decode(split.Images, sample);
        }
        catch (ClusterException e) when (e is UnreadableSampleException || Directory.Exists(root))
        {
            var place = ImageNames.Escape($"{root}/{split.PathOf(sample)}");
            var reason = e.Message.StartsWith(place, StringComparison.Ordinal) ? e.Message[place.Length..].TrimStart(' ', ':') : e.Message;
            _bad.Add(new BadImage(split.PathOf(sample), reason) { IsTraining = split.Split == "train" });
        }
    }

    /// <summary>A list that cannot be read is about to be replaced.</summary>
    private static IReadOnlySet<string> ReadBefore(string path)
    {
        try
        {
            return SkipList.Read(path);
        }
        catch (UserMistakeException)
        {
            return new HashSet<string>();
        }
    }

    /// <returns>The list's path; null when there is none, as nothing is bad.</returns>
    private static string? Keep(FolderIndexCache cache, FolderIndex index, List<BadImage> bad)
    {
        var path = cache.SkipListPath(index);
        try
        {
            if (bad.Count == 0)
            {
                File.Delete(path);
                return null;
            }
            Directory.CreateDirectory(cache.Folder);
            SkipList.Write(path, bad.Select(static image => (image.Path, image.Reason)));
            return path;
        }
        catch (DirectoryNotFoundException) when (bad.Count == 0)
        {
            return null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new UserMistakeException($"the skip list {path} cannot be written: {ImageNames.Escape(e.Message)}; set CLUSTER_CACHE to a folder that can be", e);
        }
    }
}
