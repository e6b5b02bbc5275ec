using Cluster.Contracts;
using Cluster.Workers.Data;
using Cluster.Workers.Data.Images;
using Cluster.Workers.Data.Shards;

namespace Cluster.Data.Tests.Shards;

/// <summary>Images that are no images: a JPEG's first bytes, then noise of a length and content that the number decides.</summary>
internal sealed class FakeImages(int count, int classes = 5, int mostBytes = 3000, int salt = 0, bool isEven = false) : IEncodedImages
{
    /// <summary>Called on the reading thread.</summary>
    public Action<int>? OnRead { get; init; }

    public int Count => count;

    public int LabelOf(int sample) => (sample * 7 + salt) % classes;

    public string PlaceOf(int sample) => $"image {sample}";

    public byte[] BytesOf(int sample)
    {
        var random = new Random(sample + 100_000 * salt);
        var bytes = new byte[isEven ? mostBytes : 4 + random.Next(mostBytes)];
        random.NextBytes(bytes);
        (bytes[0], bytes[1], bytes[2]) = (0xFF, 0xD8, 0xFF);
        return bytes;
    }

    public int Read(int sample, ref byte[] buffer)
    {
        OnRead?.Invoke(sample);
        var bytes = BytesOf(sample);
        if (buffer.Length < bytes.Length) buffer = new byte[bytes.Length];
        bytes.CopyTo(buffer, 0);
        return bytes.Length;
    }
}

/// <summary>A folder with a pack of <see cref="FakeImages"/>.</summary>
internal sealed class PackedFolder : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public PackedFolder(int train = 300, int val = 40, long shardBytes = 100_000, int salt = 0, int mostBytes = 3000, bool isEven = false)
    {
        (Train, Val, Options) = (new FakeImages(train, mostBytes: mostBytes, salt: salt, isEven: isEven), new FakeImages(val, mostBytes: mostBytes, salt: salt + 1), new PackOptions(shardBytes) { Threads = 2 });
        Packer().Run(default);
    }

    public FakeImages Train { get; }

    public FakeImages Val { get; }

    public PackOptions Options { get; }

    public string Path => _folder.File("out");

    public string Cache => _folder.File("cache");

    public string File(string name) => System.IO.Path.Combine(Path, name);

    public ShardPacker Packer() => Packer(Path, Train, Val, Options);

    public static ShardPacker Packer(string path, FakeImages train, FakeImages val, PackOptions options) =>
        new(SourceOf(train, val), path, options, static () => new PlainCopy());

    public static PackSource SourceOf(FakeImages train, FakeImages val) =>
        new("fake:DIR", [.. Enumerable.Range(0, 5).Select(static c => $"class {c}")], [new PackSplit("train", train, "t"), new PackSplit("val", val, "v")]);

    public (ShardIndex Train, ShardIndex Val) Open() => ShardFolder.Open(Path, Cache);

    public string MistakeOnOpening() => Assert.Throws<UserMistakeException>(() => Open()).Message;

    /// <summary>Every file's bytes, by name.</summary>
    public static SortedDictionary<string, string> Content(string path) => new(
        Directory.EnumerateFiles(path).ToDictionary(static file => System.IO.Path.GetFileName(file), static file => Convert.ToHexString(System.Security.Cryptography.SHA256.HashData(System.IO.File.ReadAllBytes(file)))),
        StringComparer.Ordinal);

    public void Dispose() => _folder.Dispose();
}
