using Cluster.Chaos.Proxy;

namespace Cluster.Chaos.Tests;

public sealed class TokenBucketSpecs
{
    private static readonly TimeSpan Start = TimeSpan.FromHours(1);

    [Theory]
    [InlineData(1_000, 1_448)]
    [InlineData(4e6, 20_000)]
    [InlineData(1e9, 5_000_000)]
    public void Bucket_lets_its_rate_and_one_burst_pass_however_it_is_asked(double rate, int burst)
    {
        var random = new Random(3);
        var bucket = new TokenBucket(rate, burst, Start);
        var (now, taken) = (Start, 0L);
        for (var i = 0; i < 20_000; i++)
        {
            var got = bucket.Take(now, 1 + random.Next(2 * burst));
            taken += got;
            Assert.InRange(taken, 0, burst + ((now - Start).TotalSeconds * rate) + 1);
            now += TimeSpan.FromSeconds(random.NextDouble() * burst / rate / 4);
        }
        // Asked for more than it has at steps far below a burst: nothing that came back was lost.
        Assert.InRange(taken, (0.999 * (now - Start).TotalSeconds * rate) - (2 * burst), double.MaxValue);
    }

    [Fact]
    public void Bucket_is_ready_at_the_time_that_it_names_and_no_sooner()
    {
        var bucket = new TokenBucket(1_000_000, 5_000, Start);
        Assert.Equal(5_000, bucket.Take(Start, 9_000));
        var ready = bucket.ReadyAt(Start, 2_000);
        Assert.InRange((ready - Start).TotalMilliseconds, 2, 2.01);
        Assert.InRange(bucket.Take(ready - TimeSpan.FromMicroseconds(100), 2_000), 1_890, 1_910);
        Assert.InRange(bucket.Take(ready, 2_000), 90, 110);
        Assert.Equal(ready, bucket.ReadyAt(ready, 0));
    }

    [Fact]
    public void What_is_given_back_may_pass_again_and_a_pause_saves_up_no_more_than_a_burst()
    {
        var bucket = new TokenBucket(1_000, 3_000, Start);
        Assert.Equal(2_500, bucket.Take(Start, 2_500));
        bucket.Return(2_000);
        Assert.Equal(2_500, bucket.Take(Start, 9_999));
        Assert.Equal(3_000, bucket.Take(Start + TimeSpan.FromDays(1), 9_999));
        Assert.Equal(0, bucket.Take(Start, 1));
    }
}
