using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Cluster.Contracts;

namespace Cluster.Workers.Data.Shards;

/// <summary>A file in an archive.</summary>
/// <param name="Name">In full, whichever way the archive spells long names.</param>
/// <param name="Offset">Of its first byte in the archive.</param>
internal readonly record struct TarEntry(string Name, long Offset, long Length);

/// <summary>
/// Walks through a tar archive from its first byte to its last and sums it up on the way: ustar, pax (POSIX.1-2001) and
/// GNU's long names. Nothing is ever unpacked to disk. One thread; does not own the stream.
/// </summary>
internal sealed class TarScanner(Stream archive) : IDisposable
{
    /// <summary>Bytes of extended headers that are believed: a long name and some attributes.</summary>
    private const int MaxExtendedBytes = 1 << 20;

    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private readonly byte[] _block = new byte[TarHeader.BlockBytes];
    private readonly byte[] _skipped = new byte[64 * 1024];
    private long _position;
    private TarEntry _current;
    private long _unread;
    private long _headerAt;

    /// <summary>SHA-256 over the whole file, once <see cref="Next"/> has returned null.</summary>
    public byte[] Sha256() => _hash.GetCurrentHash();

    public long Position => _position;

    /// <summary>The next file; folders are passed over. Null after the last one, when the file has been read to its end.</summary>
    /// <exception cref="TarFormatException">The archive is damaged or cut, or holds what is no file: links, devices.</exception>
    /// <exception cref="IOException">The medium failed.</exception>
    public TarEntry? Next()
    {
        Skip(_unread + TarHeader.Padded(_current.Length) - _current.Length);
        _unread = 0;
        string? name = null;
        long? length = null;
        while (true)
        {
            _headerAt = _position;
            if (!ReadHeaderBlock()) return null;
            var header = InHeader(() => TarHeader.Read(_block));
            switch (header.Type)
            {
                case 'x':
                    (name, length) = Pax(Extended(header.Length), name, length);
                    continue;
                case 'g':
                    Extended(header.Length);
                    continue;
                case 'L':
                    name = Encoding.UTF8.GetString(Extended(header.Length).AsSpan().TrimEnd((byte)0));
                    continue;
                case 'K':
                    Extended(header.Length);
                    continue;
                case '5':
                    (name, length) = (null, null);
                    continue;
                case '0' or '7':
                    _current = new TarEntry(name ?? header.Name, _position, length ?? header.Length);
                    _unread = _current.Length;
                    return _current;
                default:
                    throw Fault($"is no file ({What(header.Type)}): only files are read from archives; pack it again without");
            }
        }
    }

    /// <summary>Reads the content of the entry that <see cref="Next"/> gave, once, as far as <paramref name="content"/> goes.</summary>
    /// <exception cref="TarFormatException">The archive ends within it.</exception>
    public void Read(Span<byte> content)
    {
        if (content.Length > _unread) throw new ArgumentOutOfRangeException(nameof(content));
        ReadExactly(content);
        _unread -= content.Length;
    }

    /// <summary>The exception that names the current header.</summary>
    public TarFormatException Fault(string what) => new(string.Create(CultureInfo.InvariantCulture, $"the entry at byte {_headerAt} {what}"));

    public void Dispose() => _hash.Dispose();

    private T InHeader<T>(Func<T> read)
    {
        try
        {
            return read();
        }
        catch (TarFormatException e)
        {
            throw Fault(e.Message);
        }
    }

    /// <summary>False at the end: two blocks of zeros, as POSIX says, or one, or none as some write it.</summary>
    private bool ReadHeaderBlock()
    {
        var got = archive.ReadAtLeast(_block, _block.Length, throwOnEndOfStream: false);
        if (got == 0) return false;
        if (got < _block.Length) throw new TarFormatException(string.Create(CultureInfo.InvariantCulture, $"ends at byte {_position + got}, in the middle of a header: the archive was cut, or not copied whole"));
        Count(_block);
        if (_block.AsSpan().ContainsAnyExcept((byte)0)) return true;
        int rest;
        while ((rest = archive.Read(_skipped)) > 0) Count(_skipped.AsSpan(0, rest));
        return false;
    }

    private byte[] Extended(long length)
    {
        if (length > MaxExtendedBytes) throw Fault($"is an extended header of {length} bytes; the archive is damaged");
        var content = new byte[length];
        ReadExactly(content);
        Skip(TarHeader.Padded(length) - length);
        return content;
    }

    /// <summary>Records "LENGTH KEY=VALUE\n" of POSIX.1-2001; path and size are of use, the rest is let be.</summary>
    private (string? Name, long? Length) Pax(byte[] records, string? name, long? length)
    {
        var rest = records.AsSpan();
        while (!rest.IsEmpty)
        {
            var space = rest.IndexOf((byte)' ');
            if (space < 1 || !int.TryParse(rest[..space], NumberStyles.None, CultureInfo.InvariantCulture, out var size) || size <= space + 1 || size > rest.Length)
                throw Fault("is an extended header that cannot be read; the archive is damaged");
            var record = rest[(space + 1)..size].TrimEnd((byte)'\n');
            rest = rest[size..];
            if (record.StartsWith("path="u8)) name = Encoding.UTF8.GetString(record["path="u8.Length..]);
            if (!record.StartsWith("size="u8)) continue;
            if (!long.TryParse(record["size="u8.Length..], NumberStyles.None, CultureInfo.InvariantCulture, out var own)) throw Fault("has a size that is no number; the archive is damaged");
            length = own;
        }
        return name is { Length: > Limits.MaxArchiveNameBytes } ? throw Fault("has a name of more than 4,096 characters; the archive is damaged") : (name, length);
    }

    private void ReadExactly(Span<byte> to)
    {
        var got = archive.ReadAtLeast(to, to.Length, throwOnEndOfStream: false);
        if (got < to.Length) throw Cut(got);
        Count(to);
    }

    private void Skip(long count)
    {
        while (count > 0)
        {
            var piece = _skipped.AsSpan(0, (int)Math.Min(count, _skipped.Length));
            var got = archive.ReadAtLeast(piece, piece.Length, throwOnEndOfStream: false);
            if (got < piece.Length) throw Cut(got);
            Count(piece);
            count -= got;
        }
    }

    private TarFormatException Cut(int got) => Fault(string.Create(CultureInfo.InvariantCulture, $"goes on beyond the end of the file at byte {_position + got}: the archive was cut, or not copied whole"));

    private void Count(ReadOnlySpan<byte> bytes)
    {
        _hash.AppendData(bytes);
        _position += bytes.Length;
    }

    private static string What(char type) => type switch
    {
        '1' or '2' => "a link",
        '3' or '4' => "a device",
        '6' => "a pipe",
        'S' => "a sparse file",
        _ => char.IsAsciiLetterOrDigit(type) ? $"type {type}" : "of an unknown type",
    };
}
