using Cluster.Contracts;
using Cluster.Workers.Data.Images;
using Cluster.Workers.Data.Images.Native;

namespace Cluster.Workers.Data.Folders;

/// <summary>
/// Decodes an image from its first row to its last, which reading a sample need not: it takes the part that is shown. One
/// thread; its buffers are used again.
/// </summary>
internal sealed unsafe class WholeImage : IDisposable
{
    private const int Strip = 16;

    /// <summary>A JPEG is made eight times smaller: every coefficient is read all the same, and the check is several times faster.</summary>
    private const int Divisor = 8;

    private readonly ImageDecoder _decoder = new();
    private byte[] _rows = [];
    private byte[] _encoded = [];

    /// <exception cref="UnreadableSampleException">The sample is damaged, gone or changed.</exception>
    /// <exception cref="ClusterException">The medium failed.</exception>
    public void Decode(IEncodedImages images, int sample)
    {
        var length = images.Read(sample, ref _encoded);
        try
        {
            fixed (byte* data = _encoded) Decode(data, length);
        }
        catch (BadImageException e)
        {
            throw new UnreadableSampleException(sample, $"{images.PlaceOf(sample)}: {e.Message}", e);
        }
    }

    private void Decode(byte* data, int length)
    {
        var header = _decoder.Open(data, length);
        var divisor = header.Format == ImageFormat.Jpeg ? Divisor : 1;
        var (width, height) = ((header.Width + divisor - 1) / divisor, (header.Height + divisor - 1) / divisor);
        var rows = _decoder.Start(divisor, new PixelBox(0, 0, width, height));
        var pitch = rows.Width * 4;
        if (_rows.Length < pitch * Strip) _rows = new byte[pitch * Strip];
        fixed (byte* strip = _rows)
        {
            for (var row = 0; row < height; row += Strip) _decoder.Read(strip, pitch, Math.Min(Strip, height - row));
        }
        _decoder.Finish();
    }

    public void Dispose() => _decoder.Dispose();
}
