using System.Buffers;
using System.Text;

namespace Cluster.Workers.Data.Folders;

/// <summary>Names and labels of the images of one folder while it is listed: bytes in one array, no object per file. One thread at a time.</summary>
/// <param name="path">Relative to the set's folder, with slashes.</param>
internal sealed class FolderNames(string path)
{
    private byte[] _bytes = new byte[256];
    private int _filled;
    private readonly List<Entry> _entries = [];

    public string Path { get; } = path;

    public int Count => _entries.Count;

    public int NameBytes => _filled;

    public void Add(ReadOnlySpan<char> name, int label)
    {
        var most = Encoding.UTF8.GetMaxByteCount(name.Length);
        if (_bytes.Length - _filled < most) Array.Resize(ref _bytes, Math.Max(_bytes.Length * 2, _filled + most));
        var length = Encoding.UTF8.GetBytes(name, _bytes.AsSpan(_filled));
        _entries.Add(new Entry(_filled, length, label));
        _filled += length;
    }

    /// <summary>Into the order of the names' bytes, which is Python's order of strings and so torchvision's.</summary>
    /// <returns>A name that is there twice, as a list can have it; else null.</returns>
    public string? Sort()
    {
        _entries.Sort((a, b) => NameOf(a).SequenceCompareTo(NameOf(b)));
        for (var i = 1; i < _entries.Count; i++)
        {
            if (NameOf(_entries[i - 1]).SequenceEqual(NameOf(_entries[i]))) return Encoding.UTF8.GetString(NameOf(_entries[i]));
        }
        return null;
    }

    /// <summary>Gives back what growing left over.</summary>
    public void Trim()
    {
        Array.Resize(ref _bytes, _filled);
        _entries.TrimExcess();
    }

    /// <summary>Appends to the arrays of a split.</summary>
    public void CopyTo(IBufferWriter<byte> names, Span<int> ends, Span<int> labels, int written)
    {
        for (var i = 0; i < _entries.Count; i++)
        {
            names.Write(NameOf(_entries[i]));
            written += _entries[i].Length;
            (ends[i], labels[i]) = (written, _entries[i].Label);
        }
    }

    private ReadOnlySpan<byte> NameOf(Entry entry) => _bytes.AsSpan(entry.Begin, entry.Length);

    private readonly record struct Entry(int Begin, int Length, int Label);
}
