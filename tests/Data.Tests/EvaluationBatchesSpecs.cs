using Cluster.Contracts;
using Cluster.Workers.Data;

namespace Cluster.Data.Tests;

public class EvaluationBatchesSpecs
{
    private static readonly ImageShape Small = new(3, 4, 5);

    [Fact]
    public void Batches_cover_the_split_once_in_order_and_the_last_is_short()
    {
        using var dataset = new FakeDataset(1003, Small);
        var pipeline = new AugmentationPipeline(new AugmentationOptions { PadCrop = 2, Flip = true, Cutout = 3 }, dataset, 1);
        using var batches = new EvaluationBatches(dataset, pipeline, batchSize: 100);
        Assert.Equal(11, batches.BatchCount);
        var (next, pixels, expected) = (0, new byte[Small.Floats], new float[Small.Floats]);
        for (var b = 0; b < batches.BatchCount; b++)
        {
            var batch = batches.Prepare(b);
            Assert.Equal(b < 10 ? 100 : 3, batch.Count);
            for (var i = 0; i < batch.Count; i++, next++)
            {
                Assert.Equal(dataset.Read(next, pixels), batch.Labels[i]);
                pipeline.Normalize(pixels, expected);                              // no augmentation
                Assert.Equal(expected, batch.Images.Slice(i * Small.Floats, Small.Floats).ToArray());
            }
        }
        Assert.Equal(1003, next);
    }

    [Fact]
    public void Any_range_can_be_prepared_and_no_other()
    {
        using var dataset = new FakeDataset(50, Small);
        using var batches = new EvaluationBatches(dataset, new AugmentationPipeline(new AugmentationOptions(), dataset, 1), batchSize: 20);
        Assert.Equal(9, batches.Prepare(41, 9).Count);
        Assert.Equal(1, batches.Prepare(41, 9).Labels[0]);
        Assert.Throws<ArgumentOutOfRangeException>(() => batches.Prepare(42, 9));
        Assert.Throws<ArgumentOutOfRangeException>(() => batches.Prepare(0, 21));
        Assert.Throws<ArgumentOutOfRangeException>(() => batches.Prepare(3));
        Assert.Throws<ArgumentOutOfRangeException>(() => batches.Prepare(-1));
    }

    [Fact]
    public void Batches_allocate_nothing_once_made()
    {
        using var dataset = new FakeDataset(500, Small);
        using var batches = new EvaluationBatches(dataset, new AugmentationPipeline(new AugmentationOptions(), dataset, 1), batchSize: 100);
        batches.Prepare(0);
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var b = 0; b < batches.BatchCount; b++) batches.Prepare(b);
        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
    }
}
