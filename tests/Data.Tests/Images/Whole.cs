using Cluster.Workers.Data.Images;
using Cluster.Workers.Data.Images.Native;

namespace Cluster.Data.Tests.Images;

/// <summary>Images, or regions of them, as the decoder delivers them.</summary>
internal static unsafe class Whole
{
    /// <summary>[height, width, 4].</summary>
    public static (byte[] Pixels, int Width, int Height) Decode(byte[] encoded, int divisor = 1, PixelBox? region = null)
    {
        using var decoder = new ImageDecoder();
        fixed (byte* data = encoded)
        {
            var header = decoder.Open(data, encoded.Length);
            var box = region ?? new PixelBox(0, 0, (header.Width + divisor - 1) / divisor, (header.Height + divisor - 1) / divisor);
            var rows = decoder.Start(divisor, box);
            var lines = new byte[rows.Width * 4 * box.Height];
            var pixels = new byte[box.Width * box.Height * 4];
            fixed (byte* target = lines)
                for (var row = 0; row < box.Height; row += 7) decoder.Read(target + row * rows.Width * 4, rows.Width * 4, Math.Min(7, box.Height - row));
            for (var row = 0; row < box.Height; row++) lines.AsSpan((row * rows.Width + rows.Skip) * 4, box.Width * 4).CopyTo(pixels.AsSpan(row * box.Width * 4));
            decoder.Finish();
            return (pixels, box.Width, box.Height);
        }
    }
}
