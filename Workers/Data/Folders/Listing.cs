using System.Collections.Concurrent;
using Cluster.Contracts;

namespace Cluster.Workers.Data.Folders;

/// <summary>What is gathered while folders are listed: what to watch, what was passed over, how far it is. Any thread.</summary>
/// <param name="root">The set's folder, absolute.</param>
internal sealed class Listing(string root, IProgress<DownloadProgress>? progress, CancellationToken stop)
{
    /// <summary>A folder that was changed so shortly before it was read may be changed again within the same tick of its clock.</summary>
    private static readonly long Margin = TimeSpan.FromSeconds(1).Ticks;

    private const int MostPassed = 100;
    private const int ReportEvery = 1_000;

    private readonly long _begun = DateTime.UtcNow.Ticks;
    private readonly ConcurrentBag<WatchedPath> _watched = [];
    private readonly ConcurrentBag<PassedOver> _passed = [];
    private long _files, _others;

    public string Root { get; } = root;

    public CancellationToken Stop { get; } = stop;

    public long OtherFiles => Interlocked.Read(ref _others);

    /// <summary>In the order of their paths, whatever thread found them.</summary>
    public WatchedPath[] Watched => [.. _watched.OrderBy(static path => path.Path, StringComparer.Ordinal)];

    public PassedOver[] Passed => [.. _passed.OrderBy(static path => path.Path, StringComparer.Ordinal).Take(MostPassed)];

    public string FullPath(string relative) => relative.Length == 0 ? Root : $"{Root}/{relative}";

    /// <summary>To be called before the folder or file is read.</summary>
    public void Watch(string relative)
    {
        var changed = PosixFile.ChangedAt(FullPath(relative));
        _watched.Add(new WatchedPath(relative, changed >= _begun - Margin ? 0 : changed));
    }

    public void PassOver(string relative, string reason) => _passed.Add(new PassedOver(relative, reason));

    public void CountOther() => Interlocked.Increment(ref _others);

    public void CountImages(int more)
    {
        var before = Interlocked.Add(ref _files, more) - more;
        if (before / ReportEvery != (before + more) / ReportEvery) progress?.Report(new DownloadProgress("listing images", before + more, 0) { Unit = "images" });
    }

    /// <summary>Names of the folders in a folder, hidden ones left out, in the order of their bytes.</summary>
    /// <exception cref="UserMistakeException">It cannot be read, or a name is not UTF-8.</exception>
    public List<string> FoldersIn(string relative)
    {
        try
        {
            var names = new DirectoryInfo(FullPath(relative)).EnumerateDirectories("*", FolderWalk.Everything).Select(static folder => folder.Name).Where(static name => !ImageNames.IsHidden(name)).ToList();
            if (names.FirstOrDefault(static name => ImageNames.IsBroken(name)) is { } broken)
                throw new UserMistakeException($"a folder in {ImageNames.Escape(FullPath(relative))} has a name that is not UTF-8 ({broken}): rename it");
            names.Sort(ByBytes);
            return names;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Unreadable(relative, e);
        }
    }

    public UserMistakeException Unreadable(string relative, Exception cause) =>
        new($"{ImageNames.Escape(FullPath(relative))} cannot be read ({(cause is UnauthorizedAccessException ? "permission denied" : OneLine(cause.Message))}): make it readable, or take it out of the data set", cause);

    /// <summary>The order of UTF-8 bytes is that of code points, which is Python's.</summary>
    public static int ByBytes(string a, string b)
    {
        for (var i = 0; i < Math.Min(a.Length, b.Length); i++)
        {
            if (a[i] == b[i]) continue;
            // Halves of a pair stand for code points above all others.
            var (first, second) = (char.IsSurrogate(a[i]), char.IsSurrogate(b[i]));
            return first == second ? a[i].CompareTo(b[i]) : first ? 1 : -1;
        }
        return a.Length.CompareTo(b.Length);
    }

    private static string OneLine(string text) => ImageNames.Escape(text.ReplaceLineEndings(" "));
}
