using Cluster.Workers.Data.Images;
using Cluster.Workers.Data.Images.Native;

namespace Cluster.Workers.Data.Shards;

/// <summary>
/// Gives images whose short side is longer that short side, upright and as JPEGs; others stay as they are. Bilinear with the
/// support stretched by the scale, as torchvision's Resize on Pillow's images. One thread.
/// </summary>
/// <param name="shortSide">In pixels.</param>
/// <param name="quality">libjpeg's, 1 to 100.</param>
internal sealed unsafe class Shrink(int shortSide, int quality) : IPackTransform
{
    private const int Strip = 16;

    /// <summary>As evaluation has it: what is packed is looked at many times.</summary>
    private const double LeastReduction = 4;

    private readonly ImageDecoder _decoder = new();
    private readonly AxisFilter _across = new(), _down = new();
    private readonly Scratch _strip = new(), _turned = new(), _rows = new(), _result = new();

    public string? Apply(ref byte[] image, ref int length)
    {
        try
        {
            var made = 0;
            byte[] to = [];
            fixed (byte* data = image)
            {
                var header = _decoder.Open(data, length);
                var orientation = header.Format == ImageFormat.Jpeg ? Orientation.Of(image.AsSpan(0, length)) : Orientation.AsStored;
                if (Math.Min(header.Width, header.Height) <= shortSide) return null;
                var (width, height) = Resize(header, orientation);
                made = NativeEncoder.Encode(_result.Of(0), width, height, Resampler.PitchOf(width), quality, ref to);
            }
            (image, length) = (image.Length >= made ? Copied(to, made, image) : to, made);
            return null;
        }
        catch (BadImageException e)
        {
            return $"cannot be decoded: {e.Message}";
        }
    }

    public void Dispose()
    {
        _decoder.Dispose();
        _strip.Dispose();
        _turned.Dispose();
        _rows.Dispose();
        _result.Dispose();
    }

    /// <summary>The sides that an image of these gets: the short one exactly, the long one cut to whole pixels as torchvision does.</summary>
    internal static (int Width, int Height) SizeOf(int width, int height, int shortSide) => width <= height
        ? (shortSide, (int)((long)shortSide * height / width))
        : ((int)((long)shortSide * width / height), shortSide);

    /// <summary>Keeps the larger of two buffers: the next image is large again.</summary>
    private static byte[] Copied(byte[] from, int count, byte[] to)
    {
        from.AsSpan(0, count).CopyTo(to);
        return to;
    }

    private (int Width, int Height) Resize(ImageHeader header, int orientation)
    {
        var transposed = Orientation.Transposes(orientation);
        var (width, height) = transposed ? (header.Height, header.Width) : (header.Width, header.Height);
        var size = SizeOf(width, height, shortSide);
        var divisor = header.Format == ImageFormat.Jpeg ? DivisorOf(Math.Min(width, height)) : 1;
        Set(_across, width, divisor, Orientation.MirrorsX(orientation), size.Width);
        Set(_down, height, divisor, Orientation.MirrorsY(orientation), size.Height);

        var (rawWidth, rawHeight) = (Smaller(header.Width, divisor), Smaller(header.Height, divisor));
        var rows = _decoder.Start(divisor, new PixelBox(0, 0, rawWidth, rawHeight));
        var pitch = Resampler.PitchOf(size.Width);
        var resized = _rows.Of((nint)Math.Max(rawHeight, rawWidth) * pitch);
        if (orientation == Orientation.AsStored)
        {
            var strip = _strip.Of((nint)rows.Width * 4 * Strip);
            for (var row = 0; row < rawHeight; row += Strip)
            {
                var count = Math.Min(Strip, rawHeight - row);
                _decoder.Read(strip, rows.Width * 4, count);
                Resampler.Rows(_across, strip + 4 * ((nint)rows.Skip + _across.Low), rows.Width * 4, count, resized + (nint)row * pitch);
            }
        }
        else
        {
            var whole = _strip.Of((nint)rows.Width * 4 * rawHeight);
            for (var row = 0; row < rawHeight; row += Strip) _decoder.Read(whole + (nint)row * rows.Width * 4, rows.Width * 4, Math.Min(Strip, rawHeight - row));
            var turned = _turned.Of((nint)rawWidth * rawHeight * 4);
            Orientation.Apply((uint*)whole + rows.Skip, rows.Width, rawWidth, rawHeight, (uint*)turned, orientation);
            var (turnedWidth, turnedHeight) = transposed ? (rawHeight, rawWidth) : (rawWidth, rawHeight);
            Resampler.Rows(_across, turned + 4 * (nint)_across.Low, turnedWidth * 4, turnedHeight, resized);
        }
        _decoder.Finish();

        var result = _result.Of((nint)size.Height * pitch);
        for (var row = 0; row < size.Height; row++) Resampler.Column(_down, row, resized + (nint)_down.Low * pitch, pitch, result + (nint)row * pitch);
        return size;
    }

    private int DivisorOf(int side)
    {
        for (var divisor = 8; divisor > 1; divisor /= 2)
            if (side >= LeastReduction * divisor * shortSide) return divisor;
        return 1;
    }

    private static void Set(AxisFilter filter, int whole, int divisor, bool isMirrored, int total)
    {
        var frame = Smaller(whole, divisor);
        // What is rounded up lies at the raw image's end, which is the oriented one's beginning where the axis is mirrored.
        filter.Set(isMirrored ? frame - (double)whole / divisor : 0, (double)whole / divisor, frame, total, 0, total);
    }

    private static int Smaller(int length, int divisor) => (length + divisor - 1) / divisor;
}
