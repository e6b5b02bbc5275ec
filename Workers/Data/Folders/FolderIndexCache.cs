using System.Security.Cryptography;
using System.Text;
using Cluster.Contracts;

namespace Cluster.Workers.Data.Folders;

/// <summary>
/// The index of a folder out of the cache, made when it is missing or old. Old means: a folder or a list that it was made
/// from has another time of change, or one of some files that are looked at has. A file that was overwritten in place is
/// noticed when it is read. Processes that make the same index at once each write their own and rename it.
/// </summary>
internal sealed class FolderIndexCache(string directory, string? cacheRoot, IProgress<DownloadProgress>? progress)
{
    /// <summary>Files that are looked at, spread over the set: who touched or replaced all of them did so here.</summary>
    private const int LookedAt = 64;

    private const string FolderName = "indexes";

    /// <summary>The set's folder, absolute and without links where that can be told.</summary>
    public string Root { get; } = Path.TrimEndingDirectorySeparator(PosixFile.RealPath(directory) ?? Path.GetFullPath(directory));

    /// <summary>Where indexes and skip lists lie.</summary>
    public string Folder { get; } = Path.Combine(cacheRoot ?? CacheFolder.Default(), FolderName);

    /// <summary>Readable for people, and different for every folder.</summary>
    public string IndexPath => Path.Combine(Folder, $"{Plain(Path.GetFileName(Root))}-{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(Root)))[..16]}.index");

    public string SkipListPath(FolderIndex index) => SkipList.PathIn(Folder, index.ContentHash);

    /// <summary>Null when there is none that holds.</summary>
    public FolderIndex? Stored() => FolderIndexFile.Read(IndexPath) is { } index && IsCurrent(index) ? index : null;

    /// <summary>The stored one, else a new one, which is stored.</summary>
    /// <exception cref="UserMistakeException">It is no folder of images.</exception>
    public FolderIndex Get(CancellationToken stop = default) => Stored() ?? Make(stop);

    /// <summary>A new one whatever is stored.</summary>
    /// <inheritdoc cref="Get"/>
    public FolderIndex Make(CancellationToken stop = default)
    {
        var index = new FolderIndexBuilder(Root, progress, stop).Build();
        var told = index.Sentence(Root);
        try
        {
            Directory.CreateDirectory(Folder);
            FolderIndexFile.Write(IndexPath, index);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The index is a convenience: a cache folder that is full or read-only costs a scan at the next start.
            told += $"; the index could not be kept in {Folder}: {ImageNames.Escape(e.Message)}";
        }
        progress?.Report(new DownloadProgress(told, 0, 0) { IsResult = true });
        return index;
    }

    private bool IsCurrent(FolderIndex index)
    {
        foreach (var watched in index.Watched)
        {
            if (watched.Ticks == 0 || PosixFile.ChangedAt(watched.Path.Length == 0 ? Root : $"{Root}/{watched.Path}") != watched.Ticks) return false;
        }
        return LooksTheSame(index.Train) && LooksTheSame(index.Test);
    }

    private bool LooksTheSame(SplitIndex split)
    {
        var path = Array.Empty<byte>();
        var root = Encoding.UTF8.GetBytes(Root);
        for (long i = 0; i < LookedAt && i < split.Count; i++)
        {
            var sample = (int)(i * split.Count / Math.Min(LookedAt, split.Count));
            using var file = PosixFile.Open(split.SystemPath(root, sample, ref path), out var error);
            var isThere = ImageHeader.IsSound((ImageKind)split.Facts.Kinds[sample]);
            if (!isThere) continue;
            if (error != 0 || File.GetLastWriteTimeUtc(file).Ticks != split.Facts.Ticks[sample]) return false;
        }
        return true;
    }

    private static string Plain(string name) => string.Concat(name.Take(40).Select(static letter => char.IsAsciiLetterOrDigit(letter) || letter is '-' or '_' or '.' ? letter : '_'));
}
