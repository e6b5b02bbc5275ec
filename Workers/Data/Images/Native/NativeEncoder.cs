using System.Runtime.InteropServices;

namespace Cluster.Workers.Data.Images.Native;

/// <summary>JPEGs of pixels: the encoding functions of native/cluster_image.h.</summary>
internal static unsafe partial class NativeEncoder
{
    /// <summary>Makes a JPEG and copies it to <paramref name="buffer"/>, which grows when it must.</summary>
    /// <param name="pixels">[height] rows of four bytes a pixel, <paramref name="pitch"/> bytes apart.</param>
    /// <returns>Bytes of the JPEG.</returns>
    /// <exception cref="BadImageException">libjpeg refuses; its own bound is 65,500 pixels a side.</exception>
    public static int Encode(byte* pixels, int width, int height, int pitch, int quality, ref byte[] buffer)
    {
        byte* encoded;
        nuint length;
        if (Encode(pixels, width, height, (nuint)pitch, quality, &encoded, &length) != 0) throw new BadImageException($"cannot be encoded as a JPEG of {width} x {height} pixels");
        try
        {
            if ((nuint)buffer.Length < length) buffer = new byte[length];
            new ReadOnlySpan<byte>(encoded, (int)length).CopyTo(buffer);
            return (int)length;
        }
        finally
        {
            Free(encoded);
        }
    }

    [LibraryImport(NativeImage.Library, EntryPoint = "cluster_image_encode")]
    private static partial int Encode(byte* pixels, int width, int height, nuint pitch, int quality, byte** encoded, nuint* length);

    [LibraryImport(NativeImage.Library, EntryPoint = "cluster_image_free")]
    private static partial void Free(byte* encoded);
}
