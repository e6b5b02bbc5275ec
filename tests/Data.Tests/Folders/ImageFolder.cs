using Cluster.Contracts;
using Cluster.Workers.Data;
using Cluster.Workers.Data.Folders;

namespace Cluster.Data.Tests.Folders;

/// <summary>A folder of images that is made for one spec, with a cache folder beside it.</summary>
internal sealed class ImageFolder : IDisposable
{
    private static readonly DateTime LongAgo = new(2020, 1, 1, 0, 0, 0, DateTimeKind.Utc);

    private readonly TemporaryFolder _folder = new();

    public ImageFolder() => Directory.CreateDirectory(Root);

    public string Root => _folder.File("set");

    public string Cache => _folder.File("cache");

    public DataRequest Request => new($"imagefolder:{Root}", 1) { CacheRoot = Cache, ImageSize = 8 };

    public static byte[] Png { get; } = new PngBytes { Width = 12, Height = 10 }.Build();

    public string PathOf(string relative) => $"{Root}/{relative}";

    /// <summary>Two classes with two training images and one test image each.</summary>
    public static ImageFolder OfTwoClasses() => new ImageFolder().With("train/ant/1.png", "train/ant/2.png", "train/bee/1.png", "train/bee/2.png", "val/ant/3.png", "val/bee/3.png");

    /// <summary>Adds small images that can be decoded.</summary>
    public ImageFolder With(params string[] paths)
    {
        foreach (var path in paths) With(path, Png);
        return this;
    }

    public ImageFolder With(string path, byte[] bytes)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(PathOf(path))!);
        File.WriteAllBytes(PathOf(path), bytes);
        return this;
    }

    public ImageFolder WithText(string path, string text) => With(path, System.Text.Encoding.UTF8.GetBytes(text));

    /// <summary>As if nothing had been changed for years: what was changed within the last second is never trusted.</summary>
    public ImageFolder Settled()
    {
        foreach (var list in Directory.EnumerateFiles(Root, "*.txt", SearchOption.AllDirectories)) File.SetLastWriteTimeUtc(list, LongAgo);
        foreach (var folder in Directory.EnumerateDirectories(Root, "*", SearchOption.AllDirectories).Append(Root)) Directory.SetLastWriteTimeUtc(folder, LongAgo);
        return this;
    }

    public FolderIndex Index() => new FolderIndexBuilder(Root, progress: null, CancellationToken.None).Build();

    public FolderIndexCache CacheOf() => new(Root, Cache, progress: null);

    public (IDataset Train, IDataset Test) Open() => Datasets.Open(Request);

    public string Mistake() => Assert.Throws<UserMistakeException>(Index).Message;

    public static IEnumerable<string> Paths(SplitIndex split) => Enumerable.Range(0, split.Count).Select(split.PathOf);

    public void Dispose() => _folder.Dispose();

    /// <summary>A JPEG as far as its header goes, which cannot be decoded.</summary>
    /// <param name="before">Segments in front of the frame: marker and bytes of data.</param>
    public static byte[] JpegHeader(int width, int height, byte frame = 0xC0, params (byte Marker, int Bytes)[] before)
    {
        var bytes = new List<byte> { 0xFF, 0xD8 };
        foreach (var (marker, length) in before)
        {
            bytes.AddRange([0xFF, marker, (byte)((length + 2) >> 8), (byte)(length + 2)]);
            bytes.AddRange(Enumerable.Repeat((byte)0xAB, length));
        }
        bytes.AddRange([0xFF, frame, 0, 11, 8, (byte)(height >> 8), (byte)height, (byte)(width >> 8), (byte)width, 1, 1, 0x11, 0]);
        bytes.AddRange([0xFF, 0xD9]);
        return [.. bytes];
    }

    /// <summary>$CLUSTER_TEST_DATA's folder of this name; the spec is skipped without it.</summary>
    public static string Real(string name)
    {
        var data = Environment.GetEnvironmentVariable("CLUSTER_TEST_DATA");
        var folder = Path.Combine(data ?? "", name);
        Assert.SkipWhen(string.IsNullOrEmpty(data) || !Directory.Exists(folder), $"needs the folder {name} of real images in $CLUSTER_TEST_DATA");
        return folder;
    }
}
