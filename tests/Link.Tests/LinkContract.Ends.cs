using Cluster.Contracts;

namespace Cluster.Link.Tests;

public abstract partial class LinkContract
{
    private static void AssertEnds(Peers peers, LinkEnd end, string near, string far)
    {
        var (atNear, atFar) = (peers.Near.WaitForClosed(), peers.Far.WaitForClosed());
        Assert.Equal((end, end), (atNear.End, atFar.End));
        Assert.Equal((false, true), (atNear.ByPeer, atFar.ByPeer));
        Assert.Contains(near, atNear.Sentence);
        Assert.Contains(far, atFar.Sentence);
        Assert.Equal((1, 1), (peers.Near.ClosedCount, peers.Far.ClosedCount));
        Assert.Same(atNear, peers.Near.Link.Closure);
        peers.Near.AssertNothingLeaked();
        peers.Far.AssertNothingLeaked();
    }

    [Fact]
    public void Finished_link_delivers_what_was_queued_and_both_ends_learn_the_reason()
    {
        // 160 MB: more than the default limit's worth on a busy machine.
        using var peers = Connect(options: LinkOptions.Default with { DrainLimit = Recorder.Patience });
        using var tensor = Numbers(2_000_000, 1);
        for (var i = 0; i < 20; i++)
        {
            peers.Near.Link.SendControl((ushort)i, new byte[10_000]);
            peers.Near.Link.SendBulk((ushort)i, [], tensor, 0, tensor.Length);
        }
        peers.Near.Link.Close(LinkEnd.Finished, "the run is over");
        for (var i = 0; i < 20; i++)
        {
            Assert.Equal(i, peers.Far.NextControl().Type);
            using var arrival = peers.Far.NextBulk();
            Assert.Equal(i, arrival.Type);
        }
        AssertEnds(peers, LinkEnd.Finished, "the run is over", "the run is over");
    }

    [Fact]
    public void Dismissed_link_ends_at_once_and_releases_what_waits()
    {
        using var gate = new ManualResetEventSlim();
        using var pool = new NativeBufferPool(1_000_000, _memory);
        using var far = new Recorder { BulkGate = gate };
        using var peers = Connect(far: far);
        for (var i = 0; i < 20; i++)
        {
            using var buffer = pool.Rent();
            peers.Near.Link.SendBulk(1, [], buffer, 0, buffer.Length);
        }
        peers.Near.Link.Close(LinkEnd.Dismissed, "its place is taken");
        peers.Near.Link.Close(LinkEnd.Dismissed, "a second reason that nobody hears");
        gate.Set();
        AssertEnds(peers, LinkEnd.Dismissed, "its place is taken", "its place is taken");
        AssertAllBack(pool);
    }

    [Fact]
    public void Nothing_is_taken_after_the_end()
    {
        using var pool = new NativeBufferPool(100, _memory);
        using var peers = Connect();
        peers.Near.Link.Close(LinkEnd.Finished, "done");
        using (var buffer = pool.Rent())
        {
            Assert.False(peers.Near.Link.SendControl(1, [1]));
            Assert.False(peers.Near.Link.SendBulk(1, [], buffer, 0, 10));
            peers.Far.WaitForClosed();
            Assert.False(peers.Far.Link.SendControl(1, [1]));
            Assert.False(peers.Far.Link.SendBulk(1, [], buffer, 0, 10));
        }
        AssertAllBack(pool);
    }

    [Fact]
    public void Both_ends_may_close_at_once()
    {
        for (var round = 0; round < 20; round++)
        {
            using var peers = Connect();
            using var tensor = Numbers(200_000, 1);
            peers.Near.Link.SendBulk(1, [], tensor, 0, tensor.Length);
            peers.Far.Link.SendBulk(1, [], tensor, 0, tensor.Length);
            var end = round % 2 == 0 ? LinkEnd.Finished : LinkEnd.Dismissed;
            Parallel.Invoke(() => peers.Near.Link.Close(end, "near"), () => peers.Far.Link.Close(end, "far"));
            Assert.Equal(end, peers.Near.WaitForClosed().End);
            Assert.Equal(end, peers.Far.WaitForClosed().End);
            Assert.Equal((1, 1), (peers.Near.ClosedCount, peers.Far.ClosedCount));
        }
    }

    [Fact]
    public void Handler_that_throws_ends_its_link_with_the_cause()
    {
        using var near = new Recorder { OnControl = (_, _, _) => throw new InvalidOperationException("cannot digest that") };
        using var peers = Connect(near: near);
        peers.Far.Link.SendControl(1, []);
        AssertEnds(peers, LinkEnd.HandlerFailed, "cannot digest that", "cannot digest that");
        Assert.IsType<InvalidOperationException>(near.Closure!.Cause);
    }

    [Fact]
    public void Handler_may_close_its_own_link()
    {
        using var near = new Recorder { OnControl = (link, type, _) => link.Close(LinkEnd.Protocol, $"type {type} is unknown here") };
        using var peers = Connect(near: near);
        peers.Far.Link.SendControl(77, []);
        AssertEnds(peers, LinkEnd.Protocol, "type 77 is unknown here", "type 77 is unknown here");
    }

    [Fact]
    public void Tensors_that_nobody_takes_end_the_link_after_the_limit()
    {
        using var gate = new ManualResetEventSlim();
        using var pool = new NativeBufferPool(1_000_000, _memory);
        using var far = new Recorder { BulkGate = gate };
        using var peers = Connect(far: far, options: LinkOptions.Default with { BulkQueueBytes = 1 << 20, BackPressureLimit = TimeSpan.FromMilliseconds(200) });
        var taken = 0;
        for (; taken < 100; taken++)
        {
            using var buffer = pool.Rent();
            if (!peers.Near.Link.SendBulk(1, [], buffer, 0, buffer.Length)) break;
        }
        Assert.InRange(taken, 1, 20);
        gate.Set();
        AssertEnds(peers, LinkEnd.BackPressure, "took no tensors for 0.2 s while 1 MiB waited", "took no tensors");
        AssertAllBack(pool);
    }

    [Fact]
    public void Message_for_which_there_was_no_room_comes_when_there_is()
    {
        // Some number of messages ends just where the system's buffers are full: the rest of the last one may not be forgotten.
        for (var count = 1; count <= 10; count++)
        {
            using var gate = new ManualResetEventSlim();
            using var far = new Recorder { ControlGate = gate };
            using var peers = Connect(far: far);
            for (var i = 0; i < count; i++) Assert.True(peers.Near.Link.SendControl((ushort)i, new byte[Limits.LinkControlBytes]));
            gate.Set();
            for (var i = 0; i < count; i++) Assert.Equal(i, far.NextControl().Type);
        }
    }

    [Fact]
    public void Control_messages_that_nobody_reads_end_the_link_and_never_block()
    {
        using var gate = new ManualResetEventSlim();
        using var far = new Recorder { ControlGate = gate };
        using var peers = Connect(far: far);
        var body = new byte[Limits.LinkControlBytes];
        var sent = 0;
        while (sent < 100 && peers.Near.Link.SendControl(1, body)) sent++;
        Assert.InRange(sent, Limits.LinkControlQueueBytes / Limits.LinkControlBytes - 1, 40);
        Assert.Equal(LinkEnd.ControlOverflow, peers.Near.WaitForClosed().End);
        Assert.Contains("does not read", peers.Near.Closure!.Sentence);
        gate.Set();
        peers.Far.WaitForClosed();
    }
}
