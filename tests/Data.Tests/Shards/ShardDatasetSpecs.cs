using Cluster.Contracts;
using Cluster.Workers.Data;

namespace Cluster.Data.Tests.Shards;

/// <summary>From a folder of images to a packed set that is trained from.</summary>
public sealed class ShardDatasetSpecs : IDisposable
{
    private const int Train = 70;

    private readonly TemporaryFolder _folder = new();

    public ShardDatasetSpecs()
    {
        for (var i = 0; i < Train + 9; i++)
        {
            var directory = Directory.CreateDirectory(_folder.File($"images/{(i < Train ? "train" : "val")}/class-{i % 3}")).FullName;
            var number = i;
            File.WriteAllBytes(Path.Combine(directory, $"{i:D3}.png"), new PngBytes { Width = 12, Height = 10, Pixel = (y, x, c) => (byte)(number * 3 + y * 5 + x * 7 + c) }.Build());
        }
    }

    public void Dispose() => _folder.Dispose();

    private DataRequest Request(string spec) => new(spec, Seed: 1) { CacheRoot = _folder.File("cache"), ImageSize = 8, EvalResize = 8 };

    private string Images => "imagefolder:" + _folder.File("images");

    private string Shards => "shards:" + _folder.File("out");

    private PackSummary Pack(int resize = 0) => ShardSource.Pack(new PackRequest(Request(Images), _folder.File("out")) { Resize = resize, Threads = 3 }, default);

    [Fact]
    public void A_packed_set_shows_the_network_what_the_folder_shows_sample_by_sample()
    {
        Assert.Equal((2, 0, Train + 9), (Pack().Shards, 0, Pack().Samples));
        var (folder, folderTest) = Datasets.Open(Request(Images));
        var (packed, packedTest) = Datasets.Open(Request(Shards));
        using (folder)
        using (folderTest)
        using (packed)
        using (packedTest)
        {
            Assert.Equal(("shards", "train", "test", Train, 9), (packed.Name, packed.Split, packedTest.Split, packed.Count, packedTest.Count));
            Assert.Equal(folder.ClassNames, packed.ClassNames);
            Assert.Equal(folder.Shape, packed.Shape);
            Assert.Equal([folder.Mean, folder.Std], [packed.Mean, packed.Std]);
            Assert.Equal((packed.Shape, 3), Datasets.Describe(Request(Shards)));
            var (a, b) = (new float[packed.Shape.Floats], new float[packed.Shape.Floats]);
            using var from = folder.With(new AugmentationOptions(), 5).Open();
            using var to = packed.With(new AugmentationOptions(), 5).Open();
            var order = new SampleOrder(0, 0, Train);
            for (var i = 0; i < Train; i++)
            {
                Assert.Equal(from.ReadEvaluation(order.SampleAt(i), a), to.ReadEvaluation(i, b));
                Assert.Equal(a, b);
                Assert.Equal(folder.LabelOf(order.SampleAt(i)), packed.LabelOf(i));
            }
            var pixels = new byte[packed.Shape.Floats];
            Assert.Equal(packed.LabelOf(3), packed.Read(3, pixels));
            Assert.Throws<ArgumentOutOfRangeException>(() => packed.LabelOf(Train));
            Assert.Throws<ArgumentOutOfRangeException>(() => packed.Read(-1, pixels));
        }
    }

    [Fact]
    public void The_prefetcher_takes_every_sample_once_in_the_order_that_the_set_asks_for()
    {
        Pack();
        var (packed, test) = Datasets.Open(Request(Shards));
        using (packed)
        using (test)
        {
            Assert.False(packed.Order.IsUniform);
            using var prefetcher = new LeafPrefetcher(packed.With(new AugmentationOptions(), 9), 9, 8, "worker-0", threads: 2);
            for (var epoch = 0; epoch < 2; epoch++)
            {
                var (order, labels) = (new SampleOrder(9, epoch, Train, packed.Order), new List<long>());
                for (var step = 1; step <= StepPlan.StepsPerEpoch(Train, 32); step++)
                {
                    var plan = StepPlan.For(new StepId(step + epoch * StepPlan.StepsPerEpoch(Train, 32)), Train, 32, 4);
                    for (var leaf = 0; leaf < plan.LeafCount; leaf++)
                    {
                        using var taken = prefetcher.Take(plan, leaf);
                        Assert.Equal(plan.DigestOf(leaf, order), taken.SampleDigest);
                        labels.AddRange(taken.Batch.Labels.ToArray());
                    }
                }
                Assert.Equal(Enumerable.Range(0, Train).Select(packed.LabelOf).Order(), labels.Select(static label => (int)label).Order());
            }
        }
    }

    [Fact]
    public void A_pack_can_be_packed_again_smaller_and_is_another_set()
    {
        Pack();
        var summary = ShardSource.Pack(new PackRequest(Request(Shards), _folder.File("small")) { Resize = 6 }, default);
        Assert.Equal(Train + 9, summary.Samples);
        var (packed, test) = Datasets.Open(Request(Shards));
        var (small, smallTest) = Datasets.Open(Request("shards:" + _folder.File("small")));
        using (packed)
        using (test)
        using (small)
        using (smallTest)
        {
            Assert.Equal(packed.ClassNames, small.ClassNames);
            Assert.NotEqual(packed.Fingerprint, small.Fingerprint);
            Assert.NotEqual(small.Fingerprint, smallTest.Fingerprint);
        }
    }

    [Fact]
    public void The_same_images_packed_twice_are_the_same_set_whatever_the_folder_is_called()
    {
        Pack();
        ShardSource.Pack(new PackRequest(Request(Images), _folder.File("again")), default);
        var (packed, test) = Datasets.Open(Request(Shards));
        var (again, againTest) = Datasets.Open(Request("shards:" + _folder.File("again")));
        using (packed)
        using (test)
        using (again)
        using (againTest)
            Assert.Equal((packed.Fingerprint, test.Fingerprint), (again.Fingerprint, againTest.Fingerprint));
    }

    [Fact]
    public void A_check_names_the_shard_that_was_changed_and_the_image_in_it()
    {
        Pack();
        Assert.All(ShardSource.Check(Request(Shards), default), static finding => Assert.Null(finding.Fault));
        var path = _folder.File("out/train-000000.tar");
        var bytes = File.ReadAllBytes(path);
        bytes[bytes.Length / 2 / 512 * 512 + 60] ^= 1;
        bytes[^1] ^= 1;                                                         // in the end of the archive: no image is hit
        File.WriteAllBytes(path, bytes);
        var faults = ShardSource.Check(Request(Shards), default).Where(static finding => finding.Fault is not null).Select(static finding => finding.Fault!).ToList();
        Assert.Contains("train-000000.tar is damaged: its SHA-256 is not that of the index", faults[0]);
        Assert.All(faults.Skip(1), static fault => Assert.Contains("its checksum is not that of the index", fault));
    }

    [Fact]
    public void Sets_without_encoded_images_and_specifications_without_a_folder_are_refused()
    {
        string Mistake(Action act) => Assert.Throws<UserMistakeException>(act).Message;
        Assert.Contains("holds no JPEGs or PNGs", Mistake(() => ShardSource.Pack(new PackRequest(Request("synthetic"), _folder.File("out")), default)));
        Assert.Contains("write shards:DIR", Mistake(() => Datasets.Open(Request("shards"))));
        Assert.Contains("write shards:DIR", Mistake(() => Datasets.Open(Request("shards:"))));
        Assert.Contains("there is no folder", Mistake(() => Datasets.Open(Request("shards:" + _folder.File("nowhere")))));
    }
}
