using System.Net.Sockets;
using Cluster.Contracts;

namespace Cluster.Link.Tests;

/// <summary>Tensors that are handed over where they lie: the sender never writes to what somebody may still read.</summary>
[Trait("Clock", "wall")]
public sealed class SharedMemorySpecs
{
    private const int Floats = PeerProcess.Floats;

    private static Peers Connect(Recorder far) => Peers.Connect(LinkTransportKind.Unix, far: far);

    private static Lender LenderOf(ILink link) => ((SocketLink)link).Lender;

    private static void Until(Func<bool> holds) => Assert.True(SpinWait.SpinUntil(holds, Recorder.Patience));

    /// <summary>Sends a buffer for the first time, so that the peer has mapped it: from then on it can be lent.</summary>
    private static void Introduce(ILink link, Recorder far, NativeBuffer buffer)
    {
        var before = LenderOf(link).MappedCount;
        Assert.True(link.SendBulk(0, [], buffer, 0, buffer.Length));
        far.NextBulk().Dispose();
        Until(() => LenderOf(link).MappedCount > before);
    }

    [Fact]
    public void Receiver_reads_the_very_memory_of_the_sender()
    {
        using var far = new Recorder { TakeReferences = true };
        using var peers = Connect(far);
        using var tensor = NativeBuffer.Allocate(Floats, SharedMemory.Instance);
        Introduce(peers.Near.Link, far, tensor);
        Assert.Equal(0, LenderOf(peers.Near.Link).TotalLent);
        peers.Near.Link.SendBulk(5, "header"u8, tensor, 100, Floats - 100);
        using (var arrival = far.NextBulk())
        {
            Assert.Equal((5, Floats - 100), (arrival.Type, arrival.Floats));
            Assert.Equal("header"u8.ToArray(), arrival.Header);
            Assert.Equal(1, LenderOf(peers.Near.Link).TotalLent);
            // Against the rule, and only to see that no copy lies between the two.
            tensor.Span[102] = 42;
            Assert.Equal(42, arrival.Values[2]);
            Assert.Equal(1, LenderOf(peers.Near.Link).LentCount);
        }
        Until(() => LenderOf(peers.Near.Link).LentCount == 0);
    }

    [Fact]
    public void Receiver_that_wants_a_copy_gets_one_and_the_tensor_goes_back_at_once()
    {
        using var far = new Recorder();
        using var peers = Connect(far);
        using var tensor = NativeBuffer.Allocate(Floats, SharedMemory.Instance);
        Introduce(peers.Near.Link, far, tensor);
        for (var i = 1; i <= 5; i++)
        {
            tensor.Span.Fill(i);
            peers.Near.Link.SendBulk(1, [], tensor, 0, Floats);
            using var arrival = far.NextBulk();
            Until(() => LenderOf(peers.Near.Link).LentCount == 0);
            tensor.Span.Fill(-1);
            Assert.Equal(-1, arrival.Values.IndexOfAnyExcept(i));
        }
        Assert.Equal(5, LenderOf(peers.Near.Link).TotalLent);
    }

    /// <summary>A receiver may keep what it has, and the sender neither waits for it nor lends without bound.</summary>
    [Fact]
    public void Tensors_beyond_the_bound_are_copied_until_some_go_back()
    {
        using var far = new Recorder { TakeReferences = true };
        using var peers = Peers.Connect(LinkTransportKind.Unix, far: far, options: LinkOptions.Default with { BulkQueueBytes = 2L * Floats * sizeof(float) });
        using var tensor = NativeBuffer.Allocate(Floats, SharedMemory.Instance);
        var lender = LenderOf(peers.Near.Link);
        Introduce(peers.Near.Link, far, tensor);
        var held = new List<Recorder.Arrival>();
        for (var i = 0; i < 4; i++)
        {
            peers.Near.Link.SendBulk(1, [], tensor, 0, Floats);
            held.Add(far.NextBulk());
        }
        Assert.Equal((2, 2), (lender.TotalLent, lender.LentCount));
        held[0].Dispose();
        Until(() => lender.LentCount == 1);
        peers.Near.Link.SendBulk(1, [], tensor, 0, Floats);
        held.Add(far.NextBulk());
        Assert.Equal((3, 2), (lender.TotalLent, lender.LentCount));
        foreach (var arrival in held.Skip(1)) arrival.Dispose();
        Until(() => lender.LentCount == 0);
    }

    [Fact]
    public void Refused_tensor_goes_back_at_once()
    {
        using var far = new Recorder { OnOffer = type => type == 1 ? "stale" : null };
        using var peers = Connect(far);
        using var tensor = NativeBuffer.Allocate(Floats, SharedMemory.Instance);
        Introduce(peers.Near.Link, far, tensor);
        peers.Near.Link.SendBulk(1, [], tensor, 0, Floats);
        Until(() => LenderOf(peers.Near.Link) is { TotalLent: 1, LentCount: 0 });
        Assert.Null(far.Closure);
    }

    [Fact]
    public void Sender_gets_no_buffer_again_while_a_slow_receiver_reads_it()
    {
        const int held = 3, rounds = 60;
        using var far = new Recorder { TakeReferences = true };
        using var peers = Connect(far);
        using var pool = new NativeBufferPool(Floats, SharedMemory.Instance);
        var arrivals = new Queue<Recorder.Arrival>();
        for (var round = 0; round < rounds; round++)
        {
            using (var buffer = pool.Rent())
            {
                buffer.Span.Fill(round);
                peers.Near.Link.SendBulk((ushort)round, [], buffer, 0, Floats);
            }
            arrivals.Enqueue(far.NextBulk());
            foreach (var arrival in arrivals) Assert.Equal(-1, arrival.Values.IndexOfAnyExcept(arrival.Type));
            if (arrivals.Count == held) arrivals.Dequeue().Dispose();
        }
        Assert.InRange(LenderOf(peers.Near.Link).TotalLent, rounds / 2, rounds);
        // What is held, what is on its way back, and what is being filled.
        Assert.InRange(pool.Created, held, 2 * held);
        foreach (var arrival in arrivals) arrival.Dispose();
        Until(() => LenderOf(peers.Near.Link).LentCount == 0);
    }

    [Theory]
    [InlineData(LinkEnd.Dismissed, true)]
    [InlineData(LinkEnd.Dismissed, false)]
    [InlineData(LinkEnd.Finished, true)]
    [InlineData(LinkEnd.Finished, false)]
    public void Tensor_that_is_held_beyond_the_end_of_its_link_is_never_written_again(LinkEnd end, bool senderEnds)
    {
        using var far = new Recorder { TakeReferences = true };
        using var peers = Connect(far);
        using var pool = new NativeBufferPool(Floats, SharedMemory.Instance);
        Recorder.Arrival held;
        using (var buffer = pool.Rent())
        {
            Introduce(peers.Near.Link, far, buffer);
            buffer.Span.Fill(1);
            peers.Near.Link.SendBulk(1, [], buffer, 0, Floats);
            held = far.NextBulk();
            (senderEnds ? peers.Near : peers.Far).Link.Close(end, "in the middle");
            peers.Near.WaitForClosed();
            peers.Far.WaitForClosed();
            Assert.Equal((1, 0), ((int)LenderOf(peers.Near.Link).TotalLent, LenderOf(peers.Near.Link).LentCount));
        }
        // The one that was lent is no longer the pool's.
        Assert.Equal(0, pool.Created);
        for (var i = 2; i < 6; i++)
        {
            using var next = pool.Rent();
            next.Span.Fill(i);
        }
        using (held) Assert.Equal(-1, held.Values.IndexOfAnyExcept(1));
    }

    [Fact]
    public void Receiver_that_was_stopped_and_woken_up_reads_what_was_sent()
    {
        using var far = new Recorder();
        using var listener = Links.Listen(Peers.Address(LinkTransportKind.Unix), Peers.Acceptor(_ => LinkVerdict.Accept(far)));
        using var child = PeerProcess.Start(listener.Address, "holder");
        using var pool = new NativeBufferPool(Floats, SharedMemory.Instance);
        var link = far.Link;
        using (var buffer = pool.Rent())
        {
            buffer.Span.Fill(3);
            link.SendBulk(1, [], buffer, 0, Floats);
            Assert.Equal(1, far.NextControl().Type);
            Until(() => LenderOf(link).MappedCount == 1);
            link.SendBulk(2, [], buffer, 0, Floats);
            Assert.Equal(2, far.NextControl().Type);
            Assert.Equal(1, LenderOf(link).LentCount);
            child.Signal("STOP");
            Assert.Equal(LinkEnd.Silent, far.WaitForClosed().End);
        }
        for (var i = 0; i < 4; i++)
        {
            using var next = pool.Rent();
            next.Span.Fill(100 + i);
        }
        child.Signal("CONT");
        Assert.Equal("whole 3", child.ReadOutput());
    }

    [Fact]
    public void Tensor_of_a_killed_sender_stays_readable()
    {
        using var far = new Recorder { TakeReferences = true };
        using var listener = Links.Listen(Peers.Address(LinkTransportKind.Unix), Peers.Acceptor(_ => LinkVerdict.Accept(far)));
        using var child = PeerProcess.Start(listener.Address, "lender");
        far.NextBulk().Dispose();
        using var held = far.NextBulk();
        Assert.False(held.Buffer.Block is SharedBlock);
        child.Kill();
        Assert.Equal(LinkEnd.Lost, far.WaitForClosed().End);
        Assert.Equal(Floats, held.Values.Length);
        Assert.Equal(-1, held.Values.IndexOfAnyExcept(7));
    }

    [Theory]
    [InlineData(true, false)]
    [InlineData(false, true)]
    public void Nothing_is_lent_when_one_side_does_not_want_it(bool dialler, bool acceptor)
    {
        using var near = new Recorder();
        using var far = new Recorder();
        var (dials, accepts) = (LinkOptions.Default with { AllowSharedMemory = dialler }, LinkOptions.Default with { AllowSharedMemory = acceptor });
        using var listener = Links.Listen(Peers.Address(LinkTransportKind.Unix), Peers.Acceptor(_ => LinkVerdict.Accept(far), accepts));
        Links.Connect(listener.Address, Peers.Dialler("worker-1", dials), near);
        AssertAllIsCopied(near, far);
    }

    [Fact]
    public async Task Tensors_are_copied_through_something_that_passes_bytes_only()
    {
        using var near = new Recorder();
        using var far = new Recorder();
        // The relay runs on the thread pool, which a busy machine may hold up for longer than a link is silent.
        var patient = LinkOptions.Default with { Silence = TimeSpan.FromSeconds(10) };
        using var listener = Links.Listen(Peers.Address(LinkTransportKind.Unix), Peers.Acceptor(_ => LinkVerdict.Accept(far), patient));
        await using var relay = new ByteRelay(listener.Address);
        Links.Connect(relay.Address, Peers.Dialler("worker-1", patient), near);
        AssertAllIsCopied(near, far);
    }

    private static void AssertAllIsCopied(Recorder near, Recorder far)
    {
        using var tensor = NativeBuffer.Allocate(Floats, SharedMemory.Instance);
        foreach (var (from, to) in new[] { (near, far), (far, near) })
        {
            for (var i = 0; i < 4; i++)
            {
                tensor.Span.Fill(i);
                Assert.True(from.Link.SendBulk(1, [], tensor, 0, Floats));
                using var arrival = to.NextBulk();
                Assert.Equal(-1, arrival.Values.IndexOfAnyExcept(i));
                // An answer to an announcement would be here before the answer to this.
                to.Link.SendControl(9, []);
                Assert.Equal(9, from.NextControl().Type);
            }
            Assert.Equal((0, 0), ((int)LenderOf(from.Link).TotalLent, LenderOf(from.Link).MappedCount));
        }
        near.Link.Close(LinkEnd.Finished, "done");
        near.WaitForClosed();
        far.WaitForClosed();
    }

    /// <summary>A Unix socket that passes on the bytes of each connection, and not the descriptors beside them: .NET's own reads drop them.</summary>
    private sealed class ByteRelay : IAsyncDisposable
    {
        private readonly Socket _listener = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        private readonly LinkAddress _to;
        private readonly Task _accepting;

        public ByteRelay(LinkAddress to)
        {
            _to = to;
            _listener.Bind(new UnixDomainSocketEndPoint(Address.Name));
            _listener.Listen(8);
            _accepting = AcceptAsync();
        }

        public LinkAddress Address { get; } = Peers.Address(LinkTransportKind.Unix);

        private async Task AcceptAsync()
        {
            var pumps = new List<Task>();
            try
            {
                while (true)
                {
                    var near = await _listener.AcceptAsync();
                    var far = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
                    await far.ConnectAsync(new UnixDomainSocketEndPoint(_to.Name));
                    pumps.Add(PumpAsync(near, far));
                    pumps.Add(PumpAsync(far, near));
                }
            }
            catch (SocketException)
            {
                await Task.WhenAll(pumps);
            }
        }

        private static async Task PumpAsync(Socket from, Socket to)
        {
            var bytes = new byte[256 * 1024];
            try
            {
                while (await from.ReceiveAsync(bytes) is > 0 and var got)
                    for (var sent = 0; sent < got;) sent += await to.SendAsync(bytes.AsMemory(sent, got - sent));
                to.Shutdown(SocketShutdown.Send);
            }
            catch (SocketException)
            {
                // The other direction has ended both.
            }
        }

        public async ValueTask DisposeAsync()
        {
            _listener.Dispose();
            await _accepting;
            File.Delete(Address.Name);
        }
    }
}
