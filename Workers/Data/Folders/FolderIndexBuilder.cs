using System.Buffers;
using System.Diagnostics;
using Cluster.Contracts;

namespace Cluster.Workers.Data.Folders;

/// <summary>Makes the index of a folder: lists in parallel, then reads every file's header in parallel; decodes nothing.</summary>
/// <param name="root">Absolute, without a slash at the end.</param>
/// <param name="progress">Called from several threads; null for silence.</param>
internal sealed class FolderIndexBuilder(string root, IProgress<DownloadProgress>? progress, CancellationToken stop)
{
    private const int MostImages = 100_000_000;

    /// <summary>How long listing took.</summary>
    public TimeSpan ListingTime { get; private set; }

    /// <summary>How long reading the headers took.</summary>
    public TimeSpan HeaderTime { get; private set; }

    /// <exception cref="UserMistakeException">It is no folder of images; one line for each thing that is wrong, at most twenty.</exception>
    /// <exception cref="OperationCanceledException">It was stopped.</exception>
    public FolderIndex Build()
    {
        if (File.Exists(root)) throw new UserMistakeException($"{ImageNames.Escape(root)} is a file: name the folder that holds train and val");
        if (!Directory.Exists(root)) throw new UserMistakeException($"there is no folder {ImageNames.Escape(root)}");
        var begun = Stopwatch.GetTimestamp();
        var listing = new Listing(root, progress, stop);
        var layout = FolderLayout.Find(listing);
        var train = layout.Train.List(listing, layout.Classes);
        if (layout.Train is SplitSource.OfFolders folders && folders.Without(train) is { Count: > 0 } empty)
            throw new UserMistakeException(SplitSource.Lines(empty, name => $"{ImageNames.Escape(listing.FullPath($"{folders.Folder}/{name}"))} is a class without images: put some there, or remove the folder"));
        var test = layout.Test?.List(listing, layout.Classes) ?? [];
        var index = new FolderIndex(layout.Classes, ClassTitles.Of(listing, layout.Classes), Join(train), Join(test), listing.Watched, listing.OtherFiles, listing.Passed);
        ListingTime = Stopwatch.GetElapsedTime(begun);

        begun = Stopwatch.GetTimestamp();
        var scan = new HeaderScan(root, index.Train.Count + index.Test.Count, progress, stop);
        scan.Read(index.Train);
        scan.Read(index.Test);
        HeaderTime = Stopwatch.GetElapsedTime(begun);
        return index with { ContentHash = index.ContentHash };
    }

    /// <summary>Into arrays; the folders' own are given back one by one, so that a name is not held twice for long.</summary>
    private static SplitIndex Join(List<FolderNames> folders)
    {
        var count = folders.Sum(static folder => (long)folder.Count);
        var bytes = folders.Sum(static folder => (long)folder.NameBytes);
        if (count > MostImages || bytes > Array.MaxLength) throw new UserMistakeException($"{count:N0} images are more than the {MostImages:N0} that an index holds");
        var (paths, firsts) = (new string[folders.Count], new int[folders.Count + 1]);
        var (ends, labels) = (new int[count], new int[count]);
        var names = new FixedWriter((int)bytes);
        for (var i = 0; i < folders.Count; i++)
        {
            var at = firsts[i];
            paths[i] = folders[i].Path;
            folders[i].CopyTo(names, ends.AsSpan(at), labels.AsSpan(at), names.Written);
            firsts[i + 1] = at + folders[i].Count;
            folders[i] = null!;
        }
        return new SplitIndex(paths, firsts, names.Bytes, ends, labels, new FileFacts((int)count));
    }

    private sealed class FixedWriter(int bytes) : IBufferWriter<byte>
    {
        public byte[] Bytes { get; } = new byte[bytes];

        public int Written { get; private set; }

        public void Advance(int count) => Written += count;

        public Memory<byte> GetMemory(int sizeHint = 0) => Bytes.AsMemory(Written);

        public Span<byte> GetSpan(int sizeHint = 0) => Bytes.AsSpan(Written);
    }
}
