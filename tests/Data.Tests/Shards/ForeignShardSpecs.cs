using System.Diagnostics;
using System.Formats.Tar;
using Cluster.Contracts;
using Cluster.Workers.Data.Shards;

namespace Cluster.Data.Tests.Shards;

/// <summary>Archives that others packed, good and bad.</summary>
public sealed class ForeignShardSpecs : IDisposable
{
    private static readonly byte[] Image = [0xFF, 0xD8, 0xFF, 1, 2, 3];

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    private (ShardIndex Train, ShardIndex Val) Open(byte[] train, byte[]? val = null)
    {
        File.WriteAllBytes(_folder.File("train-0.tar"), train);
        File.WriteAllBytes(_folder.File("val-0.tar"), val ?? new TarBytes().Sample("v", Image, 0).Whole);
        return ShardFolder.Open(_folder.Path, _folder.File("cache"));
    }

    private string Mistake(byte[] train, byte[]? val = null)
    {
        var mistake = Assert.Throws<UserMistakeException>(() => Open(train, val)).Message;
        Assert.Single(mistake.Split('\n'));
        return mistake;
    }

    [Fact]
    public void Plain_pax_and_gnu_archives_of_the_run_time_are_read()
    {
        var deep = string.Join('/', Enumerable.Repeat("a-folder-of-some-length", 6)) + "/0001";     // 148 characters
        foreach (var format in new[] { TarEntryFormat.V7, TarEntryFormat.Ustar, TarEntryFormat.Pax, TarEntryFormat.Gnu })
        {
            using var memory = new MemoryStream();
            using (var tar = new TarWriter(memory, format, leaveOpen: true))
            {
                tar.WriteEntry(Entry(format, "folder/", null));
                var key = format is TarEntryFormat.V7 ? "folder/0001" : deep;
                tar.WriteEntry(Entry(format, key + ".JPEG", Image));
                tar.WriteEntry(Entry(format, key + ".cls", "3\n"u8.ToArray()));
                tar.WriteEntry(Entry(format, "folder/0002.cls", "1"u8.ToArray()));
                tar.WriteEntry(Entry(format, "folder/0002.json", "{}"u8.ToArray()));
                tar.WriteEntry(Entry(format, "folder/0002.png", [1, 2, 3]));
                tar.WriteEntry(Entry(format, "folder/0003.txt", "a caption, no sample of ours"u8.ToArray()));
            }
            var (train, _) = Open(memory.ToArray());
            Assert.Equal(2, train.Samples.Length);
            Assert.Equal([3, 1], train.Samples.Select(static sample => sample.Label));
            Assert.Equal(["0", "1", "2", "3"], train.ClassNames);
            var bytes = memory.ToArray();
            Assert.Equal(Image, bytes.AsSpan((int)train.Samples[0].Offset, train.Samples[0].Length).ToArray());
            Assert.Equal([1, 2, 3], bytes.AsSpan((int)train.Samples[1].Offset, train.Samples[1].Length).ToArray());
        }

        static System.Formats.Tar.TarEntry Entry(TarEntryFormat format, string name, byte[]? content)
        {
            var type = content is null ? TarEntryType.Directory : format is TarEntryFormat.V7 ? TarEntryType.V7RegularFile : TarEntryType.RegularFile;
            System.Formats.Tar.TarEntry entry = format switch
            {
                TarEntryFormat.V7 => new V7TarEntry(type, name),
                TarEntryFormat.Ustar => new UstarTarEntry(type, name),
                TarEntryFormat.Pax => new PaxTarEntry(type, name),
                _ => new GnuTarEntry(type, name),
            };
            if (content is not null) entry.DataStream = new MemoryStream(content);
            return entry;
        }
    }

    [Fact]
    public void Ours_are_read_by_tar_itself()
    {
        using var pack = new PackedFolder(train: 12, val: 3);
        var start = new ProcessStartInfo("tar", ["-tf", pack.File("train-000000.tar")]) { RedirectStandardOutput = true, RedirectStandardError = true, UseShellExecute = false };
        using var tar = Process.Start(start)!;
        var (listed, errors) = (tar.StandardOutput.ReadToEnd(), tar.StandardError.ReadToEnd());
        tar.WaitForExit();
        Assert.Equal((0, ""), (tar.ExitCode, errors));
        Assert.Equal(24, listed.Split('\n', StringSplitOptions.RemoveEmptyEntries).Length);
        Assert.StartsWith("000000000.jpg\n000000000.cls\n000000001.jpg\n", listed, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("../a.jpg", "leads out of its folder")]
    [InlineData("a/../../b.jpg", "leads out of its folder")]
    [InlineData("..\\a.jpg", "leads out of its folder")]
    [InlineData("/etc/a.jpg", "an absolute path")]
    [InlineData("\\a.jpg", "an absolute path")]
    [InlineData("c:a.jpg", "an absolute path")]
    [InlineData("a\u0007.jpg", "control characters")]
    [InlineData("../notes", "leads out of its folder")]
    public void Names_that_lead_elsewhere_are_refused_in_plain_pax_and_gnu_headers(string name, string reason)
    {
        foreach (var archive in new[]
        {
            new TarBytes().Sample("ok", Image, 1).File(name, Image),
            new TarBytes().Sample("ok", Image, 1).Pax(("path", name)).File("harmless.jpg", Image),
            new TarBytes().Sample("ok", Image, 1).File("././@LongLink", System.Text.Encoding.UTF8.GetBytes(name + "\0"), 'L').File("harmless.jpg", Image),
        })
        {
            var mistake = Mistake(archive.Whole);
            Assert.Contains(reason, mistake);
            Assert.Contains("train-0.tar: the entry at byte ", mistake);
        }
    }

    [Theory]
    [InlineData('1', "a link")]
    [InlineData('2', "a link")]
    [InlineData('3', "a device")]
    [InlineData('6', "a pipe")]
    [InlineData('S', "a sparse file")]
    [InlineData('V', "type V")]
    public void What_is_no_file_is_refused(char type, string what) => Assert.Contains(what, Mistake(new TarBytes().File("a.jpg", [], type).Whole));

    [Fact]
    public void Samples_that_are_not_whole_or_come_twice_are_refused()
    {
        Assert.Contains("has an image and no class (.cls)", Mistake(new TarBytes().File("a.jpg", Image).Whole));
        Assert.Contains("has a class and no image", Mistake(new TarBytes().File("a.cls", "1").Sample("b", Image, 1).Whole));
        Assert.Contains("second image of one sample", Mistake(new TarBytes().File("a.jpg", Image).File("a.png", Image).Whole));
        Assert.Contains("second class of one sample", Mistake(new TarBytes().File("a.cls", "1").File("a.cls", "2").Whole));
        Assert.Contains("no key comes twice", Mistake(new TarBytes().Sample("a", Image, 1).Sample("b", Image, 1).File("a.jpg", Image).Whole));
        Assert.Contains("has 0 bytes", Mistake(new TarBytes().File("a.jpg", []).Whole));
    }

    [Theory]
    [InlineData("")]
    [InlineData("-1")]
    [InlineData("1.5")]
    [InlineData("cat")]
    [InlineData("1048576")]
    [InlineData("99999999999999999999")]
    public void A_class_that_is_no_whole_number_in_range_is_refused(string label) =>
        Assert.Contains("is no class: a class is a whole number from 0 to 1048575", Mistake(new TarBytes().File("a.jpg", Image).File("a.cls", label).Whole));

    [Fact]
    public void An_archive_that_was_cut_anywhere_is_refused_or_whole_without_its_end()
    {
        var archive = new TarBytes().Sample("a", Image, 1).Sample("b", [.. Image, .. new byte[1000]], 0);
        var whole = archive.WithoutEnd;
        Assert.Equal(2, Open(whole).Train.Samples.Length);                      // as some programs write them
        Assert.Equal(2, Open([.. whole, .. new byte[512]]).Train.Samples.Length);
        for (var length = 1; length < whole.Length; length += 61)
        {
            if (length == 4 * 512) continue;                                    // between the samples: an archive of one
            Assert.Contains(length % 512 != 0 ? "was cut" : "", Mistake(whole[..length]));
        }
        Assert.Contains("has an image and no class", Mistake(whole[..1024]));
    }

    [Fact]
    public void Rubbish_is_refused()
    {
        Assert.Contains("is no tar header", Mistake([.. Enumerable.Range(0, 2048).Select(static i => (byte)(i * 31 + 7))]));
        Assert.Contains("in the middle of a header", Mistake("no tar"u8.ToArray()));
        Assert.Contains("train-0.tar holds no sample", Mistake(new byte[1024]));
        Assert.Contains("train-0.tar holds no sample", Mistake([]));
        Assert.Contains("extended header that cannot be read", Mistake(new TarBytes().File("p", "99 path=x\n", 'x').File("a.jpg", Image).Whole));
        Assert.Contains("is an extended header of 2000000 bytes", Mistake(new TarBytes().File("p", [], 'x', 2_000_000).Whole));
        Assert.Contains("was cut", Mistake(new TarBytes().File("a.txt", Image, length: 1L << 32).Whole));
        Assert.Contains("an image has 1 to", Mistake(new TarBytes().File("a.jpg", Image, length: 1L << 32).Whole));
        Assert.Contains("an image has 1 to", Mistake(new TarBytes().Pax(("size", "100000000")).File("a.jpg", Image).Whole));
    }

    [Fact]
    public void A_flipped_bit_of_a_header_is_noticed_wherever_it_is()
    {
        var archive = new TarBytes().Sample("a", Image, 1).Whole;
        for (var bit = 0; bit < 512 * 8; bit += 7)
        {
            var bad = (byte[])archive.Clone();
            bad[bit / 8] ^= (byte)(1 << (bit % 8));
            // Spaces, zeros and digits beyond the checksum's own octal number are not looked at.
            if (bit / 8 is >= 148 and < 156) continue;
            Assert.NotEmpty(Mistake(bad));
        }
    }

    [Fact]
    public void Validation_may_lack_classes_but_not_have_more_than_training()
    {
        var train = new TarBytes().Sample("a", Image, 0).Sample("b", Image, 4).Whole;
        var (index, val) = Open(train, new TarBytes().Sample("v", Image, 2).Whole);
        Assert.Equal((5, 5), (index.ClassNames.Count, val.ClassNames.Count));
        Assert.Contains("val has 7 classes and train 5", Mistake(train, new TarBytes().Sample("v", Image, 6).Whole));
    }

    [Fact]
    public void The_index_is_kept_until_an_archive_changes()
    {
        var archive = new TarBytes().Sample("a", Image, 0).Sample("b", Image, 1).Whole;
        var first = Open(archive).Train.Fingerprint;
        Assert.False(ShardFolder.NeedsIndex(_folder.Path, _folder.File("cache")));
        var kept = Directory.GetFiles(_folder.File("cache"), "*.index", SearchOption.AllDirectories);
        Assert.Equal(first, ShardFolder.Open(_folder.Path, _folder.File("cache")).Train.Fingerprint);
        File.WriteAllBytes(_folder.File("train-0.tar"), new TarBytes().Sample("a", Image, 0).Sample("b", Image, 2).Whole);
        File.SetLastWriteTimeUtc(_folder.File("train-0.tar"), DateTime.UnixEpoch);
        Assert.True(ShardFolder.NeedsIndex(_folder.Path, _folder.File("cache")));
        Assert.NotEqual(first, ShardFolder.Open(_folder.Path, _folder.File("cache")).Train.Fingerprint);
        // A damaged index of the cache is made anew.
        foreach (var file in kept) File.WriteAllBytes(file, [1, 2, 3]);
        Assert.Equal(2, Open(archive).Train.Samples.Length);
    }

    [Fact]
    public void Several_archives_are_taken_by_name_and_the_first_bad_one_is_named()
    {
        for (var i = 0; i < 12; i++) File.WriteAllBytes(_folder.File($"set-train-{i:D4}.tar"), new TarBytes().Sample("a", [.. Image, (byte)i], i).Whole);
        File.WriteAllBytes(_folder.File("set-test-0.tar"), new TarBytes().Sample("a", Image, 3).Whole);
        var (train, val) = ShardFolder.Open(_folder.Path, _folder.File("cache"));
        Assert.Equal(Enumerable.Range(0, 12), train.Samples.Select(static sample => sample.Label));
        Assert.Equal(Enumerable.Range(0, 12), train.Samples.Select(static sample => sample.Shard));
        Assert.Single(val.Samples);
        foreach (var i in new[] { 5, 9 }) File.WriteAllBytes(_folder.File($"set-train-{i:D4}.tar"), new byte[i == 5 ? 1024 : 700]);
        Assert.Contains("set-train-0005.tar holds no sample", Assert.Throws<UserMistakeException>(() => ShardFolder.Open(_folder.Path, _folder.File("cache"))).Message);
    }
}
