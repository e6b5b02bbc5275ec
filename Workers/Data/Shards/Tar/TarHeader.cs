using System.Globalization;
using System.Text;

namespace Cluster.Workers.Data.Shards;

/// <summary>An archive is not what it should be; the message says where in it, and what is wrong, without the archive's name.</summary>
internal sealed class TarFormatException(string message) : Exception(message);

/// <summary>One header block of a tar archive: POSIX.1-1988 (ustar), with GNU's large numbers.</summary>
/// <param name="Name">As it stands in the header, prefix included.</param>
/// <param name="Length">Bytes of content that follow, without padding.</param>
/// <param name="Type">The type flag; the old NUL is given as <c>0</c>.</param>
internal readonly record struct TarHeader(string Name, long Length, char Type)
{
    public const int BlockBytes = 512;

    private const int ChecksumAt = 148, ChecksumBytes = 8;

    /// <summary>Bytes that content of a length takes up.</summary>
    public static long Padded(long length) => (length + BlockBytes - 1) / BlockBytes * BlockBytes;

    /// <summary>Writes the header of a plain file that belongs to nobody and was changed in 1970: the same bytes whoever packs, and when.</summary>
    /// <param name="block">[512]</param>
    /// <param name="name">At most 100 ASCII characters.</param>
    /// <param name="length">Less than 8 GiB: eleven octal digits.</param>
    public static void Write(Span<byte> block, string name, long length)
    {
        if (name.Length > 100 || !Ascii.IsValid(name)) throw new ArgumentException($"{name} is no name for a plain header", nameof(name));
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(length, 1L << 33);
        block.Clear();
        Encoding.ASCII.GetBytes(name, block);
        "0000644"u8.CopyTo(block[100..]);
        "0000000"u8.CopyTo(block[108..]);
        "0000000"u8.CopyTo(block[116..]);
        Octal(block.Slice(124, 11), length);
        "00000000000"u8.CopyTo(block[136..]);
        block[156] = (byte)'0';
        "ustar\0"u8.CopyTo(block[257..]);
        "00"u8.CopyTo(block[263..]);
        Octal(block.Slice(ChecksumAt, 6), Sum(block));
        block[ChecksumAt + 7] = (byte)' ';
    }

    /// <summary>Reads a block that is not all zero.</summary>
    /// <exception cref="TarFormatException">The checksum does not fit, or a number is none.</exception>
    public static TarHeader Read(ReadOnlySpan<byte> block)
    {
        if (Number(block.Slice(ChecksumAt, ChecksumBytes), "checksum") != Sum(block)) throw new TarFormatException("is no tar header: its checksum does not fit; the archive is damaged, or is no tar");
        var name = Text(block[..100]);
        var isPosix = block.Slice(257, 6).SequenceEqual("ustar\0"u8);
        var prefix = isPosix ? Text(block.Slice(345, 155)) : "";
        var type = block[156] == 0 ? '0' : (char)block[156];
        return new TarHeader(prefix.Length > 0 ? $"{prefix}/{name}" : name, Number(block.Slice(124, 12), "size"), type);
    }

    private static void Octal(Span<byte> digits, long number)
    {
        for (var i = digits.Length - 1; i >= 0; i--, number >>= 3) digits[i] = (byte)('0' + (number & 7));
    }

    /// <summary>The sum of all bytes, those of the checksum taken for spaces.</summary>
    private static int Sum(ReadOnlySpan<byte> block)
    {
        var sum = ChecksumBytes * ' ';
        for (var i = 0; i < BlockBytes; i++)
            if (i is < ChecksumAt or >= ChecksumAt + ChecksumBytes) sum += block[i];
        return sum;
    }

    private static string Text(ReadOnlySpan<byte> field)
    {
        var end = field.IndexOf((byte)0);
        return Encoding.UTF8.GetString(end < 0 ? field : field[..end]);
    }

    private static long Number(ReadOnlySpan<byte> field, string what)
    {
        // GNU's form of what octal digits cannot hold: the top bit set, then big-endian.
        if ((field[0] & 0x80) != 0)
        {
            long large = field[0] & 0x7F;
            foreach (var b in field[1..])
            {
                if (large > long.MaxValue >> 8) throw new TarFormatException($"has a {what} beyond all bounds; the archive is damaged");
                large = large << 8 | b;
            }
            return large;
        }
        var digits = field.Trim(" \0"u8);
        long number = 0;
        foreach (var b in digits)
        {
            if (b is < (byte)'0' or > (byte)'7') throw new TarFormatException(string.Create(CultureInfo.InvariantCulture, $"has a {what} that is no octal number; the archive is damaged, or is no tar"));
            number = number << 3 | (uint)(b - '0');
        }
        return number;
    }
}
