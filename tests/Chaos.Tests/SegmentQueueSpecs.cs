using Cluster.Chaos.Proxy;

namespace Cluster.Chaos.Tests;

public sealed class SegmentQueueSpecs
{
    private static TimeSpan At(double ms) => TimeSpan.FromMilliseconds(ms);

    [Fact]
    public void Bytes_keep_their_order_whatever_delay_each_segment_drew()
    {
        var queue = new SegmentQueue();
        queue.Add([1, 2], At(50));
        queue.Add([3], At(20));
        queue.Add([4], At(60));
        Assert.Equal((4, At(50)), (queue.Bytes, queue.NextDue));
        Assert.True(queue.Peek(At(49)).IsEmpty);
        Assert.Equal([1, 2], queue.Peek(At(50)).ToArray());
        queue.Take(1);
        Assert.Equal([2], queue.Peek(At(50)).ToArray());
        queue.Take(1);
        Assert.Equal([3], queue.Peek(At(50)).ToArray());
        queue.Take(1);
        Assert.True(queue.Peek(At(59)).IsEmpty);
        Assert.Equal([4], queue.Peek(At(60)).ToArray());
        queue.Take(1);
        Assert.Equal((0, TimeSpan.MaxValue), (queue.Bytes, queue.NextDue));
    }

    [Fact]
    public void Shorter_delay_holds_for_what_is_under_way_as_well()
    {
        var queue = new SegmentQueue();
        queue.Add([1], At(10));
        queue.Add([2], At(9_000));
        queue.Hasten(At(100));
        queue.Take(1);
        Assert.Equal(At(100), queue.NextDue);
        queue.Add([3], At(50));
        queue.Take(1);
        Assert.Equal(At(100), queue.NextDue);
        queue.Clear();
        Assert.Equal((0, TimeSpan.MaxValue), (queue.Bytes, queue.NextDue));
    }
}
