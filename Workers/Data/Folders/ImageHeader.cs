using System.Buffers.Binary;
using Cluster.Contracts;
using Microsoft.Win32.SafeHandles;

namespace Cluster.Workers.Data.Folders;

/// <summary>What a file's first bytes say that it is. Stored in the index: numbers stay.</summary>
internal enum ImageKind : byte
{
    Jpeg = 0,
    Png = 1,

    // From here on the file is no image that can be decoded.
    Gone = 16,
    Denied = 17,
    NoFile = 18,
    Empty = 19,
    NoImage = 20,
    OtherFormat = 21,
    CutShort = 22,
    TooLarge = 23,
    TooManyBytes = 24,
    Damaged = 25,
    ReadFailed = 26,
}

/// <summary>Size and format of an image file, from its content whatever its name says, without decoding it.</summary>
internal readonly record struct ImageHeader(ImageKind Kind, int Width, int Height)
{
    /// <summary>Segments in front of a JPEG's frame: a camera writes ten, colour profiles in parts a hundred.</summary>
    private const int MostSegments = 1_000;

    /// <summary>Bytes that the first read asks for: where most frames begin.</summary>
    public const int WindowBytes = 4096;

    public static bool IsSound(ImageKind kind) => kind < ImageKind.Gone;

    /// <param name="bytes">The file's length.</param>
    /// <param name="window">At least <see cref="WindowBytes"/>; scratch.</param>
    /// <exception cref="IOException">The medium failed.</exception>
    public static ImageHeader Read(SafeFileHandle file, long bytes, Span<byte> window)
    {
        if (bytes == 0) return new(ImageKind.Empty, 0, 0);
        if (bytes > Limits.MaxEncodedImageBytes) return new(ImageKind.TooManyBytes, 0, 0);
        var filled = ReadAt(file, window[..WindowBytes], 0);
        var head = window[..filled];
        if (head.StartsWith((ReadOnlySpan<byte>)[0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A])) return Png(head);
        if (head.StartsWith((ReadOnlySpan<byte>)[0xFF, 0xD8, 0xFF])) return Jpeg(file, bytes, window, filled);
        if (head.Length < 8 && (((ReadOnlySpan<byte>)[0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A]).StartsWith(head) || ((ReadOnlySpan<byte>)[0xFF, 0xD8]).StartsWith(head))) return new(ImageKind.CutShort, 0, 0);
        return new(NameOf(head) is null ? ImageKind.NoImage : ImageKind.OtherFormat, 0, 0);
    }

    /// <summary>A format that is known by its first bytes and not decoded here; null = none.</summary>
    public static string? NameOf(ReadOnlySpan<byte> head) =>
        head.StartsWith("GIF8"u8) ? "GIF"
        : head.StartsWith("BM"u8) ? "BMP"
        : head.Length >= 12 && head.StartsWith("RIFF"u8) && head[8..].StartsWith("WEBP"u8) ? "WebP"
        : head.StartsWith("II*\0"u8) || head.StartsWith("MM\0*"u8) ? "TIFF"
        : head.Length >= 3 && head[0] == 'P' && head[1] is >= (byte)'1' and <= (byte)'6' && head[2] is (byte)'\n' or (byte)' ' ? "PNM"
        : head.Length >= 12 && head[4..].StartsWith("ftyp"u8) ? "HEIC or AVIF"
        : head.StartsWith((ReadOnlySpan<byte>)[0, 0, 0, 0x0C, 0x6A, 0x50]) ? "JPEG 2000"
        : null;

    private static ImageHeader Png(ReadOnlySpan<byte> head)
    {
        if (head.Length < 24) return new(ImageKind.CutShort, 0, 0);
        if (!head[12..16].SequenceEqual("IHDR"u8)) return new(ImageKind.Damaged, 0, 0);
        return Sized(ImageKind.Png, BinaryPrimitives.ReadUInt32BigEndian(head[16..]), BinaryPrimitives.ReadUInt32BigEndian(head[20..]));
    }

    /// <summary>From segment to segment to the frame's header (ITU-T T.81, B.1 and B.2.2).</summary>
    private static ImageHeader Jpeg(SafeFileHandle file, long bytes, Span<byte> window, int filled)
    {
        const int FrameBytes = 9;       // marker, length, precision, height, width
        long at = 2, windowAt = 0;
        for (var segment = 0; segment < MostSegments; segment++)
        {
            if (at + FrameBytes > windowAt + filled)
            {
                if (at + FrameBytes > bytes) return new(ImageKind.CutShort, 0, 0);
                // What a frame's header needs and the segments around it; profiles are jumped over.
                filled = ReadAt(file, window[..Math.Min(WindowBytes, 512)], at);
                windowAt = at;
                if (filled < FrameBytes) return new(ImageKind.CutShort, 0, 0);
            }
            var head = window[(int)(at - windowAt)..filled];
            if (head[0] != 0xFF) return new(ImageKind.Damaged, 0, 0);
            var marker = head[1];
            if (marker == 0xFF) at++;                                                       // fill bytes (B.1.1.2)
            else if (marker is 0x01 or (>= 0xD0 and <= 0xD7)) at += 2;                      // stand alone
            else if (marker is 0xD8 or 0xD9 or 0xDA or 0x00) return new(ImageKind.Damaged, 0, 0);      // pixels, or the end, before a frame
            else if (marker is >= 0xC0 and <= 0xCF and not (0xC4 or 0xC8 or 0xCC))
            {
                var (height, width) = (BinaryPrimitives.ReadUInt16BigEndian(head[5..]), BinaryPrimitives.ReadUInt16BigEndian(head[7..]));
                return Sized(ImageKind.Jpeg, width, height);
            }
            else
            {
                var length = BinaryPrimitives.ReadUInt16BigEndian(head[2..]);
                if (length < 2) return new(ImageKind.Damaged, 0, 0);
                at += 2 + length;
            }
        }
        return new(ImageKind.Damaged, 0, 0);
    }

    private static ImageHeader Sized(ImageKind kind, uint width, uint height)
    {
        if (width == 0 || height == 0 || width > int.MaxValue || height > int.MaxValue) return new(ImageKind.Damaged, 0, 0);
        var fits = width <= Limits.MaxImageSide && height <= Limits.MaxImageSide && (long)width * height <= Limits.MaxImagePixels;
        return new(fits ? kind : ImageKind.TooLarge, (int)width, (int)height);
    }

    private static int ReadAt(SafeFileHandle file, Span<byte> destination, long offset)
    {
        var filled = 0;
        while (filled < destination.Length)
        {
            var read = RandomAccess.Read(file, destination[filled..], offset + filled);
            if (read == 0) break;
            filled += read;
        }
        return filled;
    }

    /// <summary>What is wrong with the file, without its path; null when nothing is.</summary>
    public string? Fault() => Kind switch
    {
        ImageKind.Jpeg or ImageKind.Png => null,
        ImageKind.Gone => "is not there",
        ImageKind.Denied => "may not be read by this user",
        ImageKind.NoFile => "is no regular file",
        ImageKind.Empty => "is empty",
        ImageKind.NoImage => "is no image",
        ImageKind.OtherFormat => "is neither JPEG nor PNG, and no other format is decoded",
        ImageKind.CutShort => "is cut short inside its header",
        ImageKind.TooLarge => $"has {Width:N0}x{Height:N0} pixels: more than {Limits.MaxImageSide:N0} on a side or {Limits.MaxImagePixels / 1_000_000} million in all are not decoded",
        ImageKind.TooManyBytes => $"has more than {Limits.MaxEncodedImageBytes >> 20} MiB",
        ImageKind.ReadFailed => "could not be read from the disk",
        _ => "has a damaged header",
    };
}
