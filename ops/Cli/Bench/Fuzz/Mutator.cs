using System.Buffers.Binary;
using System.Text;

namespace Cluster.Cli.Bench.Fuzz;

/// <summary>Makes bytes that a decoder does not expect out of such that it does: flips, cuts, splices, lengths at their extremes. Pure.</summary>
internal static class Mutator
{
    /// <summary>What is added to a sample at most: inputs stay of the size that decoders meet.</summary>
    private const int MostAdded = 4096;

    private static readonly long[] Extremes =
    [
        0, 1, -1, 2, 0x7F, 0x80, 0xFF, 0x100, 0x7FFF, 0x8000, 0xFFFF, 0x10000, int.MaxValue, int.MinValue, int.MaxValue - 1L, uint.MaxValue, uint.MaxValue - 1L,
        0x1_0000_0000, long.MaxValue, long.MinValue, 100_000_000, 1 << 20, 1 << 24, 64,
    ];

    private static readonly string[] Texts =
    [
        "-1", "0", "1", "99999999999999999999", "2147483648", "-2147483649", "9223372036854775808", "1e400", "NaN", "Infinity", "null", "true", "{}", "[]", "\"\"", "\"", "\\u0000",
        "\\ud800", "../", "/", "\n", "\r\n", "\t", " ", ",", ":", "%s", "\uFEFF", "é", "\0", "&a [*a,*a]", "!!int", "<<: *x", "- ", "'", "#", "=", "[[[[[[[[", "{\"a\":{\"a\":{\"a\":",
    ];

    /// <param name="samples">At least one.</param>
    public static byte[] Make(IReadOnlyList<byte[]> samples, ref FuzzRandom random)
    {
        if (random.OneIn(64)) return Noise(1 + random.Below(512), ref random);
        var bytes = samples[random.Below(samples.Count)].ToArray();
        // Most cases differ in one place: what lies behind it is still reached.
        do bytes = Once(bytes, samples, ref random);
        while (random.OneIn(2) && bytes.Length > 0);
        return bytes;
    }

    private static byte[] Once(byte[] bytes, IReadOnlyList<byte[]> samples, ref FuzzRandom random)
    {
        if (bytes.Length == 0) return Noise(1 + random.Below(16), ref random);
        var at = random.Below(bytes.Length);
        switch (random.Below(14))
        {
            case 0 or 1:
                bytes[at] ^= (byte)(1 << random.Below(8));
                return bytes;
            case 2:
                bytes[at] = (byte)random.Next();
                return bytes;
            case 3:
                return bytes[..at];
            case 4:
                return [.. bytes, .. Noise(1 + random.Below(64), ref random)];
            case 5:
                var end = at + 1 + random.Below(Math.Min(bytes.Length - at, 64));
                return [.. bytes[..at], .. bytes[Math.Min(end, bytes.Length)..]];
            case 6:
                var piece = bytes.AsSpan(at, 1 + random.Below(Math.Min(bytes.Length - at, 256))).ToArray();
                return Insert(bytes, random.Below(bytes.Length), Repeated(piece, 1 + random.Below(4)));
            case 7:
                var other = samples[random.Below(samples.Count)];
                return [.. bytes[..at], .. other.AsSpan(random.Below(other.Length)).ToArray()];
            case 8 or 9 or 10:
                WriteExtreme(bytes, at, ref random);
                return bytes;
            case 11:
                return Insert(bytes, at, Encoding.UTF8.GetBytes(Texts[random.Below(Texts.Length)]));
            case 12:
                return ReplaceNumber(bytes, at, ref random);
            default:
                // A stretch of one value: zeros, ones, blanks.
                bytes.AsSpan(at, 1 + random.Below(Math.Min(bytes.Length - at, 32))).Fill((byte)(random.Below(4) switch { 0 => 0, 1 => 0xFF, 2 => 0x20, _ => (int)random.Next() & 0xFF }));
                return bytes;
        }
    }

    private static void WriteExtreme(byte[] bytes, int at, ref FuzzRandom random)
    {
        var value = random.OneIn(4) ? bytes.Length + random.Below(5) - 2 : Extremes[random.Below(Extremes.Length)];
        Span<byte> raw = stackalloc byte[8];
        var width = 1 << random.Below(4);
        if (random.OneIn(2)) BinaryPrimitives.WriteInt64LittleEndian(raw, value);
        else
        {
            BinaryPrimitives.WriteInt64BigEndian(raw, value);
            raw = raw[(8 - width)..];
        }
        width = Math.Min(width, bytes.Length - at);
        raw[..width].CopyTo(bytes.AsSpan(at));
    }

    /// <summary>The run of digits at or behind a place becomes another text.</summary>
    private static byte[] ReplaceNumber(byte[] bytes, int at, ref FuzzRandom random)
    {
        while (at < bytes.Length && !IsDigit(bytes[at])) at++;
        var end = at;
        while (end < bytes.Length && IsDigit(bytes[end])) end++;
        return [.. bytes[..at], .. Encoding.UTF8.GetBytes(Texts[random.Below(12)]), .. bytes[end..]];
    }

    private static bool IsDigit(byte b) => b is >= (byte)'0' and <= (byte)'9';

    private static byte[] Insert(byte[] bytes, int at, byte[] piece) => [.. bytes[..at], .. piece.AsSpan(0, Math.Min(piece.Length, MostAdded)).ToArray(), .. bytes[at..]];

    private static byte[] Repeated(byte[] piece, int times)
    {
        var all = new byte[piece.Length * times];
        for (var i = 0; i < times; i++) piece.CopyTo(all, i * piece.Length);
        return all;
    }

    private static byte[] Noise(int length, ref FuzzRandom random)
    {
        var noise = new byte[length];
        for (var i = 0; i < noise.Length; i++) noise[i] = (byte)random.Next();
        return noise;
    }
}
