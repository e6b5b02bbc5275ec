using System.Buffers.Binary;

namespace Cluster.Workers.Data.Images;

/// <summary>
/// How a camera was held: EXIF's tag 0x0112 (CIPA DC-008, 4.6.4). 1 = as stored, 2 to 4 = mirrored or turned round,
/// 5 to 8 = with rows and columns exchanged. "Raw" is as stored, "oriented" as a person sees it.
/// </summary>
internal static class Orientation
{
    public const int AsStored = 1;
    private const int Tag = 0x0112;

    /// <summary>Rows of the raw image are columns of the oriented one.</summary>
    public static bool Transposes(int orientation) => orientation >= 5;

    /// <summary>The oriented x runs against the raw axis that it comes from.</summary>
    public static bool MirrorsX(int orientation) => orientation is 2 or 3 or 6 or 7;

    /// <summary>The oriented y runs against the raw axis that it comes from.</summary>
    public static bool MirrorsY(int orientation) => orientation is 3 or 4 or 7 or 8;

    /// <summary>What a JPEG says; 1 where it says nothing, or nonsense.</summary>
    public static int Of(ReadOnlySpan<byte> jpeg)
    {
        // Markers up to the first scan: 0xFF, kind, big-endian length that counts itself.
        for (var at = 2; at + 4 <= jpeg.Length && jpeg[at] == 0xFF;)
        {
            var kind = jpeg[at + 1];
            if (kind == 0xFF)
            {
                at++;
                continue;
            }
            if (kind is 0xDA or 0xD9) break;
            if (kind is 0x01 or (>= 0xD0 and <= 0xD8))
            {
                at += 2;
                continue;
            }
            var length = BinaryPrimitives.ReadUInt16BigEndian(jpeg[(at + 2)..]);
            if (length < 2 || at + 2 + length > jpeg.Length) break;
            var content = jpeg.Slice(at + 4, length - 2);
            if (kind == 0xE1 && content.StartsWith("Exif\0\0"u8)) return OfTiff(content[6..]);
            at += 2 + length;
        }
        return AsStored;
    }

    /// <summary>The raw rectangle that becomes this oriented one.</summary>
    /// <param name="width">Of the raw image.</param>
    /// <param name="height">Of the raw image.</param>
    public static PixelBox ToRaw(PixelBox box, int width, int height, int orientation)
    {
        var (alongX, alongY) = Transposes(orientation) ? (height, width) : (width, height);
        var u = MirrorsX(orientation) ? alongX - box.X - box.Width : box.X;
        var v = MirrorsY(orientation) ? alongY - box.Y - box.Height : box.Y;
        return Transposes(orientation) ? new PixelBox(v, u, box.Height, box.Width) : new PixelBox(u, v, box.Width, box.Height);
    }

    /// <summary>Turns pixels of four bytes.</summary>
    /// <param name="raw">[height, width], rows <paramref name="rawPitch"/> pixels apart.</param>
    /// <param name="oriented">[height, width] or [width, height], rows as long as the oriented image is wide.</param>
    public static unsafe void Apply(uint* raw, int rawPitch, int width, int height, uint* oriented, int orientation)
    {
        var transposed = Transposes(orientation);
        var (rows, columns) = transposed ? (width, height) : (height, width);
        var (mirrorX, mirrorY) = (MirrorsX(orientation), MirrorsY(orientation));
        for (var v = 0; v < rows; v++)
        {
            var across = mirrorY ? rows - 1 - v : v;
            // One step to the right in the oriented image is one step of so many pixels in the raw one.
            var step = (transposed ? rawPitch : 1) * (mirrorX ? -1 : 1);
            var first = mirrorX ? columns - 1 : 0;
            var source = transposed ? raw + (nint)first * rawPitch + across : raw + (nint)across * rawPitch + first;
            var target = oriented + (nint)v * columns;
            for (var u = 0; u < columns; u++, source += step) target[u] = *source;
        }
    }

    private static int OfTiff(ReadOnlySpan<byte> tiff)
    {
        if (tiff.Length < 8) return AsStored;
        var little = tiff.StartsWith("II"u8);
        if (!little && !tiff.StartsWith("MM"u8)) return AsStored;
        var directory = little ? BinaryPrimitives.ReadUInt32LittleEndian(tiff[4..]) : BinaryPrimitives.ReadUInt32BigEndian(tiff[4..]);
        if (directory > (uint)tiff.Length - 2) return AsStored;
        var entries = Short(tiff, (int)directory, little);
        for (var i = 0; i < entries; i++)
        {
            // Tag, type (3 = short), count, value: 2, 2, 4 and 4 bytes.
            var at = (int)directory + 2 + 12 * i;
            if (at + 12 > tiff.Length) break;
            if (Short(tiff, at, little) != Tag) continue;
            var value = Short(tiff, at + 2, little) == 3 ? Short(tiff, at + 8, little) : 0;
            return value is >= 1 and <= 8 ? value : AsStored;
        }
        return AsStored;
    }

    private static int Short(ReadOnlySpan<byte> bytes, int at, bool little) =>
        little ? BinaryPrimitives.ReadUInt16LittleEndian(bytes[at..]) : BinaryPrimitives.ReadUInt16BigEndian(bytes[at..]);
}
