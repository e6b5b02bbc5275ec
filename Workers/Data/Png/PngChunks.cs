using System.Buffers.Binary;

namespace Cluster.Workers.Data.Png;

/// <summary>The chunks of a PNG file in order, each checked against its CRC before the next one is begun (PNG, third edition, sections 5 and D).</summary>
internal sealed class PngChunks(Stream source)
{
    /// <summary>The format's own limit; a length above it is damage.</summary>
    private const uint LongestChunk = int.MaxValue;

    private static ReadOnlySpan<byte> Signature => [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A];

    private static readonly uint[] CrcTable = MakeCrcTable();

    private uint _left;
    private uint _crc;
    private bool _open;

    /// <summary>Four letters of the current chunk, big-endian.</summary>
    public uint Type { get; private set; }

    /// <summary>Data bytes of the current chunk.</summary>
    public uint Length { get; private set; }

    public static uint TypeOf(ReadOnlySpan<byte> letters) => BinaryPrimitives.ReadUInt32BigEndian(letters);

    /// <summary>The letters of a type for a message; damage may have put anything there.</summary>
    public static string NameOf(uint type) => string.Concat(Enumerable.Range(0, 4)
        .Select(i => (char)(byte)(type >> (24 - 8 * i))).Select(c => char.IsAsciiLetter(c) ? c : '?'));

    public void ReadSignature()
    {
        Span<byte> signature = stackalloc byte[8];
        ReadExactly(signature, "in its signature");
        if (!signature.SequenceEqual(Signature)) throw new PngFormatException("does not begin with PNG's signature");
    }

    /// <summary>Skips what is left of the current chunk, checks it, and reads the next one's head.</summary>
    public void Next()
    {
        Finish();
        Span<byte> head = stackalloc byte[8];
        ReadExactly(head, "before its IEND chunk");
        Length = BinaryPrimitives.ReadUInt32BigEndian(head);
        Type = BinaryPrimitives.ReadUInt32BigEndian(head[4..]);
        if (Length > LongestChunk) throw new PngFormatException($"has a chunk {NameOf(Type)} of {Length} bytes, more than the format allows");
        _left = Length;
        _crc = Update(uint.MaxValue, head[4..]);
        _open = true;
    }

    /// <summary>Reads on in the current chunk; 0 at its end.</summary>
    public int Read(Span<byte> buffer)
    {
        if (_left == 0 || buffer.IsEmpty) return 0;
        var read = source.Read(buffer[..(int)Math.Min(_left, (uint)buffer.Length)]);
        if (read == 0) throw new PngFormatException($"ends inside its chunk {NameOf(Type)}, {_left} bytes short");
        _crc = Update(_crc, buffer[..read]);
        _left -= (uint)read;
        return read;
    }

    /// <summary>Skips the rest of the current chunk and checks its CRC.</summary>
    public void Finish()
    {
        if (!_open) return;
        Span<byte> rest = stackalloc byte[4096];
        while (Read(rest) > 0) { }
        Span<byte> stored = stackalloc byte[4];
        ReadExactly(stored, $"before the checksum of its chunk {NameOf(Type)}");
        var expected = BinaryPrimitives.ReadUInt32BigEndian(stored);
        if (~_crc != expected) throw new PngFormatException($"has a damaged chunk {NameOf(Type)}: CRC {~_crc:x8}, expected {expected:x8}");
        _open = false;
    }

    internal static uint Crc(ReadOnlySpan<byte> bytes) => ~Update(uint.MaxValue, bytes);

    private void ReadExactly(Span<byte> buffer, string where)
    {
        if (source.ReadAtLeast(buffer, buffer.Length, throwOnEndOfStream: false) < buffer.Length) throw new PngFormatException($"ends {where}");
    }

    private static uint Update(uint crc, ReadOnlySpan<byte> bytes)
    {
        var table = CrcTable;
        foreach (var b in bytes) crc = table[(byte)(crc ^ b)] ^ (crc >> 8);
        return crc;
    }

    private static uint[] MakeCrcTable()
    {
        var table = new uint[256];
        for (var n = 0u; n < table.Length; n++)
        {
            var c = n;
            for (var bit = 0; bit < 8; bit++) c = (c & 1) != 0 ? 0xEDB88320 ^ (c >> 1) : c >> 1;
            table[n] = c;
        }
        return table;
    }
}
