using System.Buffers.Binary;

namespace Cluster.Data.Tests.Images;

/// <summary>
/// Writes JPEG files by hand, straight from ITU-T T.81: mosaics of 8x8 squares of one level each, which decode to exactly that
/// level, so that every part of a file can be chosen, or got wrong, on purpose.
/// </summary>
internal sealed class JpegBytes
{
    /// <summary>Squares across.</summary>
    public int Across { get; init; } = 4;

    /// <summary>Squares down.</summary>
    public int Down { get; init; } = 3;

    /// <summary>1 grey, 3 YCbCr, 4 CMYK or YCCK.</summary>
    public int Components { get; init; } = 3;

    /// <summary>The transform that an Adobe segment names: 0 = none, 1 = YCbCr, 2 = YCCK; null = no such segment.</summary>
    public byte? Adobe { get; init; }

    /// <summary>Of an EXIF segment; null = none.</summary>
    public int? Orientation { get; init; }

    public bool BigEndianExif { get; init; }

    /// <summary>Scans of each block's mean; more than one makes a bomb of a progressive file.</summary>
    public int Scans { get; init; } = 1;

    public bool Progressive { get; init; }

    /// <summary>What the header claims, when that is not the truth.</summary>
    public (int Width, int Height)? Claimed { get; init; }

    public bool WithEnd { get; init; } = true;

    /// <summary>(row, column, component) of a square -> level.</summary>
    public Func<int, int, int, byte> Level { get; init; } = static (y, x, c) => (byte)(40 + y * 50 + x * 12 + c * 9);

    public byte[] Build()
    {
        using var file = new MemoryStream();
        file.Write([0xFF, 0xD8]);
        if (Orientation is { } orientation) Segment(file, 0xE1, [.. "Exif\0\0"u8, .. Exif(orientation)]);
        if (Adobe is { } transform) Segment(file, 0xEE, [.. "Adobe"u8, 0, 100, 0, 0, 0, 0, transform]);
        // All divisors 1: a block's mean is stored as eight times what it is above 128.
        Segment(file, 0xDB, [0, .. Enumerable.Repeat((byte)1, 64)]);
        var (width, height) = Claimed ?? (Across * 8, Down * 8);
        var components = Enumerable.Range(1, Components).SelectMany(static c => new byte[] { (byte)c, 0x11, 0 });
        Segment(file, Progressive ? (byte)0xC2 : (byte)0xC0, [8, (byte)(height >> 8), (byte)height, (byte)(width >> 8), (byte)width, (byte)Components, .. components]);
        // Twelve lengths of differences, each a code of four bits; and one code of one bit for "the rest is zero".
        Segment(file, 0xC4, [0x00, 0, 0, 0, 12, .. new byte[12], .. Enumerable.Range(0, 12).Select(static i => (byte)i)]);
        Segment(file, 0xC4, [0x10, 1, .. new byte[15], 0]);
        for (var scan = 0; scan < Scans; scan++)
        {
            Segment(file, 0xDA, [(byte)Components, .. Enumerable.Range(1, Components).SelectMany(static c => new byte[] { (byte)c, 0 }), 0, (byte)(Progressive ? 0 : 63), 0]);
            file.Write(Scan());
        }
        // Of a progressive file the rest of every block, which is zero; without it decoders guess at it.
        for (var c = 1; Progressive && c <= Components; c++)
        {
            Segment(file, 0xDA, [1, (byte)c, 0, 1, 63, 0]);
            file.Write(Packed([.. Enumerable.Repeat(false, Across * Down)]));
        }
        if (WithEnd) file.Write([0xFF, 0xD9]);
        return file.ToArray();
    }

    private byte[] Scan()
    {
        var bits = new List<bool>();
        var last = new int[Components];
        for (var y = 0; y < Down; y++)
            for (var x = 0; x < Across; x++)
                for (var c = 0; c < Components; c++)
                {
                    var mean = 8 * (Level(y, x, c) - 128);
                    var (difference, length) = (mean - last[c], 0);
                    last[c] = mean;
                    while (Math.Abs(difference) >> length > 0) length++;
                    Add(bits, length, 4);
                    Add(bits, difference > 0 ? difference : difference + (1 << length) - 1, length);
                    if (!Progressive) Add(bits, 0, 1);
                }
        return Packed(bits);
    }

    private static byte[] Packed(List<bool> bits)
    {
        while (bits.Count % 8 != 0) bits.Add(true);
        var bytes = new List<byte>();
        for (var i = 0; i < bits.Count; i += 8)
        {
            var value = 0;
            for (var bit = 0; bit < 8; bit++) value = (value << 1) | (bits[i + bit] ? 1 : 0);
            bytes.Add((byte)value);
            if (value == 0xFF) bytes.Add(0);
        }
        return [.. bytes];
    }

    private static void Add(List<bool> bits, int value, int length)
    {
        for (var i = length - 1; i >= 0; i--) bits.Add(((value >> i) & 1) == 1);
    }

    /// <summary>A TIFF directory of one entry.</summary>
    private byte[] Exif(int orientation)
    {
        var tiff = new byte[26];
        if (BigEndianExif)
        {
            "MM"u8.CopyTo(tiff);
            foreach (var (at, value) in Entries(orientation)) BinaryPrimitives.WriteUInt16BigEndian(tiff.AsSpan(at), (ushort)value);
            (tiff[7], tiff[17]) = (8, 1);
        }
        else
        {
            "II"u8.CopyTo(tiff);
            foreach (var (at, value) in Entries(orientation)) BinaryPrimitives.WriteUInt16LittleEndian(tiff.AsSpan(at), (ushort)value);
            (tiff[4], tiff[14]) = (8, 1);
        }
        return tiff;

        // The number 42; one entry: its tag, its type (short) and, left in a field of four bytes, its value.
        static (int At, int Value)[] Entries(int orientation) => [(2, 42), (8, 1), (10, 0x0112), (12, 3), (18, orientation)];
    }

    private static void Segment(MemoryStream file, byte kind, ReadOnlySpan<byte> content)
    {
        var length = content.Length + 2;
        file.Write([0xFF, kind, (byte)(length >> 8), (byte)length]);
        file.Write(content);
    }
}
