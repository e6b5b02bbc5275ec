using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Cluster.Contracts;
using Cluster.Workers.Data.Cifar.Fetch;

namespace Cluster.Workers.Data.Shards;

/// <summary>A folder of shards as it is opened: our own index if there is one, else one that is made and kept in the cache folder.</summary>
internal static class ShardFolder
{
    /// <summary>Both indexes, held against the files that are there.</summary>
    /// <param name="cacheRoot">For the index of shards that others made: their folder may be read-only.</param>
    /// <exception cref="UserMistakeException">No shards, shards that are not those of the index, or a bad index.</exception>
    public static (ShardIndex Train, ShardIndex Val) Open(string directory, string cacheRoot, IProgress<DownloadProgress>? progress = null)
    {
        directory = Path.GetFullPath(directory);
        if (!Directory.Exists(directory)) throw new UserMistakeException($"there is no folder {directory}: shards:DIR needs one that 'cluster data pack' made, or one of WebDataset's tar files");
        try
        {
            var (train, val) = (OpenSplit(directory, "train", cacheRoot, progress), OpenSplit(directory, "val", cacheRoot, progress));
            if (train.Samples.Length == 0) throw new UserMistakeException($"{directory} holds no training sample");
            CheckClasses(directory, train, val);
            return (train, val.ClassNames.Count == train.ClassNames.Count ? val : new ShardIndex(train.ClassNames, val.Shards, val.Samples));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new UserMistakeException($"{directory} cannot be read: {OneLine.Of(e.Message)}", e);
        }
    }

    /// <summary>Whether <see cref="Open"/> would have to read all shards first.</summary>
    public static bool NeedsIndex(string directory, string cacheRoot) =>
        Directory.Exists(directory) && ShardNames.Splits.Any(split => !File.Exists(Path.Combine(directory, ShardNames.Index(split)))
            && ShardNames.Find(directory, split) is { Count: > 0 } names && !File.Exists(CachedPath(directory, names, split, cacheRoot)));

    private static ShardIndex OpenSplit(string directory, string split, string cacheRoot, IProgress<DownloadProgress>? progress)
    {
        var path = Path.Combine(directory, ShardNames.Index(split));
        ShardIndex index;
        if (File.Exists(path)) index = Read(path);
        else if (File.Exists(Path.Combine(directory, ShardNames.Manifest))) throw new UserMistakeException($"{directory} is not packed to its end: it lacks {ShardNames.Index(split)}; give the same 'cluster data pack' command again, it goes on where it stopped");
        else if (ShardNames.Find(directory, split) is { Count: > 0 } names) return Foreign(directory, split, names, cacheRoot, progress);
        else throw new UserMistakeException($"{directory} holds no shards of {split}: neither {ShardNames.Index(split)} nor {split}-….tar");
        for (var shard = 0; shard < index.Shards.Count; shard++) CheckShard(directory, index, shard);
        return index;
    }

    /// <exception cref="UserMistakeException">No index, or a damaged one, or one of another version.</exception>
    public static ShardIndex Read(string path)
    {
        try
        {
            if (new FileInfo(path).Length > Limits.MaxShardIndexBytes) throw new InvalidDataException($"has more than {Limits.MaxShardIndexBytes >> 20} MiB");
            return ShardIndexFile.Read(File.ReadAllBytes(path));
        }
        catch (InvalidDataException e)
        {
            throw new UserMistakeException($"the index {path} {e.Message}", e);
        }
    }

    /// <summary>The shard is there, has its length, and its first sample has its bytes: so it is of this pack. The rest is checked as it is read.</summary>
    private static void CheckShard(string directory, ShardIndex index, int shard)
    {
        var (file, path) = (index.Shards[shard], Path.Combine(directory, index.Shards[shard].Name));
        var found = new FileInfo(path);
        if (!found.Exists) throw new UserMistakeException($"shard {path} is missing: the index counts {index.Shards.Count} shards; copy the folder again, whole");
        if (found.Length != file.Length)
            throw new UserMistakeException(string.Create(CultureInfo.InvariantCulture, $"shard {path} has {found.Length} bytes, and the index says {file.Length}: it was cut, or is of another pack; copy it again"));
        if (file.Samples == 0) return;
        var first = index.Samples[FirstOf(index, shard)];
        var bytes = new byte[first.Length];
        using var handle = File.OpenHandle(path);
        if (RandomAccess.Read(handle, bytes, first.Offset) != bytes.Length || Crc32C.Of(bytes) != first.Crc)
            throw new UserMistakeException($"shard {path} is not the one of the index: its first image differs; it is damaged or of another pack, copy it again");
    }

    private static int FirstOf(ShardIndex index, int shard)
    {
        var (low, high) = (0, index.Samples.Length);
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (index.Samples[middle].Shard < shard) low = middle + 1;
            else high = middle;
        }
        return low;
    }

    private static ShardIndex Foreign(string directory, string split, List<string> names, string cacheRoot, IProgress<DownloadProgress>? progress)
    {
        var cached = CachedPath(directory, names, split, cacheRoot);
        try
        {
            if (File.Exists(cached)) return ShardIndexFile.Read(File.ReadAllBytes(cached));
        }
        catch (Exception e) when (e is InvalidDataException or IOException or UnauthorizedAccessException)
        {
            // Made anew: it costs one reading of the shards.
        }
        var index = ShardIndexBuilder.Build(directory, names, progress);
        try
        {
            Directory.CreateDirectory(Path.GetDirectoryName(cached)!);
            var temporary = $"{cached}.{Environment.ProcessId}.{Environment.CurrentManagedThreadId}.tmp";
            File.WriteAllBytes(temporary, ShardIndexFile.Write(index));
            File.Move(temporary, cached, overwrite: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // A cache folder that cannot be written costs the same at the next start, nothing else.
        }
        return index;
    }

    /// <summary>Named after what the files look like: any that is exchanged or written anew gives another index.</summary>
    private static string CachedPath(string directory, List<string> names, string split, string cacheRoot)
    {
        var looks = new StringBuilder().Append(CultureInfo.InvariantCulture, $"{ShardIndexFile.Version}\n{Path.GetFullPath(directory)}\n");
        foreach (var name in names)
        {
            var file = new FileInfo(Path.Combine(directory, name));
            looks.Append(CultureInfo.InvariantCulture, $"{name}\t{file.Length}\t{file.LastWriteTimeUtc.Ticks}\n");
        }
        return Path.Combine(cacheRoot, "shards", Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(looks.ToString())))[..32], ShardNames.Index(split));
    }

    /// <summary>Shards of others name no classes: the number of classes is then what training has, and evaluation may have fewer.</summary>
    private static void CheckClasses(string directory, ShardIndex train, ShardIndex val)
    {
        var isPrefix = val.ClassNames.Count <= train.ClassNames.Count && val.ClassNames.SequenceEqual(train.ClassNames.Take(val.ClassNames.Count));
        if (!isPrefix) throw new UserMistakeException($"{directory}: val has {val.ClassNames.Count} classes and train {train.ClassNames.Count}, and they are not the same: the shards are of two sets, pack them together");
    }
}
