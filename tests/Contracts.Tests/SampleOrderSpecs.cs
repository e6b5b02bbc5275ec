using Cluster.Contracts;

namespace Cluster.Contracts.Tests;

public sealed class SampleOrderSpecs
{
    private static int[] All(ulong seed, long epoch, int count)
    {
        var order = new SampleOrder(seed, epoch, count);
        return [.. Enumerable.Range(0, count).Select(order.SampleAt)];
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    [InlineData(16)]
    [InlineData(17)]
    [InlineData(97)]
    [InlineData(1000)]
    [InlineData(50_000)]
    public void Order_is_a_bijection_for_every_seed_and_epoch(int count)
    {
        foreach (var seed in new ulong[] { 0, 1, 11, ulong.MaxValue })
            for (var epoch = 0; epoch < 3; epoch++)
                Assert.Equal(Enumerable.Range(0, count), All(seed, epoch, count).Order());
    }

    [Fact]
    public void Order_differs_by_epoch_and_by_seed()
    {
        Assert.NotEqual(All(1, 0, 1000), All(1, 1, 1000));
        Assert.NotEqual(All(1, 0, 1000), All(2, 0, 1000));
        Assert.Equal(All(1, 0, 1000), All(1, 0, 1000));
    }

    [Fact]
    public void Order_mixes_well_enough_that_few_samples_stay_near_their_place()
    {
        // Of a random permutation of 50,000, about 2 * 500 / 50,000 = 2 % lie within 500 places of home, and one is fixed.
        for (var epoch = 0; epoch < 4; epoch++)
        {
            var order = All(3, epoch, 50_000);
            Assert.InRange(order.Where((sample, position) => Math.Abs(sample - position) < 500).Count() / 50_000.0, 0.015, 0.025);
            Assert.InRange(order.Where((sample, position) => sample == position).Count(), 0, 8);
        }
    }

    [Fact]
    public void Order_of_a_seed_never_changes_between_releases() =>
        Assert.Equal([46556, 46767, 39391, 27104, 8714, 27477, 49612, 918], All(1, 0, 50_000).Take(8));

    [Fact]
    public void Positions_outside_the_epoch_are_refused()
    {
        var order = new SampleOrder(1, 0, 10);
        Assert.Throws<ArgumentOutOfRangeException>(() => order.SampleAt(10));
        Assert.Throws<ArgumentOutOfRangeException>(() => order.SampleAt(-1));
        Assert.Throws<ArgumentOutOfRangeException>(() => new SampleOrder(1, 0, 0));
        Assert.Throws<ArgumentOutOfRangeException>(() => new SampleOrder(1, -1, 10));
    }

    [Fact]
    public void Digest_tells_order_length_and_ids_apart()
    {
        ulong Of(params int[] ids)
        {
            var digest = new SampleDigest();
            foreach (var id in ids) digest.Add(id);
            return digest.Value;
        }
        ulong[] digests = [Of(), Of(0), Of(0, 0), Of(1), Of(0, 1), Of(1, 0), Of(2, 1, 0), Of(int.MaxValue)];
        Assert.Equal(digests.Length, digests.Distinct().Count());
        Assert.Equal(Of(5, 6), Of(5, 6));
    }
}
