using System.Globalization;
using System.Runtime.InteropServices;

namespace Cluster.Cli.Bench.Listing;

/// <summary>
/// A folder of classes with very many images, each a hard link to one of a few small files: what costs is the number of
/// names, and a disk has no room for a million copies. Disposing it removes everything.
/// </summary>
internal sealed partial class GeneratedImages : IDisposable
{
    /// <summary>As ImageNet has, in the mean.</summary>
    public const int PerClass = 1_281;

    /// <summary>ext4 allows 65,000 names of one file.</summary>
    private const int LinksOfOneFile = 60_000;

    private const int ImageBytes = 1_024;

    /// <summary>A JPEG as far as its header goes, as a camera writes it: JFIF, two tables, a frame of 500x375 pixels.</summary>
    private static readonly byte[] Image = MakeImage();

    private GeneratedImages(string root) => Root = root;

    public string Root { get; }

    /// <summary>What <see cref="Create"/> has made, and where an index may be kept.</summary>
    public string Cache => Path.Combine(Path.GetDirectoryName(Root)!, "cache");

    /// <exception cref="OperationCanceledException">Everything is removed again.</exception>
    /// <exception cref="BenchmarkException">The disk is full, or does not allow links.</exception>
    public static GeneratedImages Create(int files, CancellationToken stop)
    {
        var images = new GeneratedImages(Path.Combine(Directory.CreateTempSubdirectory("cluster-listing-").FullName, "set"));
        try
        {
            images.Fill(files, stop);
            return images;
        }
        catch (Exception e)
        {
            images.Dispose();
            if (e is IOException) throw new BenchmarkException($"{files:N0} files could not be made in {Path.GetTempPath()}: {e.Message}", e);
            throw;
        }
    }

    private void Fill(int files, CancellationToken stop)
    {
        var originals = Directory.CreateDirectory(Path.Combine(Path.GetDirectoryName(Root)!, "originals")).FullName;
        var original = "";
        for (var made = 0; made < files;)
        {
            var label = made / PerClass;
            var name = string.Create(CultureInfo.InvariantCulture, $"n{1_440_764 + 977 * label:00000000}");
            var folder = Directory.CreateDirectory(Path.Combine(Root, "train", name)).FullName;
            for (var image = 0; image < PerClass && made < files; image++, made++)
            {
                if (made % LinksOfOneFile == 0) File.WriteAllBytes(original = Path.Combine(originals, $"{made / LinksOfOneFile}.jpg"), Image);
                var path = string.Create(CultureInfo.InvariantCulture, $"{folder}/{name}_{image * 37 % PerClass}.JPEG");
                if (Link(original, path) != 0) throw new IOException($"{path}: {Marshal.GetLastPInvokeErrorMessage()}");
            }
            stop.ThrowIfCancellationRequested();
        }
    }

    public void Dispose() => Directory.Delete(Path.GetDirectoryName(Root)!, recursive: true);

    private static byte[] MakeImage()
    {
        byte[] head =
        [
            0xFF, 0xD8, 0xFF, 0xE0, 0, 16, (byte)'J', (byte)'F', (byte)'I', (byte)'F', 0, 1, 1, 0, 0, 1, 0, 1, 0, 0,
            0xFF, 0xDB, 0, 67, .. new byte[65], 0xFF, 0xDB, 0, 67, .. new byte[65],
            0xFF, 0xC0, 0, 17, 8, 1, 0x77, 1, 0xF4, 3, 1, 0x22, 0, 2, 0x11, 1, 3, 0x11, 1,
        ];
        return [.. head, .. new byte[ImageBytes - head.Length - 2], 0xFF, 0xD9];
    }

    [LibraryImport("libc", EntryPoint = "link", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Link(string existing, string path);
}
