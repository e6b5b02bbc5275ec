using Cluster.Contracts;

namespace Cluster.Contracts.Tests;

public sealed class StepPlanSpecs
{
    [Theory]
    [InlineData(50_000, 512, 8)]
    [InlineData(1000, 96, 8)]
    [InlineData(97, 10, 5)]
    [InlineData(7, 64, 8)]
    [InlineData(1, 1, 1)]
    [InlineData(513, 512, 512)]
    public void Leaves_of_an_epoch_are_disjoint_complete_and_even(int samples, int batch, int microbatches)
    {
        var steps = StepPlan.StepsPerEpoch(samples, batch);
        Assert.Equal((samples + batch - 1) / batch, steps);
        foreach (var epoch in new long[] { 0, 1, 7 })
        {
            var position = 0;
            for (var i = 0; i < steps; i++)
            {
                var plan = StepPlan.For(new StepId(epoch * steps + i + 1), samples, batch, microbatches);
                Assert.Equal((epoch, position), (plan.Epoch, plan.FirstPosition));
                Assert.Equal(Math.Min(batch, samples - position), plan.SampleCount);
                Assert.Equal(Math.Min(microbatches, (int)Math.Ceiling((decimal)plan.SampleCount * microbatches / batch)), plan.LeafCount);
                var sizes = new List<int>();
                for (var leaf = 0; leaf < plan.LeafCount; leaf++)
                {
                    var (first, count) = plan.Leaf(leaf);
                    Assert.Equal(position, first);
                    sizes.Add(count);
                    position += count;
                }
                Assert.InRange(sizes.Max() - sizes.Min(), 0, 1);
                Assert.True(sizes.Min() >= 1);
            }
            Assert.Equal(samples, position);
        }
    }

    [Fact]
    public void Digest_of_a_leaf_is_that_of_its_samples_in_order()
    {
        var plan = StepPlan.For(new StepId(2), 100, 40, 4);
        var order = new SampleOrder(9, plan.Epoch, 100);
        var (first, count) = plan.Leaf(1);
        var digest = new SampleDigest();
        foreach (var position in Enumerable.Range(first, count)) digest.Add(order.SampleAt(position));
        Assert.Equal((50, 10), (first, count));
        Assert.Equal(digest.Value, plan.DigestOf(1, order));
        Assert.NotEqual(plan.DigestOf(0, order), plan.DigestOf(1, order));
    }

    [Fact]
    public void Batches_that_microbatches_do_not_divide_are_refused()
    {
        Assert.Contains("not divisible", Assert.Throws<ArgumentException>(() => StepPlan.For(new StepId(1), 100, 10, 3)).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentOutOfRangeException>(() => StepPlan.For(new StepId(0), 100, 10, 5));
        Assert.Throws<ArgumentOutOfRangeException>(() => StepPlan.For(new StepId(1), 100, 10, 5).Leaf(5));
    }
}
