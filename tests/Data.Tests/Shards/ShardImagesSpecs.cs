using Cluster.Contracts;
using Cluster.Workers.Data;
using Cluster.Workers.Data.Shards;

namespace Cluster.Data.Tests.Shards;

/// <summary>Reading through the block cache.</summary>
public sealed class ShardImagesSpecs
{
    /// <summary>As <see cref="PackedFolder"/> orders what it packs.</summary>
    private static byte[] Expected(PackedFolder pack, int sample) => pack.Train.BytesOf(new SampleOrder(0, 0, pack.Train.Count).SampleAt(sample));

    private static (ShardImages Images, ShardIndex Index) Open(PackedFolder pack, int slots)
    {
        var index = pack.Open().Train;
        return (new ShardImages(index, pack.Path, slots, "spec"), index);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Every_sample_has_its_bytes_and_its_class_in_any_order_with_any_number_of_blocks_in_memory(bool triesPageCache)
    {
        using var large = Large(400);
        foreach (var slots in new[] { 1, 2, 3, 5, 100 })
        {
            using var images = new ShardImages(large.Open().Train, large.Path, slots, "spec", triesPageCache);
            Assert.InRange(images.Cache.BlockCount, 10, 30);
            var buffer = Array.Empty<byte>();
            foreach (var step in new[] { 1, 7, 173 })
                for (var i = 0; i < 400; i += step == 1 ? 1 : 3)
                {
                    var sample = i * step % 400;
                    var length = images.Read(sample, ref buffer);
                    Assert.True(Expected(large, sample).AsSpan().SequenceEqual(buffer.AsSpan(0, length)));
                }
        }
    }

    [Fact]
    public void Threads_share_blocks_and_read_each_from_disk_once_while_it_fits()
    {
        using var large = Large(400);
        using var images = new ShardImages(large.Open().Train, large.Path, slots: 100, "spec", triesPageCache: false);
        Parallel.For(0, 8, new ParallelOptions { MaxDegreeOfParallelism = 8 }, thread =>
        {
            var buffer = Array.Empty<byte>();
            for (var i = 0; i < 400; i++)
            {
                var sample = (i * 37 + thread * 50) % 400;
                var length = images.Read(sample, ref buffer);
                Assert.True(Expected(large, sample).AsSpan().SequenceEqual(buffer.AsSpan(0, length)));
            }
        });
        Assert.Equal(images.Cache.BlockCount, images.Cache.Loads);
    }

    [Fact]
    public void Threads_that_want_more_blocks_than_fit_get_them_in_turn()
    {
        using var large = Large(400);
        using var images = new ShardImages(large.Open().Train, large.Path, slots: 2, "spec", triesPageCache: false);
        Parallel.For(0, 6, new ParallelOptions { MaxDegreeOfParallelism = 6 }, thread =>
        {
            var buffer = Array.Empty<byte>();
            for (var i = 0; i < 150; i++)
            {
                var sample = (i * 61 + thread * 67) % 400;
                var length = images.Read(sample, ref buffer);
                Assert.True(Expected(large, sample).AsSpan().SequenceEqual(buffer.AsSpan(0, length)));
            }
        });
    }

    [Fact]
    public void In_the_order_of_an_epoch_every_block_is_read_from_disk_once()
    {
        using var large = Large(400);
        var index = large.Open().Train;
        var layout = new OrderLayout(index.Order.BlockSamples, 3);
        using var images = new ShardImages(index, large.Path, slots: 2 * 3 + 2, "spec", triesPageCache: false);
        var (order, buffer) = (new SampleOrder(4, 2, 400, layout), Array.Empty<byte>());
        for (var position = 0; position < 400; position++)
        {
            if (position % 16 == 0) images.Expect(order, position);
            images.Read(order.SampleAt(position), ref buffer);
        }
        // The next epoch's first blocks may have been fetched ahead already.
        Assert.InRange(images.Cache.Loads, images.Cache.BlockCount, images.Cache.BlockCount + 3);
    }

    [Fact]
    public void Nothing_is_allocated_for_a_sample_in_steady_state_neither_by_who_reads_nor_by_who_reads_ahead()
    {
        // Of one size, so that no block is larger than the first ones.
        using var even = new PackedFolder(400, val: 2, shardBytes: 3_000_000, mostBytes: 60_000, isEven: true);
        var index = even.Open().Train;
        using var images = new ShardImages(index, even.Path, slots: 4, "spec");
        var buffer = new byte[128 * 1024];
        void Epoch()
        {
            for (var i = 0; i < 400; i++) images.Read(i, ref buffer);
        }
        Epoch();
        Epoch();
        Assert.Equal(0, Allocations.Of(Epoch));

        // What the read-ahead thread does over and over.
        using var files = new ShardFiles(even.Path, index);
        var (block, samples) = (new ShardBlock(), index.Order.BlockSamples);
        void LoadAll()
        {
            for (var first = 0; first + samples <= 400; first += samples) block.Load(index.Samples.AsSpan(first, samples), files);
        }
        LoadAll();
        Assert.Equal(0, Allocations.Of(LoadAll));
    }

    [Fact]
    public void A_flipped_byte_makes_one_sample_unreadable_and_says_where()
    {
        using var pack = new PackedFolder();
        var (images, index) = Open(pack, 10);
        using (images)
        {
            var place = index.Samples[123];
            using (var file = File.OpenWrite(pack.File(index.Shards[place.Shard].Name)))
            {
                file.Position = place.Offset + place.Length / 2;
                file.WriteByte((byte)~Expected(pack, 123)[place.Length / 2]);
            }
            var buffer = Array.Empty<byte>();
            for (var i = 0; i < 300; i++)
            {
                if (i != 123)
                {
                    images.Read(i, ref buffer);
                    continue;
                }
                var e = Assert.Throws<UnreadableSampleException>(() => images.Read(123, ref buffer));
                Assert.Equal(123, e.Sample);
                Assert.Contains($"{index.Shards[place.Shard].Name}, 000000123.jpg at byte {place.Offset}: its checksum is not that of the index", e.Message);
            }
        }
    }

    [Fact]
    public void A_shard_that_is_cut_during_the_run_loses_its_last_samples_alone()
    {
        using var pack = new PackedFolder();
        var (images, index) = Open(pack, 10);
        using (images)
        {
            var cut = index.Samples[200].Shard;
            var last = Array.FindLastIndex(index.Samples, sample => sample.Shard == cut);
            using (var file = File.OpenWrite(pack.File(index.Shards[cut].Name))) file.SetLength(index.Samples[200].Offset + 1);
            var buffer = Array.Empty<byte>();
            Assert.True(last > 201);
            for (var i = 0; i < 300; i++)
            {
                if (i < 200 || i > last) images.Read(i, ref buffer);
                else Assert.Contains("the shard ends before the image does", Assert.Throws<UnreadableSampleException>(() => images.Read(i, ref buffer)).Message);
            }
        }
    }

    [Fact]
    public void A_shard_that_vanishes_before_it_was_opened_ends_the_reading_with_its_name_and_comes_back()
    {
        using var pack = new PackedFolder();
        var (images, index) = Open(pack, 10);
        using (images)
        {
            var path = pack.File(index.Shards[0].Name);
            File.Move(path, path + ".away");
            var buffer = Array.Empty<byte>();
            var e = Assert.Throws<ClusterException>(() => images.Read(0, ref buffer));
            Assert.IsNotType<UnreadableSampleException>(e);
            Assert.Contains("train-000000.tar is gone", e.Message);
            File.Move(path + ".away", path);
            images.Read(0, ref buffer);
        }
    }

    [Fact]
    public void Who_waits_when_the_set_is_closed_is_told()
    {
        using var pack = new PackedFolder();
        var (images, _) = Open(pack, 10);
        var buffer = Array.Empty<byte>();
        images.Read(0, ref buffer);
        images.Dispose();
        images.Dispose();
        Assert.Throws<ObjectDisposedException>(() => images.Read(0, ref buffer));
    }

    /// <summary>Images of about 60 kB in shards of 3 MB: a block spans two of them now and then.</summary>
    private static PackedFolder Large(int count) => new(count, val: 2, shardBytes: 3_000_000, salt: 0, mostBytes: 120_000);
}
