using System.IO.Enumeration;

namespace Cluster.Workers.Data.Folders;

/// <summary>
/// The images below one folder, folder by folder, as torchvision finds them: links are followed, names are sorted by their
/// bytes. A link that leads back to a folder it lies in is passed over, so the walk ends.
/// </summary>
internal sealed class FolderWalk(Listing listing, int label)
{
    /// <summary>Folders within folders below a class; Linux itself ends a path after 4,096 bytes.</summary>
    private const int Deepest = 32;

    /// <summary>Nothing is left out unseen, and what cannot be read is an error.</summary>
    public static readonly EnumerationOptions Everything = new() { AttributesToSkip = 0, IgnoreInaccessible = false, RecurseSubdirectories = false, ReturnSpecialDirectories = false, MatchType = MatchType.Simple };

    private readonly List<FolderNames> _found = [];

    /// <param name="relative">The class's folder.</param>
    /// <returns>Folders that hold images, in the order of their paths.</returns>
    /// <exception cref="Contracts.UserMistakeException">A folder cannot be read.</exception>
    public List<FolderNames> Walk(string relative)
    {
        Walk(relative, depth: 0, [PosixFile.RealPath(listing.FullPath(relative)) ?? listing.FullPath(relative)]);
        _found.Sort(static (a, b) => Listing.ByBytes(a.Path, b.Path));
        return _found;
    }

    /// <param name="chain">Where the walk began and where each link on the way here led, without links.</param>
    private void Walk(string relative, int depth, string[] chain)
    {
        listing.Stop.ThrowIfCancellationRequested();
        listing.Watch(relative);
        var names = new FolderNames(relative);
        List<(string Name, bool IsLink)> inner = [];
        try
        {
            foreach (var folder in new FileSystemEnumerable<(string, bool)>(listing.FullPath(relative), static (ref FileSystemEntry entry) => (entry.FileName.ToString(), (entry.Attributes & FileAttributes.ReparsePoint) != 0), Everything)
            {
                // Files are taken here and are no results: a string for each of a million would be garbage.
                ShouldIncludePredicate = (ref FileSystemEntry entry) => Take(ref entry, names, relative),
            })
            {
                inner.Add(folder);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw listing.Unreadable(relative, e);
        }
        if (names.Count > 0)
        {
            names.Sort();
            names.Trim();
            _found.Add(names);
            listing.CountImages(names.Count);
        }
        foreach (var (name, isLink) in inner) Enter($"{relative}/{name}", isLink, depth + 1, chain);
    }

    /// <returns>True for a folder that is to be entered.</returns>
    private bool Take(ref FileSystemEntry entry, FolderNames names, string relative)
    {
        if (ImageNames.IsHidden(entry.FileName)) return false;
        var isFolder = entry.IsDirectory;
        if (!isFolder && !ImageNames.IsImage(entry.FileName))
        {
            listing.CountOther();
            return false;
        }
        if (ImageNames.IsBroken(entry.FileName))
        {
            listing.PassOver($"{relative}/{entry.FileName}", "has a name that is not UTF-8: rename it");
            return false;
        }
        if (!isFolder) names.Add(entry.FileName, label);
        return isFolder;
    }

    private void Enter(string relative, bool isLink, int depth, string[] chain)
    {
        if (depth > Deepest)
        {
            listing.PassOver(relative, $"lies more than {Deepest} folders deep");
            return;
        }
        if (isLink)
        {
            var target = PosixFile.RealPath(listing.FullPath(relative));
            var here = PosixFile.RealPath(listing.FullPath(relative[..relative.LastIndexOf('/')])) ?? "";
            if (target is null || chain.Append(here).Any(place => place == target || place.StartsWith(target + '/', StringComparison.Ordinal)))
            {
                listing.PassOver(relative, target is null ? "is a link to nowhere" : "is a link to a folder that it lies in");
                return;
            }
            chain = [.. chain, target];
        }
        Walk(relative, depth, chain);
    }
}
