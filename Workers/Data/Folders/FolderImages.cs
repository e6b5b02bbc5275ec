using System.Text;
using Cluster.Contracts;
using Cluster.Workers.Data.Images;
using Microsoft.Win32.SafeHandles;

namespace Cluster.Workers.Data.Folders;

/// <summary>The encoded images of one split, each read out of its file with pread(2). Any number of threads.</summary>
/// <param name="root">The set's folder, absolute.</param>
/// <param name="index">Of this split.</param>
/// <param name="skipped">Relative paths of images that are no samples.</param>
internal sealed class FolderImages(string root, SplitIndex index, IReadOnlySet<string> skipped) : IEncodedImages
{
    private const int PathBytes = 512;

    private readonly byte[] _root = Encoding.UTF8.GetBytes(root);

    /// <summary>[Count] each sample's place in the index; null when nothing is skipped.</summary>
    private readonly int[]? _kept = Kept(index, skipped);

    public int Count => _kept?.Length ?? index.Count;

    public int LabelOf(int sample) => index.Labels[At(sample)];

    public string PlaceOf(int sample) => $"{root}/{index.PathOf(At(sample))}";

    /// <summary>Relative to the set's folder, as it stands in a skip list.</summary>
    public string PathOf(int sample) => index.PathOf(At(sample));

    public int Read(int sample, ref byte[] buffer)
    {
        var at = At(sample);
        if (index.Facts.HeaderOf(at).Fault() is { } fault) throw Unreadable(sample, fault);
        // The path lies where the image will be: no buffer of its own per thread, nothing allocated.
        if (buffer.Length < PathBytes) buffer = new byte[PathBytes];
        using var file = PosixFile.Open(index.SystemPath(_root, at, ref buffer), out var error);
        if (error != 0) throw NotOpened(sample, error);
        try
        {
            var length = RandomAccess.GetLength(file);
            if (length != index.Facts.Bytes[at]) throw Changed(sample, $"it has {length:N0} bytes, had {index.Facts.Bytes[at]:N0}");
            if (File.GetLastWriteTimeUtc(file).Ticks != index.Facts.Ticks[at]) throw Changed(sample, "its time of change is another one");
            if (buffer.Length < length) buffer = new byte[GrownTo((int)length)];
            if (Fill(file, buffer.AsSpan(0, (int)length)) is var filled && filled < length) throw Changed(sample, $"it ends at byte {filled:N0} of {length:N0}");
            return (int)length;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or NotSupportedException)
        {
            throw new ClusterException($"{ImageNames.Escape(PlaceOf(sample))} cannot be read: {ImageNames.Escape(e.Message)}", e);
        }
    }

    private int At(int sample)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(sample);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(sample, Count);
        return _kept is null ? sample : _kept[sample];
    }

    private static int Fill(SafeFileHandle file, Span<byte> destination)
    {
        var filled = 0;
        for (int read; filled < destination.Length && (read = RandomAccess.Read(file, destination[filled..], filled)) > 0; filled += read) { }
        return filled;
    }

    /// <summary>A quarter more than was asked for: images differ little, and a reader's buffer soon fits all.</summary>
    private static int GrownTo(int length) => Math.Min(Math.Max(length, Limits.MaxEncodedImageBytes), length + length / 4);

    private Exception NotOpened(int sample, int error)
    {
        if (!Directory.Exists(root)) return new ClusterException($"the data set's folder {ImageNames.Escape(root)} is gone: was its disk taken away?");
        return error switch
        {
            PosixFile.NotThere or PosixFile.NotAFolder => Unreadable(sample, "is gone since the index was made"),
            PosixFile.Denied => Unreadable(sample, "may not be read by this user"),
            _ => new ClusterException($"{ImageNames.Escape(PlaceOf(sample))} cannot be opened: {PosixFile.Describe(error)}"),
        };
    }

    private UnreadableSampleException Changed(int sample, string how) => Unreadable(sample, $"was changed since the index was made: {how}");

    private UnreadableSampleException Unreadable(int sample, string what) => new(sample, $"{ImageNames.Escape(PlaceOf(sample))} {what}");

    private static int[]? Kept(SplitIndex index, IReadOnlySet<string> skipped)
    {
        if (skipped.Count == 0) return null;
        var kept = new List<int>(index.Count);
        for (var sample = 0; sample < index.Count; sample++)
        {
            if (!skipped.Contains(index.PathOf(sample))) kept.Add(sample);
        }
        return kept.Count == index.Count ? null : [.. kept];
    }
}
