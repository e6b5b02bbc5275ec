using System.Buffers.Binary;
using System.IO.Compression;
using Cluster.Workers.Data.Png;

namespace Cluster.Data.Tests;

/// <summary>Writes PNG files by hand, straight from the specification, so that every part of one can be got wrong on purpose.</summary>
internal sealed class PngBytes
{
    private static readonly byte[] Signature = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A];

    public int Width { get; init; } = 5;
    public int Height { get; init; } = 4;
    public int Channels { get; init; } = 3;
    public byte Depth { get; init; } = 8;
    public byte? ColourType { get; init; }
    public byte Interlace { get; init; }

    /// <summary>Filter of a row.</summary>
    public Func<int, byte> Filter { get; init; } = static _ => 0;

    /// <summary>Rows really written; other than <see cref="Height"/> makes a damaged file.</summary>
    public int? Rows { get; init; }

    /// <summary>Largest IDAT chunk.</summary>
    public int ChunkBytes { get; init; } = int.MaxValue;

    /// <summary>Put in front of the pixels: name and data.</summary>
    public (string Name, byte[] Data)? Extra { get; init; }

    public Func<int, int, int, byte> Pixel { get; init; } = static (y, x, c) => (byte)(y * 73 + x * 29 * (c + 1) + x * x * 5);

    public byte[] Row(int y) => [.. from x in Enumerable.Range(0, Width) from c in Enumerable.Range(0, Channels) select Pixel(y, x, c)];

    public byte[] Build()
    {
        using var file = new MemoryStream();
        file.Write(Signature);
        var header = new byte[13];
        BinaryPrimitives.WriteInt32BigEndian(header, Width);
        BinaryPrimitives.WriteInt32BigEndian(header.AsSpan(4), Height);
        (header[8], header[9], header[12]) = (Depth, ColourType ?? (Channels switch { 1 => 0, 3 => 2, _ => 6 }), Interlace);
        Chunk(file, "IHDR", header);
        if (Extra is var (name, data)) Chunk(file, name, data);
        foreach (var part in Pixels().Chunk(ChunkBytes)) Chunk(file, "IDAT", part);
        Chunk(file, "IEND", []);
        return file.ToArray();
    }

    /// <summary>Reads everything with the reader under test.</summary>
    public static List<byte[]> ReadAll(byte[] bytes)
    {
        using var reader = new PngReader(new MemoryStream(bytes));
        var rows = new List<byte[]>();
        for (var y = 0; y < reader.Height; y++)
        {
            var row = new byte[reader.Width * reader.Channels];
            reader.ReadRow(row);
            rows.Add(row);
        }
        reader.ReadEnd();
        return rows;
    }

    private byte[] Pixels()
    {
        using var packed = new MemoryStream();
        using (var zlib = new ZLibStream(packed, CompressionLevel.Fastest, leaveOpen: true))
        {
            var above = new byte[Width * Channels];
            for (var y = 0; y < (Rows ?? Height); y++)
            {
                var row = Row(y);
                zlib.WriteByte(Filter(y));
                for (var i = 0; i < row.Length; i++)
                {
                    int left = i < Channels ? 0 : row[i - Channels], up = above[i], corner = i < Channels ? 0 : above[i - Channels];
                    var predicted = Filter(y) switch { 1 => left, 2 => up, 3 => (left + up) / 2, 4 => Paeth(left, up, corner), _ => 0 };
                    zlib.WriteByte((byte)(row[i] - predicted));
                }
                above = row;
            }
        }
        return packed.ToArray();
    }

    private static int Paeth(int a, int b, int c)
    {
        var p = a + b - c;
        return new[] { a, b, c }.MinBy(candidate => Math.Abs(p - candidate));        // MinBy keeps the first of equals, as the format demands
    }

    private static void Chunk(Stream file, string name, byte[] data)
    {
        var number = new byte[4];
        BinaryPrimitives.WriteInt32BigEndian(number, data.Length);
        file.Write(number);
        byte[] body = [.. name.Select(c => (byte)c), .. data];
        file.Write(body);
        BinaryPrimitives.WriteUInt32BigEndian(number, SlowCrc(body));
        file.Write(number);
    }

    /// <summary>Bit by bit: not the table of the code under test.</summary>
    private static uint SlowCrc(byte[] bytes)
    {
        var crc = uint.MaxValue;
        foreach (var b in bytes)
            for (var bit = 0; bit < 8; bit++)
                crc = (((crc ^ (uint)(b >> bit)) & 1) != 0 ? 0xEDB88320u : 0u) ^ (crc >> 1);
        return ~crc;
    }
}
