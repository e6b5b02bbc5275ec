using System.Formats.Tar;
using System.Globalization;
using System.Text;
using Cluster.Contracts;
using Cluster.Workers.Data;
using Cluster.Workers.Data.Shards;

namespace Cluster.Data.Tests.Shards;

public sealed class ShardPackerSpecs
{
    [Fact]
    public void Shards_are_tar_files_that_others_read_with_every_sample_once_in_a_mixed_order()
    {
        using var pack = new PackedFolder();
        var position = 0;
        var names = Directory.GetFiles(pack.Path, "train-*.tar").Order(StringComparer.Ordinal).ToList();
        Assert.InRange(names.Count, 5, 20);
        var order = new SampleOrder(0, 0, pack.Train.Count);
        foreach (var name in names)
        {
            Assert.True(new FileInfo(name).Length <= pack.Options.ShardBytes);
            using var tar = new TarReader(File.OpenRead(name));                 // the run-time's own reader
            while (tar.GetNextEntry() is { } image)
            {
                var key = position.ToString("D9", CultureInfo.InvariantCulture);
                var sample = order.SampleAt(position++);
                Assert.Equal((key + ".jpg", TarEntryFormat.Ustar, TarEntryType.RegularFile, 0), (image.Name, image.Format, image.EntryType, image.Uid));
                Assert.Equal(DateTimeOffset.UnixEpoch, image.ModificationTime);
                Assert.Equal(pack.Train.BytesOf(sample), Bytes(image));
                var label = tar.GetNextEntry()!;
                Assert.Equal((key + ".cls", $"{pack.Train.LabelOf(sample)}"), (label.Name, Encoding.ASCII.GetString(Bytes(label))));
            }
        }
        Assert.Equal(pack.Train.Count, position);

        static byte[] Bytes(System.Formats.Tar.TarEntry entry)
        {
            using var memory = new MemoryStream();
            entry.DataStream?.CopyTo(memory);
            return memory.ToArray();
        }
    }

    [Fact]
    public void The_index_finds_every_sample_and_the_folder_holds_nothing_else()
    {
        using var pack = new PackedFolder();
        var (train, val) = pack.Open();
        Assert.Equal((300, 40), (train.Samples.Length, val.Samples.Length));
        Assert.Equal(["class 0", "class 1", "class 2", "class 3", "class 4"], train.ClassNames);
        var order = new SampleOrder(0, 0, 300);
        for (var i = 0; i < 300; i++)
        {
            var (place, bytes) = (train.Samples[i], pack.Train.BytesOf(order.SampleAt(i)));
            Assert.Equal(bytes, File.ReadAllBytes(pack.File(train.Shards[place.Shard].Name)).AsSpan((int)place.Offset, place.Length).ToArray());
            Assert.Equal((pack.Train.LabelOf(order.SampleAt(i)), Crc32C.Of(bytes)), (place.Label, place.Crc));
        }
        foreach (var shard in train.Shards) Assert.Equal(PackedFolder.Content(pack.Path)[shard.Name], shard.Sha256, ignoreCase: true);
        Assert.All(Directory.GetFiles(pack.Path), static name => Assert.True(Path.GetExtension(name) is ".tar" or ".index" or ".json", name));
    }

    [Fact]
    public void The_bytes_do_not_depend_on_the_threads()
    {
        using var pack = new PackedFolder();
        using var other = new TemporaryFolder();
        PackedFolder.Packer(other.File("out"), pack.Train, pack.Val, pack.Options with { Threads = 7 }).Run(default);
        Assert.Equal(PackedFolder.Content(pack.Path), PackedFolder.Content(other.File("out")));
    }

    [Fact]
    public void Stopped_anywhere_and_started_again_it_ends_with_the_same_bytes_and_keeps_what_was_whole()
    {
        using var whole = new PackedFolder();
        var expected = PackedFolder.Content(whole.Path);
        foreach (var reads in new[] { 1, 105, 150, 220, 290, 380, 404, 410, 440 })
        {
            using var folder = new TemporaryFolder();
            using var stop = new CancellationTokenSource();
            var count = 0;
            var dying = new FakeImages(300) { OnRead = _ => { if (Interlocked.Increment(ref count) == reads) stop.Cancel(); } };
            var dyingVal = new FakeImages(40, salt: 1) { OnRead = dying.OnRead };
            Assert.Throws<OperationCanceledException>(() => PackedFolder.Packer(folder.File("out"), dying, dyingVal, whole.Options).Run(stop.Token));
            var found = Directory.GetFiles(folder.File("out"), "*.tar").Length;
            var result = PackedFolder.Packer(folder.File("out"), whole.Train, whole.Val, whole.Options).Run(default);
            Assert.Equal(expected, PackedFolder.Content(folder.File("out")));
            Assert.Equal(found, result.Kept);
        }
    }

    [Fact]
    public void Whatever_a_killed_process_left_behind_does_not_show_in_the_result()
    {
        using var whole = new PackedFolder();
        var expected = PackedFolder.Content(whole.Path);
        var shards = whole.Open().Train.Shards;
        string Line(ShardFile shard) => $"{shard.Name}\t{shard.Length}\t{shard.Sha256}\t{shard.Samples}\n";
        var states = new Action<string>[]
        {
            static path => Delete(path, "val.index"),
            static path => { Delete(path, "val.index"); Delete(path, "train.index"); File.WriteAllText(Path.Combine(path, "train-000000.tar.partial"), "half"); },
            path => { Delete(path, "train.index"); File.WriteAllText(Path.Combine(path, "pack.journal"), Line(shards[0]) + Line(shards[1]) + Line(shards[2])[..30]); },
            path => { Delete(path, "train.index"); Delete(path, shards[1].Name); File.WriteAllText(Path.Combine(path, "pack.journal"), string.Concat(shards.Select(Line))); },
            path => { Delete(path, "train.index"); Flip(path, shards[2].Name, 700); File.WriteAllText(Path.Combine(path, "pack.journal"), string.Concat(shards.Select(Line))); },
            path => { Delete(path, "train.index"); File.WriteAllText(Path.Combine(path, "pack.journal"), "rubbish\n" + Line(shards[1])); },
            static path => { foreach (var file in Directory.GetFiles(path).Where(static f => !f.EndsWith("pack.json", StringComparison.Ordinal))) File.Delete(file); },
            // A finished pack that lost a shard afterwards is made whole again.
            path => Delete(path, shards[3].Name),
            path => { using var file = File.OpenWrite(Path.Combine(path, shards[3].Name)); file.SetLength(5000); },
        };
        foreach (var state in states)
        {
            using var folder = new TemporaryFolder();
            Directory.CreateDirectory(folder.File("out"));
            foreach (var file in Directory.GetFiles(whole.Path)) File.Copy(file, Path.Combine(folder.File("out"), Path.GetFileName(file)));
            state(folder.File("out"));
            Assert.NotEqual(expected, PackedFolder.Content(folder.File("out")));
            PackedFolder.Packer(folder.File("out"), whole.Train, whole.Val, whole.Options).Run(default);
            Assert.Equal(expected, PackedFolder.Content(folder.File("out")));
        }

        static void Delete(string path, string name) => File.Delete(Path.Combine(path, name));
        static void Flip(string path, string name, int at)
        {
            var bytes = File.ReadAllBytes(Path.Combine(path, name));
            bytes[at] ^= 1;
            File.WriteAllBytes(Path.Combine(path, name), bytes);
        }
    }

    [Fact]
    public void A_finished_pack_is_left_as_it_is()
    {
        using var pack = new PackedFolder();
        var before = Directory.GetFiles(pack.Path).ToDictionary(static file => file, File.GetLastWriteTimeUtc);
        var result = pack.Packer().Run(default);
        Assert.Equal(result.Shards, result.Kept);
        Assert.Equal(340, result.Samples);
        Assert.Equal(before, Directory.GetFiles(pack.Path).ToDictionary(static file => file, File.GetLastWriteTimeUtc));
    }

    [Fact]
    public void A_folder_that_holds_something_else_is_refused_and_not_touched()
    {
        using var folder = new TemporaryFolder();
        File.WriteAllText(folder.File("thesis.tex"), "years of work");
        var (train, val, options) = (new FakeImages(10), new FakeImages(5), new PackOptions());
        Assert.Contains("is not empty", Mistake(folder.Path, train, val, options));
        Assert.Equal([folder.File("thesis.tex")], Directory.GetFileSystemEntries(folder.Path));
        Assert.Contains("is a file", Mistake(folder.File("thesis.tex"), train, val, options));
    }

    [Fact]
    public void A_pack_goes_on_only_with_what_it_was_begun_with()
    {
        using var pack = new PackedFolder();
        Assert.Contains("with shard-size 100000, not 200000", Mistake(pack.Path, pack.Train, pack.Val, pack.Options with { ShardBytes = 200_000 }));
        Assert.Contains("with train-samples 300, not 299", Mistake(pack.Path, new FakeImages(299), pack.Val, pack.Options));
        Assert.Contains("with resize 0, not 64", Mistake(pack.Path, pack.Train, pack.Val, pack.Options with { Resize = 64 }));
        var changed = PackedFolder.SourceOf(pack.Train, pack.Val);
        changed = changed with { Splits = [changed.Splits[0] with { Fingerprint = "u" }, changed.Splits[1]] };
        Assert.Contains("packed from other images of train", Assert.Throws<UserMistakeException>(() => new ShardPacker(changed, pack.Path, pack.Options, static () => new PlainCopy()).Run(default)).Message);
        File.WriteAllText(pack.File("pack.json"), "{}");
        Assert.Contains("that this program did not write", Mistake(pack.Path, pack.Train, pack.Val, pack.Options));
        File.WriteAllText(pack.File("pack.json"), "{");
        Assert.Contains("that is damaged", Mistake(pack.Path, pack.Train, pack.Val, pack.Options));
    }

    [Fact]
    public void Two_processes_do_not_pack_into_one_folder()
    {
        using var folder = new TemporaryFolder();
        var path = folder.File("out");
        string? refused = null;
        var options = new PackOptions { Threads = 1 };
        var train = new FakeImages(20) { OnRead = _ => refused ??= Mistake(path, new FakeImages(20), new FakeImages(5), options) };
        PackedFolder.Packer(path, train, new FakeImages(5), options).Run(default);
        Assert.Contains("another process is packing", refused);
    }

    [Fact]
    public void An_image_that_cannot_be_packed_is_named_with_what_to_do()
    {
        using var folder = new TemporaryFolder();
        var gone = new FakeImages(100) { OnRead = static sample => { if (sample == 57) throw new UnreadableSampleException(57, "image 57: it is gone"); } };
        var mistake = Mistake(folder.File("out"), gone, new FakeImages(5), new PackOptions { Threads = 3 });
        Assert.Contains("image 57: it is gone; 'cluster data check fake:DIR'", mistake);
        Assert.Single(mistake.Split('\n'));
    }

    private static string Mistake(string path, FakeImages train, FakeImages val, PackOptions options) =>
        Assert.Throws<UserMistakeException>(() => PackedFolder.Packer(path, train, val, options).Run(default)).Message;
}
