using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace Cluster.Workers.Data.Folders;

/// <summary>A folder or a file whose change makes the index old.</summary>
/// <param name="Path">Relative to the set's folder; "" is that folder.</param>
/// <param name="Ticks">Time of its last change, UTC ticks; 0 = changed while the index was made, so never trusted.</param>
internal readonly record struct WatchedPath(string Path, long Ticks);

/// <summary>A name that was passed over although it may have been meant.</summary>
/// <param name="Path">Relative, or the nearest that can be written.</param>
internal readonly record struct PassedOver(string Path, string Reason);

/// <summary>Everything that was found in an image folder. Immutable.</summary>
/// <param name="Classes">What decides the labels: names of folders, in the order of their bytes.</param>
/// <param name="ClassNames">For people; [Classes].</param>
/// <param name="OtherFiles">Files without an image's extension, which were not taken.</param>
/// <param name="Passed">What else was passed over; the first few.</param>
internal sealed record FolderIndex(
    string[] Classes, string[] ClassNames, SplitIndex Train, SplitIndex Test, WatchedPath[] Watched, long OtherFiles, PassedOver[] Passed)
{
    private string? _contentHash;

    /// <summary>SHA-256, lower-case hex, over relative paths, sizes, labels and classes of both splits: equal on two machines exactly when they hold the same files as far as sizes tell.</summary>
    public string ContentHash
    {
        get => _contentHash ??= Hash();
        init => _contentHash = value;
    }

    /// <summary>Images that their headers call unusable.</summary>
    public int Unusable => CountUnusable(Train) + CountUnusable(Test);

    /// <summary>One sentence about what was found.</summary>
    public string Sentence(string root)
    {
        var text = new StringBuilder($"indexed {ImageNames.Escape(root)}: {Train.Count:N0} training and {Test.Count:N0} test images in {Classes.Length:N0} classes");
        if (OtherFiles > 0) text.Append($"; {OtherFiles:N0} other files passed over");
        if (Passed.Length > 0) text.Append($"; {ImageNames.Escape(Passed[0].Path)} {Passed[0].Reason}{(Passed.Length > 1 ? $" (and {Passed.Length - 1:N0} more passed over)" : "")}");
        if (Unusable is > 0 and var bad) text.Append($"; {bad:N0} cannot be images: 'cluster data check imagefolder:{ImageNames.Escape(root)}' names them and leaves them out");
        return text.ToString();
    }

    private static int CountUnusable(SplitIndex split) => split.Facts.Kinds.Count(static kind => !ImageHeader.IsSound((ImageKind)kind));

    private string Hash()
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(Encoding.UTF8.GetBytes($"imagefolder 1\n{Classes.Length}\n"));
        foreach (var name in Classes) Append(hash, Encoding.UTF8.GetBytes(name));
        Append(hash, Train);
        Append(hash, Test);
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    private static void Append(IncrementalHash hash, SplitIndex split)
    {
        Span<byte> number = stackalloc byte[8];
        BinaryPrimitives.WriteInt32LittleEndian(number, split.Count);
        hash.AppendData(number[..4]);
        for (var folder = 0; folder < split.Folders.Length; folder++)
        {
            Append(hash, Encoding.UTF8.GetBytes(split.Folders[folder]));
            BinaryPrimitives.WriteInt32LittleEndian(number, split.FirstOf[folder + 1] - split.FirstOf[folder]);
            hash.AppendData(number[..4]);
            for (var sample = split.FirstOf[folder]; sample < split.FirstOf[folder + 1]; sample++)
            {
                Append(hash, split.NameOf(sample));
                BinaryPrimitives.WriteInt32LittleEndian(number, split.Labels[sample]);
                BinaryPrimitives.WriteUInt32LittleEndian(number[4..], split.Facts.Bytes[sample]);
                hash.AppendData(number);
            }
        }
    }

    /// <summary>With its length in front: no two lists of names give the same bytes.</summary>
    private static void Append(IncrementalHash hash, ReadOnlySpan<byte> text)
    {
        Span<byte> length = stackalloc byte[4];
        BinaryPrimitives.WriteInt32LittleEndian(length, text.Length);
        hash.AppendData(length);
        hash.AppendData(text);
    }
}
