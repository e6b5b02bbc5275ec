using System.Security.Cryptography;
using Cluster.Contracts;
using Cluster.Workers.Data;
using Cluster.Workers.Data.Cifar;

namespace Cluster.Data.Tests;

/// <summary>A set in CIFAR-10's format with few records, whose checksums are its own.</summary>
internal static class SmallCifar
{
    public static byte[] Records(int count, int salt)
    {
        var bytes = new byte[count * Cifar10Format.RecordBytes];
        for (var i = 0; i < bytes.Length; i++) bytes[i] = i % Cifar10Format.RecordBytes == 0 ? (byte)((i / Cifar10Format.RecordBytes + salt) % 10) : Pixel(i, salt);
        return bytes;
    }

    /// <param name="at">Offset in the file.</param>
    /// <param name="salt">Number of the file.</param>
    public static byte Pixel(int at, int salt) => (byte)(at * 37 + (at >> 9) * 11 + salt * 101);

#pragma warning disable CA5351 // the format's checksums
    public static BatchFile File(string name, byte[] content) => new(name, content.Length / Cifar10Format.RecordBytes, Convert.ToHexStringLower(MD5.HashData(content)));
#pragma warning restore CA5351
}

public sealed class Cifar10FilesSpecs : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly List<BatchFile> _train = [];
    private readonly List<BatchFile> _test = [];

    public Cifar10FilesSpecs()
    {
        Add(_train, "data_batch_1.bin", 20, 1);
        Add(_train, "data_batch_2.bin", 30, 2);
        Add(_test, "test_batch.bin", 10, 3);
    }

    private string Cache => _folder.File("cache");

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Records_are_numbered_through_all_files_and_read_as_label_and_planes()
    {
        var (train, test) = Open();
        using (train)
        using (test)
        {
            Assert.Equal((50, 10), (train.Count, test.Count));
            Assert.Equal(("cifar10", "train", "test"), (train.Name, train.Split, test.Split));
            foreach (var (dataset, sample, file, record) in new[] { (train, 0, 1, 0), (train, 19, 1, 19), (train, 20, 2, 0), (train, 49, 2, 29), (test, 9, 3, 9) })
            {
                var pixels = new byte[3072];
                Assert.Equal((record + file) % 10, dataset.Read(sample, pixels));
                Assert.Equal(Enumerable.Range(0, 3072).Select(i => SmallCifar.Pixel(record * 3073 + 1 + i, file)), pixels);
            }
            Assert.Throws<ArgumentOutOfRangeException>(() => train.Read(50, new byte[3072]));
            Assert.Throws<ArgumentException>(() => train.Read(0, new byte[3071]));
        }
    }

    [Fact]
    public void The_fingerprint_follows_the_content_and_not_the_folder()
    {
        using var train = Open().Train;
        using var elsewhere = new TemporaryFolder();
        foreach (var file in _train.Concat(_test)) File.Copy(_folder.File(file.Name), elsewhere.File(file.Name));
        using var copy = Cifar10Dataset.Open(elsewhere.Path, Cache, _train, _test).Train;
        Assert.Equal(train.Fingerprint, copy.Fingerprint);
        using var other = Cifar10Dataset.Open(elsewhere.Path, Cache, [_train[1], _train[0]], _test).Train;
        Assert.NotEqual(train.Fingerprint, other.Fingerprint);
    }

    [Fact]
    public void The_folder_around_the_unpacked_archive_will_do_as_well()
    {
        var inner = Directory.CreateDirectory(_folder.File("outer/cifar-10-batches-bin")).FullName;
        foreach (var file in _train.Concat(_test)) File.Move(_folder.File(file.Name), Path.Combine(inner, file.Name));
        using var train = Cifar10Dataset.Open(_folder.File("outer"), Cache, _train, _test).Train;
        Assert.Equal(50, train.Count);
    }

    [Theory]
    [InlineData("missing", "data_batch_2.bin is missing")]
    [InlineData("short", "data_batch_2.bin has 92,189 bytes, expected 92,190: it is cut short")]
    [InlineData("long", "data_batch_2.bin has 92,191 bytes, expected 92,190: it is too long")]
    [InlineData("empty", "data_batch_2.bin has 0 bytes, expected 92,190: it is cut short")]
    [InlineData("corrupted", "data_batch_2.bin has MD5 ")]
    public void A_file_that_is_not_right_is_named_with_what_was_found_and_what_to_do(string kind, string message)
    {
        var path = _folder.File("data_batch_2.bin");
        var bytes = File.ReadAllBytes(path);
        switch (kind)
        {
            case "missing": File.Delete(path); break;
            case "short": File.WriteAllBytes(path, bytes[..^1]); break;
            case "long": File.WriteAllBytes(path, [.. bytes, 0]); break;
            case "empty": File.WriteAllBytes(path, []); break;
            default:
                bytes[50_000] ^= 4;
                File.WriteAllBytes(path, bytes);
                message += SmallCifar.File("x", bytes).Md5 + ", expected " + _train[1].Md5 + ": it is corrupted";
                break;
        }
        var mistake = Assert.Throws<UserMistakeException>(() => Open());
        Assert.StartsWith(_folder.Path, mistake.Message);
        Assert.Contains(message, mistake.Message);
        Assert.EndsWith("'./cluster data get cifar10' fetches a good copy into the cache folder", mistake.Message);
        Assert.DoesNotContain('\n', mistake.Message);
    }

    [Fact]
    public void A_folder_that_does_not_exist_is_one_line()
    {
        var mistake = Assert.Throws<UserMistakeException>(() => Datasets.Open("cifar10:" + _folder.File("nowhere"), 1, Cache));
        Assert.Contains("nowhere/data_batch_1.bin is missing", mistake.Message);
    }

    [Fact]
    public void A_verified_file_is_remembered_until_it_is_touched()
    {
        var verified = new VerifiedFiles(Cache);
        var file = new FileInfo(_folder.File("test_batch.bin"));
        Assert.False(verified.Remembers(file, _test[0].Md5));
        verified.Remember(file, _test[0].Md5);
        Assert.True(new VerifiedFiles(Cache).Remembers(file, _test[0].Md5));
        Assert.False(verified.Remembers(file, _train[0].Md5));
        File.SetLastWriteTimeUtc(file.FullName, file.LastWriteTimeUtc.AddSeconds(1));
        Assert.False(verified.Remembers(new FileInfo(file.FullName), _test[0].Md5));
    }

    [Fact]
    public void Files_are_hashed_once_and_not_at_every_opening()
    {
        Dispose(Open());
        var path = _folder.File("data_batch_1.bin");
        var written = File.GetLastWriteTimeUtc(path);
        var bytes = File.ReadAllBytes(path);
        bytes[5] ^= 1;
        File.WriteAllBytes(path, bytes);
        File.SetLastWriteTimeUtc(path, written);        // as if nothing had happened: only hashing could tell
        Dispose(Open());
        File.Delete(Path.Combine(Cache, "verified-files.tsv"));
        Assert.Contains("corrupted", Assert.Throws<UserMistakeException>(() => Open()).Message);
    }

    [Fact]
    public void A_cache_folder_that_cannot_be_written_costs_time_only()
    {
        File.WriteAllText(_folder.File("occupied"), "a file where a folder should be");
        Dispose(Cifar10Dataset.Open(_folder.Path, _folder.File("occupied"), _train, _test));
    }

    [Fact]
    public void A_file_that_is_cut_while_it_is_in_use_fails_the_sample_and_not_the_process()
    {
        var (train, test) = Open();
        using (test)
        using (train)
        {
            using (var file = new FileStream(_folder.File("data_batch_2.bin"), FileMode.Open, FileAccess.Write, FileShare.ReadWrite)) file.SetLength(5 * 3073 + 7);
            train.Read(24, new byte[3072]);
            var failure = Assert.Throws<ClusterException>(() => train.Read(25, new byte[3072]));
            Assert.Contains("data_batch_2.bin ends at byte 15372 inside record 5", failure.Message);
        }
    }

    [Theory]
    [InlineData("/a/cache", "/xdg", "/a/cache")]
    [InlineData("", "/xdg", "/xdg/cluster")]
    [InlineData(null, "/xdg", "/xdg/cluster")]
    [InlineData(null, "relative", "/home/me/.cache/cluster")]
    [InlineData(null, null, "/home/me/.cache/cluster")]
    public void The_cache_folder_follows_the_environment(string? own, string? xdg, string expected) =>
        Assert.Equal(expected, CacheFolder.Resolve(name => name == "CLUSTER_CACHE" ? own : xdg, "/home/me"));

    private static void Dispose((IDataset Train, IDataset Test) splits)
    {
        splits.Train.Dispose();
        splits.Test.Dispose();
    }

    private (IDataset Train, IDataset Test) Open() => Cifar10Dataset.Open(_folder.Path, Cache, _train, _test);

    private void Add(List<BatchFile> files, string name, int records, int salt)
    {
        var content = SmallCifar.Records(records, salt);
        File.WriteAllBytes(_folder.File(name), content);
        files.Add(SmallCifar.File(name, content));
    }
}
