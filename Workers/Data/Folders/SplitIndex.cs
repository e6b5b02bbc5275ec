using System.Text;

namespace Cluster.Workers.Data.Folders;

/// <summary>
/// The images of one split, some 30 bytes and the file's name for each: 1.28 million are arrays, not objects. Samples of
/// one folder follow each other. Immutable once made; any thread.
/// </summary>
/// <param name="Folders">Relative to the set's folder, with slashes; "" is the set's folder itself.</param>
/// <param name="FirstOf">[Folders + 1] number of each folder's first sample.</param>
/// <param name="Names">UTF-8 file names, one behind the other.</param>
/// <param name="NameEnds">[Count] where each name ends in <paramref name="Names"/>.</param>
/// <param name="Labels">[Count]</param>
/// <param name="Facts">What the headers said.</param>
internal sealed record SplitIndex(string[] Folders, int[] FirstOf, byte[] Names, int[] NameEnds, int[] Labels, FileFacts Facts)
{
    public int Count => Labels.Length;

    public static SplitIndex Empty { get; } = new([], [0], [], [], [], new FileFacts(0));

    public ReadOnlySpan<byte> NameOf(int sample)
    {
        var begin = sample == 0 ? 0 : NameEnds[sample - 1];
        return Names.AsSpan(begin, NameEnds[sample] - begin);
    }

    /// <summary>The folder's place in <see cref="Folders"/>.</summary>
    public int FolderOf(int sample)
    {
        int low = 0, high = Folders.Length - 1;
        while (low < high)
        {
            var middle = (low + high + 1) / 2;
            if (FirstOf[middle] <= sample) low = middle;
            else high = middle - 1;
        }
        return low;
    }

    /// <summary>Relative to the set's folder, with slashes.</summary>
    public string PathOf(int sample)
    {
        var folder = Folders[FolderOf(sample)];
        var name = Encoding.UTF8.GetString(NameOf(sample));
        return folder.Length == 0 ? name : $"{folder}/{name}";
    }

    /// <summary>Writes the sample's absolute path with a zero byte behind it.</summary>
    /// <param name="root">The set's folder in UTF-8, without a slash at the end.</param>
    /// <param name="path">Grows when it is too short.</param>
    public ReadOnlySpan<byte> SystemPath(ReadOnlySpan<byte> root, int sample, ref byte[] path)
    {
        var folder = Folders[FolderOf(sample)];
        var name = NameOf(sample);
        var most = root.Length + 1 + Encoding.UTF8.GetMaxByteCount(folder.Length) + 1 + name.Length + 1;
        if (path.Length < most) path = new byte[most];
        root.CopyTo(path);
        var at = root.Length;
        path[at++] = (byte)'/';
        if (folder.Length > 0)
        {
            at += Encoding.UTF8.GetBytes(folder, path.AsSpan(at));
            path[at++] = (byte)'/';
        }
        name.CopyTo(path.AsSpan(at));
        at += name.Length;
        path[at++] = 0;
        return path.AsSpan(0, at);
    }
}

/// <summary>What was found of each file when the index was made.</summary>
internal sealed class FileFacts(int count)
{
    /// <summary>[count] bytes; what does not fit is no image anyway.</summary>
    public uint[] Bytes { get; init; } = new uint[count];

    /// <summary>[count] time of the last change, UTC ticks.</summary>
    public long[] Ticks { get; init; } = new long[count];

    public int[] Widths { get; init; } = new int[count];
    public int[] Heights { get; init; } = new int[count];

    /// <summary>[count] <see cref="ImageKind"/>.</summary>
    public byte[] Kinds { get; init; } = new byte[count];

    public ImageHeader HeaderOf(int sample) => new((ImageKind)Kinds[sample], Widths[sample], Heights[sample]);
}
