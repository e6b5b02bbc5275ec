using System.Diagnostics;
using Cluster.Contracts;
using Cluster.Workers.Data;
using Cluster.Workers.Data.Shards;

namespace Cluster.Data.Tests.Shards;

/// <summary>Reading what the system has in memory without a block of our own.</summary>
public sealed class CachedReadsSpecs
{
    private static byte[] Expected(PackedFolder pack, int sample) => pack.Train.BytesOf(new SampleOrder(0, 0, pack.Train.Count).SampleAt(sample));

    [Theory]
    [InlineData(120_000)]
    [InlineData(3_000)]
    public void What_was_just_written_is_read_without_a_block(int mostBytes)
    {
        using var pack = new PackedFolder(400, val: 2, shardBytes: 3_000_000, salt: 0, mostBytes: mostBytes);
        SkipWithoutPageCache(pack);
        using var images = new ShardImages(pack.Open().Train, pack.Path, slots: 4, "spec");
        ReadAll(pack, images, step: 1);
        ReadAll(pack, images, step: 7);
        Assert.Equal(0, images.Cache.Loads);
    }

    [Theory]
    [InlineData(120_000)]
    [InlineData(3_000)]
    public void What_was_dropped_from_the_page_cache_comes_in_blocks(int mostBytes)
    {
        using var pack = new PackedFolder(400, val: 2, shardBytes: 3_000_000, salt: 0, mostBytes: mostBytes);
        SkipWithoutPageCache(pack);
        var index = pack.Open().Train;
        foreach (var shard in index.Shards) Drop(pack.File(shard.Name));
        using var images = new ShardImages(index, pack.Path, slots: 4, "spec");
        using (var file = File.OpenHandle(pack.File(index.Shards[0].Name)))
            Assert.SkipWhen(PageCache.TryRead(file, 0, new byte[index.Shards[0].Length]), "this file system keeps what it was asked to drop");
        ReadAll(pack, images, step: 1);
        Assert.True(images.Cache.Loads > 0);
    }

    [Fact]
    public void Threads_that_read_small_images_in_order_do_not_see_each_others_windows()
    {
        using var pack = new PackedFolder(400, val: 2, shardBytes: 300_000, salt: 0, mostBytes: 3_000);
        using var images = new ShardImages(pack.Open().Train, pack.Path, slots: 4, "spec");
        Parallel.For(0, 4, new ParallelOptions { MaxDegreeOfParallelism = 4 }, thread =>
        {
            var buffer = Array.Empty<byte>();
            for (var i = 0; i < 400; i++)
            {
                var sample = (i + thread * 100) % 400;
                var length = images.Read(sample, ref buffer);
                Assert.True(Expected(pack, sample).AsSpan().SequenceEqual(buffer.AsSpan(0, length)));
            }
        });
    }

    private static void ReadAll(PackedFolder pack, ShardImages images, int step)
    {
        var buffer = Array.Empty<byte>();
        for (var i = 0; i < images.Count; i++)
        {
            var sample = i * step % images.Count;
            var length = images.Read(sample, ref buffer);
            Assert.True(Expected(pack, sample).AsSpan().SequenceEqual(buffer.AsSpan(0, length)));
        }
    }

    private static void SkipWithoutPageCache(PackedFolder pack)
    {
        using var file = File.OpenHandle(pack.File(pack.Open().Train.Shards[0].Name));
        Assert.SkipUnless(PageCache.TryRead(file, 0, new byte[512]), "this file system cannot say what is in the page cache (preadv2, RWF_NOWAIT)");
    }

    private static void Drop(string path)
    {
        using (var written = File.OpenWrite(path)) written.Flush(flushToDisk: true);
        using var dd = Process.Start(new ProcessStartInfo("dd", [$"if={path}", "iflag=nocache", "count=0"]) { RedirectStandardError = true, UseShellExecute = false })!;
        dd.StandardError.ReadToEnd();
        dd.WaitForExit();
    }
}
