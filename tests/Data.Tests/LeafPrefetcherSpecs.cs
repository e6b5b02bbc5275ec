using Cluster.Contracts;
using Cluster.Workers.Data;

namespace Cluster.Data.Tests;

public class LeafPrefetcherSpecs
{
    private static readonly ImageShape Small = new(3, 8, 8);
    private static readonly AugmentationOptions Augmented = new() { PadCrop = 2, Flip = true, Cutout = 3 };
    private const ulong Seed = 11;

    private static LeafPrefetcher Prefetcher(IDataset dataset, int leafSamples = 16, int slots = Limits.PrefetchedLeaves) =>
        new(dataset, new AugmentationPipeline(Augmented, dataset, Seed), Seed, leafSamples, "test", slots);

    private static StepPlan Plan(long step, int samples = 1000, int batch = 64, int leaves = 4) => StepPlan.For(new StepId(step), samples, batch, leaves);

    [Fact]
    public void A_leaf_holds_the_samples_of_its_place_in_the_epochs_order()
    {
        using var dataset = new FakeDataset(1000, Small);
        using var prefetcher = Prefetcher(dataset);
        var pipeline = new AugmentationPipeline(Augmented, dataset, Seed);
        var plan = Plan(18);                                            // second epoch: 16 steps an epoch
        Assert.Equal(1, plan.Epoch);
        var order = new SampleOrder(Seed, plan.Epoch, 1000);
        var (pixels, expected) = (new byte[Small.Floats], new float[Small.Floats]);
        prefetcher.Request(plan, 2);
        using var leaf = prefetcher.Take(plan, 2);
        var (first, count) = plan.Leaf(2);
        Assert.Equal(count, leaf.SampleCount);
        Assert.Equal(plan.DigestOf(2, order), leaf.SampleDigest);
        for (var i = 0; i < count; i++)
        {
            var sample = order.SampleAt(first + i);
            Assert.Equal(dataset.Read(sample, pixels), leaf.Batch.Labels[i]);
            pipeline.Apply(plan.Epoch, sample, pixels, expected);
            Assert.Equal(expected, leaf.Batch.Images.Slice(i * Small.Floats, Small.Floats).ToArray());
        }
    }

    [Fact]
    public void The_leaves_of_an_epoch_hold_every_sample_once_whoever_prepares_them()
    {
        using var dataset = new FakeDataset(1003, Small) { Records = true };
        using var even = Prefetcher(dataset);
        using var odd = Prefetcher(dataset);
        var steps = StepPlan.StepsPerEpoch(1003, 64);
        for (var step = 1; step <= steps; step++)
        {
            var plan = Plan(step, samples: 1003);
            for (var leaf = 0; leaf < plan.LeafCount; leaf++)
                using ((leaf % 2 == 0 ? even : odd).Take(plan, leaf)) { }
        }
        Assert.Equal(Enumerable.Range(0, 1003), dataset.ReadSamples.Order());
    }

    [Fact]
    public void A_short_last_step_gives_short_leaves()
    {
        using var dataset = new FakeDataset(1003, Small);
        using var prefetcher = Prefetcher(dataset);
        var plan = Plan(16, samples: 1003);                             // 43 samples left, three leaves
        Assert.Equal((43, 3), (plan.SampleCount, plan.LeafCount));
        using var leaf = prefetcher.Take(plan, 2);
        Assert.Equal(15, leaf.SampleCount);
        Assert.Equal(15 * Small.Floats, leaf.Batch.Images.Length);
    }

    [Fact]
    public void A_leaf_larger_than_the_slots_is_refused()
    {
        using var dataset = new FakeDataset(1000, Small);
        using var prefetcher = Prefetcher(dataset, leafSamples: 15);
        Assert.Contains("15", Assert.Throws<ArgumentException>(() => prefetcher.Request(Plan(1), 0)).Message);
    }
}
