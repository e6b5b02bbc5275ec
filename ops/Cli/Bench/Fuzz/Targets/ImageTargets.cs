using System.Buffers.Binary;
using System.IO.Compression;
using Cluster.Contracts;
using Cluster.Workers.Data;
using Cluster.Workers.Data.Folders;
using Cluster.Workers.Data.Images;
using Cluster.Workers.Data.Images.Native;
using Cluster.Workers.Data.Png;
using ImageHeader = Cluster.Workers.Data.Folders.ImageHeader;

namespace Cluster.Cli.Bench.Fuzz.Targets;

/// <summary>Images: their headers, and their pixels through the half in C. A fault there ends the process: the file in the temporary folder names the case.</summary>
internal static class ImageTargets
{
    private const int Side = 32;

    public static IReadOnlyList<FuzzTarget> All { get; } =
    [
        new("image.header", Images, static folder => FuzzDecoder.OfFile(folder, "image", static path =>
        {
            using var file = File.OpenHandle(path);
            return ImageHeader.IsSound(ImageHeader.Read(file, RandomAccess.GetLength(file), new byte[ImageHeader.WindowBytes]).Kind);
        })) { Seal = Seals.Png, Cost = 2 },
        new("image.orientation", static () => [Jpeg(16, 8, 6)], static _ => new FuzzDecoder(static bytes => Orientation.Of(bytes) is >= 1 and <= 8 ? true : throw new InvalidOperationException("an orientation that there is not"))),
        Decoding("image.jpeg", static () => [Jpeg(48, 40, 1), Jpeg(40, 64, 6), Jpeg(8, 8, 3), Jpeg(400, 300, 1)]),
        Decoding("image.png", static () => [PngOf(48, 40), PngOf(33, 65), PngOf(1, 1)]) with { Seal = Seals.Png },
        new("png.rows", static () => [PngOf(16, 4)], static _ => new FuzzDecoder(Rows)) { Seal = Seals.Png, Cost = 4, IsTyped = static e => e is PngFormatException },
    ];

    private static IReadOnlyList<byte[]> Images() => [Jpeg(48, 40, 1), Jpeg(40, 64, 6), PngOf(48, 40)];

    private static FuzzTarget Decoding(string name, Func<IReadOnlyList<byte[]>> samples) => new(name, samples, static _ =>
    {
        var recipe = new ImageRecipe(new AugmentationOptions { Mean = [0, 0, 0], Std = [1, 1, 1], Flip = true }, new ImageShape(3, Side, Side), 36, [0, 0, 0], [1, 1, 1], seed: 7);
        var reader = new ImageReader(recipe);
        var planes = new float[3 * Side * Side];
        var sample = 0;
        return new FuzzDecoder(bytes =>
        {
            // Both transforms, and after a mistake the reader must still read the next image.
            if ((sample++ & 1) == 0) reader.ReadEvaluation(bytes, planes);
            else reader.ReadTraining(bytes, 0, sample, planes);
            foreach (var value in planes)
                if (!(value is >= 0 and <= 1)) throw new InvalidOperationException($"a pixel of {value}");
            return true;
        }, reader.Dispose);
    })
    { Cost = 12 };

    /// <summary>A gradient of colours, with an EXIF orientation in front where it is not 1.</summary>
    public static unsafe byte[] Jpeg(int width, int height, int orientation)
    {
        var pixels = new byte[width * height * 4];
        for (var i = 0; i < pixels.Length; i++) pixels[i] = (byte)(i * 7 / 4 + i % 4 * 40);
        var buffer = Array.Empty<byte>();
        int length;
        fixed (byte* start = pixels) length = NativeEncoder.Encode(start, width, height, width * 4, 85, ref buffer);
        var jpeg = buffer[..length];
        if (orientation == 1) return jpeg;
        byte[] exif = [0xFF, 0xE1, 0, 34, .. "Exif\0\0"u8, .. "II*\0"u8, 8, 0, 0, 0, 1, 0, 0x12, 0x01, 3, 0, 1, 0, 0, 0, (byte)orientation, 0, 0, 0, 0, 0, 0, 0];
        return [.. jpeg[..2], .. exif, .. jpeg[2..]];
    }

    /// <summary>Black, eight bits, three channels; no filter.</summary>
    public static byte[] PngOf(int width, int height)
    {
        var header = new byte[13];
        BinaryPrimitives.WriteInt32BigEndian(header, width);
        BinaryPrimitives.WriteInt32BigEndian(header.AsSpan(4), height);
        (header[8], header[9]) = (8, 2);
        using var packed = new MemoryStream();
        using (var zlib = new ZLibStream(packed, CompressionLevel.Fastest, leaveOpen: true)) zlib.Write(new byte[height * (1 + width * 3)]);
        return Seals.Png([0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A, .. Chunk("IHDR"u8, header), .. Chunk("IDAT"u8, packed.ToArray()), .. Chunk("IEND"u8, [])]);

        static byte[] Chunk(ReadOnlySpan<byte> type, ReadOnlySpan<byte> content)
        {
            var bytes = new byte[12 + content.Length];
            BinaryPrimitives.WriteInt32BigEndian(bytes, content.Length);
            type.CopyTo(bytes.AsSpan(4));
            content.CopyTo(bytes.AsSpan(8));
            return bytes;
        }
    }

    private static bool Rows(byte[] bytes)
    {
        try
        {
            using var png = new PngReader(new MemoryStream(bytes));
            if ((long)png.Width * png.Height > 1 << 20) return false;
            var row = new byte[png.Width * png.Channels];
            for (var i = 0; i < png.Height; i++) png.ReadRow(row);
            png.ReadEnd();
            return true;
        }
        catch (Exception e) when (e is InvalidDataException or EndOfStreamException)
        {
            // As whoever reads the package catches them.
            return false;
        }
    }
}
