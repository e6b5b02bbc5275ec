using Cluster.Contracts;

namespace Cluster.Link.Tests;

public abstract partial class LinkContract
{
    [Fact]
    public void Largest_control_message_arrives_and_a_larger_one_is_the_callers_mistake()
    {
        using var peers = Connect();
        var body = new byte[Limits.LinkControlBytes];
        new Random(1).NextBytes(body);
        Assert.True(peers.Near.Link.SendControl(1, body));
        Assert.Equal(body, peers.Far.NextControl().Body);
        Assert.Throws<ArgumentOutOfRangeException>(() => peers.Near.Link.SendControl(1, new byte[Limits.LinkControlBytes + 1]));
        Assert.Throws<ArgumentOutOfRangeException>(() => peers.Near.Link.SendControl(Limits.LinkReservedTypes, []));
        Assert.Null(peers.Near.Closure);
    }

    [Fact]
    public void Range_outside_the_buffer_is_the_callers_mistake()
    {
        using var peers = Connect();
        using var tensor = Numbers(10, 0);
        Assert.Throws<ArgumentOutOfRangeException>(() => peers.Near.Link.SendBulk(1, [], tensor, 8, 3));
        Assert.Throws<ArgumentOutOfRangeException>(() => peers.Near.Link.SendBulk(1, [], tensor, -1, 3));
        Assert.Throws<ArgumentOutOfRangeException>(() => peers.Near.Link.SendBulk(1, new byte[Limits.LinkHeaderBytes + 1], tensor, 0, 1));
        Assert.Throws<ArgumentOutOfRangeException>(() => peers.Near.Link.SendBulk(Limits.LinkReservedTypes, [], tensor, 0, 1));
    }

    [Fact]
    public void Control_passes_a_burst_of_tensors_in_both_directions_at_once()
    {
        using var peers = Connect();
        using var tensor = Numbers(1_000_000, 3);
        const int frames = 40;
        var senders = new[] { peers.Near.Link, peers.Far.Link }.Select(link => new Thread(() =>
        {
            for (var i = 0; i < frames; i++) link.SendBulk((ushort)i, BitConverter.GetBytes(i), tensor, 0, tensor.Length - i);
        })).ToArray();
        foreach (var sender in senders) sender.Start();
        for (var i = 0; i < 100; i++)
        {
            peers.Near.Link.SendControl(7, BitConverter.GetBytes(i));
            Assert.Equal(i, BitConverter.ToInt32(peers.Far.NextControl().Body));
        }
        foreach (var recorder in new[] { peers.Near, peers.Far })
        {
            for (var i = 0; i < frames; i++)
            {
                using var arrival = recorder.NextBulk();
                Assert.Equal(i, arrival.Type);
                Assert.Equal(i, BitConverter.ToInt32(arrival.Header));
                Assert.Equal(tensor.Length - i, arrival.Floats);
                Assert.True(tensor.Span[..arrival.Floats].SequenceEqual(arrival.Values));
            }
            recorder.AssertNothingLeaked();
        }
        foreach (var sender in senders) sender.Join();
    }

    [Fact]
    public void Many_links_of_one_listener_do_not_mix()
    {
        const int count = 40;
        var far = Enumerable.Range(0, count).Select(_ => new Recorder()).ToArray();
        var near = Enumerable.Range(0, count).Select(_ => new Recorder()).ToArray();
        using var listener = Links.Listen(Peers.Address(kind), Acceptor(hello => LinkVerdict.Accept(far[int.Parse(hello.Name)])));
        Parallel.For(0, count, new ParallelOptions { MaxDegreeOfParallelism = 8 }, i => Links.Connect(listener.Address, Dialler($"{i}"), near[i]));
        using var tensor = Numbers(5000, 9);
        for (var i = 0; i < count; i++)
        {
            near[i].Link.SendControl(1, BitConverter.GetBytes(i));
            far[i].Link.SendControl(2, BitConverter.GetBytes(i));
            near[i].Link.SendBulk(3, BitConverter.GetBytes(i), tensor, i, 1000);
        }
        for (var i = 0; i < count; i++)
        {
            Assert.Equal(i, BitConverter.ToInt32(far[i].NextControl().Body));
            Assert.Equal(i, BitConverter.ToInt32(near[i].NextControl().Body));
            using var arrival = far[i].NextBulk();
            Assert.Equal(i, BitConverter.ToInt32(arrival.Header));
            Assert.Equal(tensor.Span[i], arrival.Values[0]);
        }
        // Ending one half leaves the other half alone.
        for (var i = 0; i < count; i += 2) near[i].Link.Close(LinkEnd.Finished, "enough");
        for (var i = 0; i < count; i += 2) Assert.Equal(LinkEnd.Finished, far[i].WaitForClosed().End);
        for (var i = 1; i < count; i += 2)
        {
            Assert.True(near[i].Link.SendControl(4, []));
            Assert.Equal(4, far[i].NextControl().Type);
            near[i].Link.Close(LinkEnd.Finished, "all");
        }
        foreach (var recorder in near.Concat(far))
        {
            recorder.WaitForClosed();
            recorder.AssertNothingLeaked();
            recorder.Dispose();
        }
    }

    [Fact]
    public void Refused_payload_is_skipped_and_the_next_one_arrives()
    {
        using var far = new Recorder { OnOffer = type => type == 1 ? "stale" : null };
        using var peers = Connect(far: far);
        using var tensor = Numbers(300_000, 2);
        for (ushort type = 0; type < 3; type++) peers.Near.Link.SendBulk(type, [], tensor, type, tensor.Length - 2);
        using var first = far.NextBulk();
        using var second = far.NextBulk();
        Assert.Equal((0, 2), (first.Type, second.Type));
        Assert.True(tensor.Span[2..].SequenceEqual(second.Values));
        Assert.Null(far.Closure);
    }

    [Fact]
    public void Buffer_comes_back_to_its_pool_once_the_frame_is_delivered()
    {
        using var pool = new NativeBufferPool(100_000, _memory);
        using var peers = Connect();
        for (var i = 0; i < 20; i++)
        {
            var buffer = pool.Rent();
            buffer.Span.Fill(i);
            Assert.True(peers.Near.Link.SendBulk(1, [], buffer, 0, buffer.Length));
            buffer.Dispose();
            using var arrival = peers.Far.NextBulk();
            Assert.Equal(i, arrival.Values[^1]);
        }
        // The writer releases a buffer at about the time at which its frame arrives, so at most one more is out.
        Assert.InRange(pool.Created, 1, 2);
        peers.Near.Link.Close(LinkEnd.Finished, "done");
        peers.Near.WaitForClosed();
        AssertAllBack(pool);
    }

    private static void AssertAllBack(NativeBufferPool pool)
    {
        var made = pool.Created;
        var rented = Enumerable.Range(0, made).Select(_ => pool.Rent()).ToArray();
        Assert.Equal(made, pool.Created);
        foreach (var buffer in rented) buffer.Dispose();
    }

    [Fact]
    public void Sender_waits_while_the_queue_is_full_and_goes_on_when_the_peer_reads()
    {
        using var gate = new ManualResetEventSlim();
        using var far = new Recorder { BulkGate = gate };
        using var peers = Connect(far: far, options: LinkOptions.Default with { BulkQueueBytes = 1 << 20 });
        using var tensor = Numbers(500_000, 5);
        const int frames = 30;
        var sent = 0;
        using var sentSome = new ManualResetEventSlim();
        var sender = new Thread(() =>
        {
            for (var i = 0; i < frames; i++)
            {
                Assert.True(peers.Near.Link.SendBulk((ushort)i, [], tensor, 0, tensor.Length));
                Interlocked.Increment(ref sent);
                sentSome.Set();
            }
        });
        sender.Start();
        sentSome.Wait(Recorder.Patience);
        // 60 MB do not fit into a queue of 1 MiB and the sockets' buffers.
        Assert.False(sender.Join(200));
        Assert.InRange(Volatile.Read(ref sent), 1, frames - 1);
        gate.Set();
        for (var i = 0; i < frames; i++)
        {
            using var arrival = far.NextBulk();
            Assert.Equal(i, arrival.Type);
        }
        Assert.True(sender.Join(Recorder.Patience));
    }
}
