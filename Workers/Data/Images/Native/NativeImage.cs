using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Cluster.Contracts;

[assembly: DisableRuntimeMarshalling]

namespace Cluster.Workers.Data.Images.Native;

/// <summary>The functions of native/cluster_image.h, and where they are found.</summary>
internal static unsafe partial class NativeImage
{
    public const string Library = "cluster_image";

    public const string Advice = "apt-get install libjpeg62-turbo libpng16-16 (as root; Ubuntu: libjpeg-turbo8)";

#pragma warning disable CA2255 // The resolver must be there before the first native call, whichever that is.
    [ModuleInitializer]
#pragma warning restore CA2255
    internal static void Install() => NativeLibrary.SetDllImportResolver(typeof(NativeImage).Assembly, Resolve);

    /// <summary>Beside the application, by absolute path: never whatever the system's search path holds.</summary>
    private static nint Resolve(string name, Assembly assembly, DllImportSearchPath? searchPath) => name == Library ? Load(AppContext.BaseDirectory) : 0;

    /// <exception cref="UserMistakeException">The file is missing, or a library that it needs is.</exception>
    internal static nint Load(string directory)
    {
        var path = Path.Combine(directory, "libcluster_image.so");
        if (!File.Exists(path)) throw new UserMistakeException($"{path} is missing, so images cannot be decoded: build again");
        try
        {
            return NativeLibrary.Load(path);
        }
        catch (DllNotFoundException inner)
        {
            // The loader's message is a page of hints with one line per attempt: the line that names a file is the reason.
            var lines = inner.Message.Split('\n');
            var reason = Array.Find(lines, static line => line.Contains(".so", StringComparison.Ordinal) && !line.StartsWith("Unable to load", StringComparison.Ordinal)) ?? lines[0];
            throw new UserMistakeException($"images cannot be decoded, {path} could not be loaded ({reason.Trim()}): {Advice}", inner);
        }
    }

    [LibraryImport(Library, EntryPoint = "cluster_image_create")]
    public static partial nint Create(DecoderLimits* limits);

    [LibraryImport(Library, EntryPoint = "cluster_image_destroy")]
    public static partial void Destroy(nint decoder);

    [LibraryImport(Library, EntryPoint = "cluster_image_open")]
    public static partial int Open(nint decoder, byte* data, nuint length, ImageHeader* header);

    [LibraryImport(Library, EntryPoint = "cluster_image_start")]
    public static partial int Start(nint decoder, int divisor, int x, int y, int width, int height, DecodedRows* rows);

    [LibraryImport(Library, EntryPoint = "cluster_image_read")]
    public static partial int Read(nint decoder, byte* destination, nuint pitch, int count);

    [LibraryImport(Library, EntryPoint = "cluster_image_finish")]
    public static partial int Finish(nint decoder);

    [LibraryImport(Library, EntryPoint = "cluster_image_error")]
    public static partial byte* Error(nint decoder);
}

[StructLayout(LayoutKind.Sequential)]
internal struct DecoderLimits
{
    public long Pixels;
    public int Side, Scans;
}

/// <summary>What an image says of itself.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct ImageHeader
{
    public ImageFormat Format;

    /// <summary>As stored, before its orientation is applied.</summary>
    public int Width, Height;

    /// <summary>As stored: 1, 3 or 4 of a JPEG, 1 to 4 of a PNG.</summary>
    public int Channels;

    /// <summary>Not 0 = progressive or interlaced.</summary>
    public int Progressive;
}

internal enum ImageFormat
{
    None = 0,
    Jpeg = 1,
    Png = 2,
}

/// <summary>The rows that a decoder delivers: they may begin left of the region that was asked for.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct DecodedRows
{
    /// <summary>Pixels of a row.</summary>
    public int Width;

    /// <summary>Pixels of a row left of the region.</summary>
    public int Skip;
}
