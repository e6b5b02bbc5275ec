using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Cluster.Contracts;

namespace Cluster.Workers.Data.Images.Native;

/// <summary>
/// Rows of a region of a JPEG or PNG: <see cref="Open"/>, <see cref="Start"/>, <see cref="Read"/> until the region ends,
/// <see cref="Finish"/>; at any point it may be opened again. One thread at a time; allocates nothing managed.
/// </summary>
/// <remarks>Every method throws a <see cref="BadImageException"/> with what libjpeg or libpng says.</remarks>
internal sealed unsafe class ImageDecoder : IDisposable
{
    private readonly Handle _handle;

    /// <exception cref="UserMistakeException">The native half, or a library that it needs, is missing.</exception>
    public ImageDecoder()
    {
        var limits = new DecoderLimits { Pixels = Limits.MaxImagePixels, Side = Limits.MaxImageSide, Scans = Limits.MaxImageScans };
        _handle = new Handle(NativeImage.Create(&limits));
        if (_handle.IsInvalid) throw new ClusterException("no memory for an image decoder");
    }

    /// <summary>Reads the header. The format is told by the content, whatever the file is called.</summary>
    /// <param name="data">Stays where it is until the image is finished.</param>
    public ImageHeader Open(byte* data, int length)
    {
        ImageHeader header;
        Check(NativeImage.Open(_handle.Value, data, (nuint)length, &header));
        return header;
    }

    /// <param name="divisor">The image is decoded so many times smaller: 1, 2, 4 or 8 for a JPEG, 1 for a PNG.</param>
    /// <param name="region">In pixels of the smaller image, whose sides are rounded up.</param>
    public DecodedRows Start(int divisor, PixelBox region)
    {
        DecodedRows rows;
        Check(NativeImage.Start(_handle.Value, divisor, region.X, region.Y, region.Width, region.Height, &rows));
        return rows;
    }

    /// <summary>The next rows of the region: four bytes to a pixel, red, green, blue and one without meaning.</summary>
    /// <param name="destination">[count] rows of <see cref="DecodedRows.Width"/> pixels, <paramref name="pitch"/> bytes apart.</param>
    public void Read(byte* destination, int pitch, int count) => Check(NativeImage.Read(_handle.Value, destination, (nuint)pitch, count));

    /// <summary>Says whether the file was whole, also where the region did not reach its end.</summary>
    public void Finish() => Check(NativeImage.Finish(_handle.Value));

    public void Dispose() => _handle.Dispose();

    private void Check(int result)
    {
        if (result != 0) Fail();
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void Fail() => throw new BadImageException(Marshal.PtrToStringUTF8((nint)NativeImage.Error(_handle.Value)) is { Length: > 0 } text ? text : "it cannot be decoded");

    private sealed class Handle : SafeHandle
    {
        public Handle(nint value) : base(0, ownsHandle: true) => SetHandle(value);

        public override bool IsInvalid => handle == 0;

        /// <summary>Only its decoder holds it, and that serves one thread at a time: no reference is counted per call.</summary>
        public nint Value => IsClosed ? throw new ObjectDisposedException(nameof(ImageDecoder)) : handle;

        protected override bool ReleaseHandle()
        {
            NativeImage.Destroy(handle);
            return true;
        }
    }
}

/// <summary>Encoded bytes that are no image, or a damaged one.</summary>
public sealed class BadImageException : ClusterException
{
    public BadImageException(string message) : base(message) { }
    public BadImageException(string message, Exception inner) : base(message, inner) { }
    public BadImageException() { }
}
