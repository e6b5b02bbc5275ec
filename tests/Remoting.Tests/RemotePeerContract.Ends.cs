using Akka.Actor;
using Cluster.Contracts;
using Cluster.Link;

namespace Cluster.Remoting.Tests;

// Links that are not open, or end in the middle.
public abstract partial class RemotePeerContract
{
    [Theory]
    [MemberData(nameof(Names))]
    public void Message_to_a_link_that_is_not_open_is_released(string name)
    {
        using var samples = new Samples();
        using (var near = new End("near"))
        {
            Assert.False(near.Peer.IsOpen);
            Assert.False(near.Peer.Send(samples.Make(name), Samples.Target));
        }
        using (var ends = new Ends(kind))
        {
            Assert.True(ends.Near.Peer.IsOpen);
            ends.End();
            Assert.False(ends.Near.Peer.IsOpen);
            Assert.False(ends.Near.Peer.Send(samples.Make(name), Samples.Target));
            ends.Near.Peer.Ref(Samples.Target).Tell(samples.Make(name), ActorRefs.NoSender);
            Assert.False(ends.Near.Peer.Send(new WorkerReady(new WorkerId(1))));
        }
        samples.AssertAllReleased();
    }

    [Fact]
    public void Message_that_cannot_be_cut_or_does_not_travel_says_so_and_is_released()
    {
        using var samples = new Samples();
        using (var ends = new Ends(kind))
        {
            ends.Near.Peer.Ranges = null;
            Assert.Contains("range", Assert.Throws<ClusterException>(() => ends.Near.Peer.Send(samples.Make("node"), Samples.Target)).Message);
            Assert.Contains("String does not travel", Assert.Throws<ClusterException>(() => ends.Near.Peer.Send("text")).Message);
            Assert.True(ends.Near.Peer.IsOpen);
        }
        samples.AssertAllReleased();
    }

    [Fact]
    public async Task Link_that_ends_under_its_senders_leaves_nothing_held_on_either_side()
    {
        for (var round = 0; round < 10; round++)
        {
            using var samples = new Samples();
            var message = (LoadShard)samples.Make("load");
            using (var ends = new Ends(kind, near: new End("near", frameFloats: 2)))
            {
                using var under = new ManualResetEventSlim();
                var sent = 0;
                var senders = Enumerable.Range(0, 3).Select(_ => Task.Run(() =>
                {
                    while (ends.Near.Peer.Send(message.Share(), Samples.Target))
                        if (Interlocked.Increment(ref sent) == 20) under.Set();
                })).ToArray();
                Assert.True(under.Wait(End.Patience), "the senders made no progress");
                (round % 2 == 0 ? ends.Near : ends.Far).Link.Close(LinkEnd.Dismissed, "the test wants it so");
                await Task.WhenAll(senders).WaitAsync(End.Patience);
                ends.Near.WaitForClosed();
                ends.Far.WaitForClosed();
                ends.Far.AssertNothingHeld();
            }
            message.Release();
            samples.AssertAllReleased();
        }
    }

    [Fact]
    public void Message_whose_second_half_never_came_is_released_when_the_link_ends()
    {
        using var samples = new Samples();
        var seed = (SeedStandby)samples.Make("seed");
        using (var ends = new Ends(kind))
        {
            var head = WireTypes.Write(new SeedStandbyHead(new Term(2), new ShardId(1), new WeightsVersion(5), 4, [], true, []));
            SendRaw(ends.Near, 104, new BulkHeader(1, 1, head.Length, 0, 2, 0, 40), head, seed.Weights, 40);
            SendRaw(ends.Near, 104, new BulkHeader(1, 1, head.Length, 1, 2, 0, 40), [], seed.Weights, 20);
            Pass(ends);
            Assert.Equal(1, ends.Far.Peer.Arriving);
            // Within one process the first tensor, which is whole, is taken where it lies.
            Assert.Equal(kind == LinkTransportKind.InProcess ? 1 : 2, ends.Far.Buffers.All.Single(static p => p.Length == 40).Created);
            ends.End();
            ends.Far.AssertNothingHeld();
        }
        seed.Release();
        samples.AssertAllReleased();
    }

    private static bool SendRaw(End from, ushort type, BulkHeader header, byte[] piece, NativeBuffer payload, int floats)
    {
        var bytes = new byte[BulkHeader.Bytes + piece.Length];
        // Numbers of its own, far from those that the peer gives.
        (header with { Transfer = header.Transfer + 1_000_000 }).Write(bytes);
        piece.CopyTo(bytes.AsSpan(BulkHeader.Bytes));
        return from.Link.SendBulk(type, bytes, payload, 0, floats);
    }

    /// <summary>Waits until everything that was sent in bulk before has been dealt with: frames keep their order.</summary>
    private static void Pass(Ends ends)
    {
        using var marker = NativeBuffer.Allocate(1);
        ends.Near.Peer.Send(new InitialState(new Term(999), new WorkerId(0), marker.Share()));
        for (; ; )
        {
            var message = ends.Far.Next().Message;
            TensorMessage.Release(message);
            if (message is InitialState { Term.Value: 999 }) return;
        }
    }
}
