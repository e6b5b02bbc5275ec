using Cluster.Contracts;
using Cluster.Workers.Data;
using Cluster.Workers.Data.Shards;

namespace Cluster.Data.Tests.Shards;

/// <summary>Packs that were damaged after they were made.</summary>
public sealed class ShardFolderSpecs
{
    [Fact]
    public void A_missing_a_cut_and_a_foreign_shard_are_named_when_the_set_is_opened()
    {
        using var pack = new PackedFolder();
        using var other = new PackedFolder(salt: 5);
        var (path, bytes) = (pack.File("train-000002.tar"), File.ReadAllBytes(pack.File("train-000002.tar")));
        File.Delete(path);
        Assert.Contains("train-000002.tar is missing", pack.MistakeOnOpening());
        File.WriteAllBytes(path, bytes[..(bytes.Length / 2)]);
        Assert.Contains($"train-000002.tar has {bytes.Length / 2} bytes, and the index says {bytes.Length}", pack.MistakeOnOpening());
        var foreign = File.ReadAllBytes(other.File("train-000002.tar"));
        Array.Resize(ref foreign, bytes.Length);
        File.WriteAllBytes(path, foreign);
        Assert.Contains("train-000002.tar is not the one of the index", pack.MistakeOnOpening());
        File.WriteAllBytes(path, bytes);
        Assert.Equal(300, pack.Open().Train.Samples.Length);
    }

    [Fact]
    public void Every_flipped_byte_of_the_index_is_noticed_and_so_is_another_version()
    {
        using var pack = new PackedFolder(train: 20, val: 5);
        var good = File.ReadAllBytes(pack.File("train.index"));
        for (var at = 0; at < good.Length; at++)
        {
            var bad = (byte[])good.Clone();
            bad[at] ^= 0x10;
            File.WriteAllBytes(pack.File("train.index"), bad);
            Assert.Contains(at switch { < 8 => "is none: it does not begin", < 12 => "is of version", _ => "is damaged" }, pack.MistakeOnOpening());
        }
        for (var length = 0; length < good.Length; length += 13)
        {
            File.WriteAllBytes(pack.File("train.index"), good[..length]);
            Assert.Contains("train.index is ", pack.MistakeOnOpening());
        }
    }

    [Fact]
    public void An_index_whose_checksum_fits_but_whose_content_cannot_be_is_refused()
    {
        ShardFile[] shards = [new("train-000000.tar", 10_000, new string('0', 64), 2)];
        ShardSample[] samples = [new(0, 100, 0, 7, 512), new(0, 100, 1, 7, 1024)];
        string Fault(ShardFile[] files, ShardSample[] entries, int classes = 2) =>
            Assert.Throws<InvalidDataException>(() => new ShardIndex([.. Enumerable.Range(0, classes).Select(static c => $"{c}")], files, entries)).Message;
        Assert.Equal(2, new ShardIndex(["a", "b"], shards, samples).Samples.Length);
        Assert.Contains("class 1, but has 1 classes", Fault(shards, samples, classes: 1));
        Assert.Contains("class -1", Fault(shards, [samples[0] with { Label = -1 }, samples[1]]));
        Assert.Contains("gives sample 1 0 bytes", Fault(shards, [samples[0], samples[1] with { Length = 0 }]));
        Assert.Contains("places sample 1 at byte 600", Fault(shards, [samples[0], samples[1] with { Offset = 600 }]));
        Assert.Contains("places sample 1 at byte 9950", Fault(shards, [samples[0], samples[1] with { Offset = 9950 }]));
        Assert.Contains("places sample 0 at byte -1", Fault(shards, [samples[0] with { Offset = -1 }, samples[1]]));
        Assert.Contains("samples of no shard", Fault(shards, [samples[0], samples[1] with { Shard = 1 }]));
        Assert.Contains("has only 2 left", Fault([shards[0] with { Samples = 3 }], samples));
        Assert.Contains("samples of no shard", Fault([shards[0] with { Samples = 1 }], samples));
        Assert.Contains("names a shard '../x.tar'", Fault([shards[0] with { Name = "../x.tar" }], samples));
    }

    [Fact]
    public void The_index_reads_back_and_its_fingerprint_is_of_everything_in_it()
    {
        using var pack = new PackedFolder(train: 50, val: 5);
        var index = pack.Open().Train;
        var read = ShardIndexFile.Read(ShardIndexFile.Write(index));
        Assert.Equal((index.ClassNames, index.Shards, index.Samples), (read.ClassNames, read.Shards, read.Samples), Same);
        Assert.Equal(index.Fingerprint, read.Fingerprint);
        var samples = (ShardSample[])index.Samples.Clone();
        samples[3] = samples[3] with { Label = (samples[3].Label + 1) % 5 };
        Assert.NotEqual(index.Fingerprint, new ShardIndex(index.ClassNames, index.Shards, samples).Fingerprint);

        static bool Same((IReadOnlyList<string>, IReadOnlyList<ShardFile>, ShardSample[]) a, (IReadOnlyList<string>, IReadOnlyList<ShardFile>, ShardSample[]) b) =>
            a.Item1.SequenceEqual(b.Item1) && a.Item2.SequenceEqual(b.Item2) && a.Item3.SequenceEqual(b.Item3);
    }

    [Fact]
    public void Folders_that_hold_no_pack_or_half_of_one_say_what_to_do()
    {
        using var folder = new TemporaryFolder();
        string Mistake() => Assert.Throws<UserMistakeException>(() => ShardFolder.Open(folder.File("set"), folder.File("cache"))).Message;
        Assert.Contains("there is no folder", Mistake());
        Directory.CreateDirectory(folder.File("set"));
        Assert.Contains("holds no shards of train", Mistake());
        File.WriteAllBytes(folder.File("set/train-0.tar"), new TarBytes().Sample("a", [1], 0).Whole);
        Assert.Contains("holds no shards of val", Mistake());
        using var pack = new PackedFolder();
        File.Delete(pack.File("val.index"));
        Assert.Contains("it goes on where it stopped", pack.MistakeOnOpening());
    }

    [Fact]
    public void Blocks_hold_about_two_megabytes_and_never_many_more()
    {
        static ShardSample[] Samples(int count, Func<int, int> length)
        {
            var (samples, at) = (new ShardSample[count], 0L);
            for (var i = 0; i < count; i++)
            {
                samples[i] = new ShardSample(0, length(i), 0, 0, at);
                at += length(i);
            }
            return samples;
        }
        Assert.Equal(new OrderLayout(16, 32), ShardIndex.LayoutOf(Samples(10_000, static _ => 110_000)));
        Assert.Equal(new OrderLayout(1024, 32), ShardIndex.LayoutOf(Samples(10_000, static _ => 900)));
        Assert.Equal(new OrderLayout(1, 32), ShardIndex.LayoutOf(Samples(100, static _ => 5_000_000)));
        // Small images and, here and there, a very large one.
        var mixed = Samples(10_000, static i => i % 4096 == 0 ? 15_000_000 : 1000);
        var block = ShardIndex.LayoutOf(mixed).BlockSamples;
        Assert.InRange(block, 1, 512);
        Assert.All(Enumerable.Range(0, 10_000 / block), b => Assert.InRange(mixed[Math.Min(9999, (b + 1) * block - 1)].End - mixed[b * block].Offset, 0, Limits.MaxShardBlockBytes));
    }
}
