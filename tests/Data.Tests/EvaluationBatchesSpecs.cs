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
        using var batches = new EvaluationBatches(new PixelSource(dataset, pipeline), batchSize: 100);
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
    public void What_cannot_be_decoded_is_missing_from_its_batch_and_named_with_its_place()
    {
        int[] bad = [3, 8, 9];
        using var dataset = new FakeDataset(20, Small) { OnRead = sample => { if (bad.Contains(sample)) throw new UnreadableSampleException(sample, $"image {sample} is cut"); } };
        using var whole = new FakeDataset(20, Small);
        using var batches = new EvaluationBatches(new PixelSource(dataset, new AugmentationPipeline(new AugmentationOptions(), dataset, 1)), batchSize: 10);
        using var expected = new EvaluationBatches(new PixelSource(whole, new AugmentationPipeline(new AugmentationOptions(), whole, 1)), batchSize: 10);
        var batch = batches.Prepare(0);
        var all = expected.Prepare(0);
        Assert.Equal(7, batch.Count);
        Assert.Equal([(3, 3, "image 3 is cut"), (8, 8, "image 8 is cut"), (9, 9, "image 9 is cut")], batches.Unreadable.Select(static u => (u.Place, u.Sample.Sample, u.Sample.Reason)));
        int[] left = [0, 1, 2, 4, 5, 6, 7];
        for (var i = 0; i < 7; i++)
        {
            Assert.Equal(all.Labels[left[i]], batch.Labels[i]);
            Assert.Equal(all.Images.Slice(left[i] * Small.Floats, Small.Floats).ToArray(), batch.Images.Slice(i * Small.Floats, Small.Floats).ToArray());
        }
        Assert.Equal(10, batches.Prepare(1).Count);
        Assert.Empty(batches.Unreadable);
    }

    [Fact]
    public void A_subset_is_drawn_without_repeats_over_the_whole_split_and_a_larger_one_holds_it()
    {
        static int[] Of(int wanted)
        {
            var subset = EvaluationSubset.Of(1003, wanted);
            return [.. Enumerable.Range(0, subset.Count).Select(subset.SampleAt)];
        }
        Assert.Equal(Enumerable.Range(0, 1003), Of(0));
        Assert.Equal(Enumerable.Range(0, 1003), Of(5000));
        var small = Of(100);
        Assert.Equal(100, small.Distinct().Count());
        Assert.All(small, static sample => Assert.InRange(sample, 0, 1002));
        Assert.InRange(small.Average(), 400, 600);
        Assert.Equal(small, Of(500)[..100]);
    }

    [Fact]
    public void Batches_of_a_subset_hold_its_samples_in_its_order()
    {
        using var dataset = new FakeDataset(1003, Small);
        using var batches = new EvaluationBatches(new PixelSource(dataset, new AugmentationPipeline(new AugmentationOptions(), dataset, 1)), batchSize: 40, samples: 90);
        Assert.Equal(3, batches.BatchCount);
        var (subset, pixels) = (EvaluationSubset.Of(1003, 90), new byte[Small.Floats]);
        for (var b = 0; b < 3; b++)
        {
            var labels = batches.Prepare(b).Labels;
            Assert.Equal(b < 2 ? 40 : 10, labels.Length);
            for (var i = 0; i < labels.Length; i++) Assert.Equal(dataset.Read(subset.SampleAt(b * 40 + i), pixels), labels[i]);
        }
    }

    [Fact]
    public void Any_range_can_be_prepared_and_no_other()
    {
        using var dataset = new FakeDataset(50, Small);
        using var batches = new EvaluationBatches(new PixelSource(dataset, new AugmentationPipeline(new AugmentationOptions(), dataset, 1)), batchSize: 20);
        Assert.Equal(9, batches.Prepare(41, 9).Count);
        Assert.Equal(1, batches.Prepare(41, 9).Labels[0]);
        Assert.Throws<ArgumentOutOfRangeException>(() => batches.Prepare(42, 9));
        Assert.Throws<ArgumentOutOfRangeException>(() => batches.Prepare(0, 21));
        Assert.Throws<ArgumentOutOfRangeException>(() => batches.Prepare(3));
        Assert.Throws<ArgumentOutOfRangeException>(() => batches.Prepare(-1));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    public void What_is_decoded_ahead_is_what_comes_and_what_is_asked_for_instead_comes_too(int threads)
    {
        using var dataset = new FakeDataset(1003, Small);
        var source = new PixelSource(dataset, new AugmentationPipeline(new AugmentationOptions(), dataset, 1));
        using var ahead = new EvaluationBatches(source, batchSize: 100, threads: threads);
        using var plain = new EvaluationBatches(source, batchSize: 100);
        foreach (var (batch, next) in new (int, int?)[] { (0, 1), (1, 2), (7, 8), (8, null), (3, 10), (10, 0), (2, 2), (2, null) })
        {
            var mine = ahead.Prepare(batch, next);
            var other = plain.Prepare(batch);
            Assert.Equal(other.Labels.ToArray(), mine.Labels.ToArray());
            Assert.True(other.Images.SequenceEqual(mine.Images));
        }
    }

    [Fact]
    public void Samples_that_cannot_be_decoded_are_named_with_their_places_and_the_others_close_up()
    {
        int[] bad = [3, 4, 49];
        using var dataset = new FakeDataset(50, Small) { OnRead = sample => { if (bad.Contains(sample)) throw new UnreadableSampleException(sample, $"{sample} is cut"); } };
        using var batches = new EvaluationBatches(new PixelSource(dataset, new AugmentationPipeline(new AugmentationOptions(), dataset, 1)), batchSize: 50, threads: 3);
        var labels = batches.Prepare(0).Labels.ToArray();
        Assert.Equal(Enumerable.Range(0, 50).Except(bad).Select(static s => (long)(s % 10)), labels);
        Assert.Equal([(3, "3 is cut"), (4, "4 is cut"), (49, "49 is cut")], batches.Unreadable.Select(static u => (u.Place, u.Sample.Reason)));
        dataset.OnRead = null;
        Assert.Equal(50, batches.Prepare(0).Count);
        Assert.Empty(batches.Unreadable);
    }

    [Fact]
    public void A_medium_that_fails_fails_the_batch_that_is_asked_for_and_no_other()
    {
        using var dataset = new FakeDataset(100, Small) { OnRead = static sample => { if (sample == 60) throw new ClusterException("the disk is gone"); } };
        using var batches = new EvaluationBatches(new PixelSource(dataset, new AugmentationPipeline(new AugmentationOptions(), dataset, 1)), batchSize: 50, threads: 2);
        Assert.Equal(50, batches.Prepare(0, next: 1).Count);
        Assert.Equal(50, batches.Prepare(0).Count);
        Assert.Equal("the disk is gone", Assert.Throws<ClusterException>(() => { batches.Prepare(1); }).Message);
        dataset.OnRead = null;
        Assert.Equal(50, batches.Prepare(1).Count);
    }

    [Fact]
    public void Batches_allocate_nothing_once_made()
    {
        using var dataset = new FakeDataset(500, Small);
        using var batches = new EvaluationBatches(new PixelSource(dataset, new AugmentationPipeline(new AugmentationOptions(), dataset, 1)), batchSize: 100);
        batches.Prepare(0);
        Assert.Equal(0, Allocations.Of(() =>
        {
            for (var b = 0; b < batches.BatchCount; b++) batches.Prepare(b);
        }));
    }
}
