using Cluster.Contracts;
using Cluster.Link;

namespace Cluster.Remoting.Tests;

// What a peer should not send: refused with the link open where it may be a matter of timing, else the link ends. Nothing leaks.
public abstract partial class RemotePeerContract
{
    private static readonly byte[] WeightsHead = WireTypes.Write(new WeightsPartHead(new Term(2), new WeightsVersion(5), new ShardId(1), 60, Samples.Trace));

    /// <summary>Sends frames and expects the link to stay open, nothing to arrive, and nothing to be held.</summary>
    private void AssertRefused(Action<Ends, NativeBuffer> send, int arriving = 0)
    {
        using var payload = NativeBuffer.Allocate(Samples.StateFloats + 1);
        using var ends = new Ends(kind);
        send(ends, payload);
        Pass(ends);
        Assert.Equal(0, ends.Far.Waiting);
        Assert.Equal(arriving, ends.Far.Peer.Arriving);
        Assert.True(ends.Near.Peer.IsOpen);
        ends.End();
        ends.Far.AssertNothingHeld();
    }

    /// <summary>Sends something and expects the link to end for this reason, with nothing held.</summary>
    private void AssertCloses(Action<Ends, NativeBuffer> send, string reason)
    {
        using var payload = NativeBuffer.Allocate(Samples.StateFloats + 1);
        using var ends = new Ends(kind);
        send(ends, payload);
        var closure = ends.Far.WaitForClosed();
        Assert.Equal(LinkEnd.HandlerFailed, closure.End);
        Assert.Contains(reason, closure.Sentence);
        ends.Near.WaitForClosed();
        ends.Far.AssertNothingHeld();
        Assert.Equal(0, ends.Far.Waiting);
    }

    [Fact]
    public void Tensor_that_is_longer_than_expected_is_refused_and_later_ones_arrive()
    {
        AssertRefused((ends, payload) => ends.Near.Peer.Send(new InitialState(new Term(2), new WorkerId(1), payload.Share())));
    }

    [Fact]
    public void Tensor_before_any_is_expected_is_refused_and_the_link_stays()
    {
        using var samples = new Samples();
        using (var ends = new Ends(kind, near: new End("near", frameFloats: 7)))
        {
            ends.Far.Peer.MaxFloats = 0;
            foreach (var name in Samples.Names) ends.Near.Peer.Send(samples.Make(name), Samples.Target);
            // A message without tensors that goes the same way tells that the others were dealt with.
            ends.Near.Peer.Send(Long());
            Assert.IsType<NodeLeaving>(ends.Far.Next().Message);
            Assert.Equal((0, 0), (ends.Far.Waiting, ends.Far.Peer.Arriving));
            Assert.Empty(ends.Far.Buffers.All);
            ends.Far.Peer.MaxFloats = Samples.StateFloats;
            ends.Near.Peer.Send(samples.Make("weights"), Samples.Target);
            var message = ends.Far.Next().Message;
            Samples.AssertArrived("weights", message);
            TensorMessage.Release(message);
        }
        samples.AssertAllReleased();
    }

    [Fact]
    public void Message_with_nothing_where_something_must_be_ends_the_link_and_nobody_gets_it()
    {
        AssertCloses(static (ends, _) => ends.Near.Peer.Send(new NodeLeaving(null!)), $"{nameof(IncompleteMessageException)}: a NodeLeaving without its Reason");
        AssertCloses(static (ends, _) => ends.Near.Peer.Send(new Routes(new Term(2), [null!])), $"{nameof(IncompleteMessageException)}: a Routes without its Places[0]");
    }

    [Fact]
    public void Head_with_nothing_where_something_must_be_ends_the_link_with_its_tensors_released()
    {
        using var samples = new Samples();
        AssertCloses((ends, _) => ends.Near.Peer.Send((SeedStandby)samples.Make("seed") with { Records = null! }, Samples.Target), $"{nameof(IncompleteMessageException)}: a SeedStandbyHead without its Records");
        samples.AssertAllReleased();
    }

    private static NodeLeaving Long() => new(new string('x', Limits.LinkControlBytes + 1));

    [Fact]
    public void Message_with_one_wrong_frame_is_let_go_as_a_whole()
    {
        BulkHeader[] wrong =
        [
            new(7, 1, WeightsHead.Length, 2, 2, 0, 40),             // a third tensor of two
            new(7, 1, WeightsHead.Length, 0, 3, 10, 40),            // three tensors at once
            new(7, 1, WeightsHead.Length, 0, 2, 0, 40),             // the same stretch twice
            new(7, 1, WeightsHead.Length, 0, 2, 11, 40),            // a gap
            new(7, 1, WeightsHead.Length, 0, 2, 35, 40),            // beyond the end
            new(7, 1, WeightsHead.Length, 0, 2, -1, 40),
            new(7, 1, WeightsHead.Length, 0, 2, 10, 50),            // another length
            new(7, 1, WeightsHead.Length, 1, 2, 0, 0),
            new(7, 1, WeightsHead.Length, 1, 2, 0, int.MaxValue),
            new(7, 2, WeightsHead.Length, 0, 2, 10, 40),            // another target
            new(7, 1, WeightsHead.Length + 1, 0, 2, 10, 40),        // another head
        ];
        foreach (var header in wrong)
        {
            AssertRefused((ends, payload) =>
            {
                SendRaw(ends.Near, 102, new BulkHeader(7, 1, WeightsHead.Length, 0, 2, 0, 40), WeightsHead, payload, 10);
                SendRaw(ends.Near, 102, header, [], payload, 10);
                SendRaw(ends.Near, 102, new BulkHeader(7, 1, WeightsHead.Length, 0, 2, 10, 40), [], payload, 30);
            });
        }
    }

    [Fact]
    public void Beginning_of_a_message_out_of_bounds_is_refused()
    {
        AssertRefused((ends, payload) =>
        {
            ends.Near.Link.SendBulk(102, new byte[BulkHeader.Bytes - 1], payload, 0, 10);
            SendRaw(ends.Near, 102, new BulkHeader(1, 1, 0, 0, 1, 0, 40), [], payload, 40);                                         // no head
            SendRaw(ends.Near, 102, new BulkHeader(2, 1, 0, 0, 1, 0, 40), WeightsHead, payload, 40);
            SendRaw(ends.Near, 102, new BulkHeader(3, 1, -1, 0, 1, 0, 40), WeightsHead, payload, 40);
            SendRaw(ends.Near, 102, new BulkHeader(4, 1, Limits.RemoteHeadBytes + 1, 0, 1, 0, 40), WeightsHead, payload, 40);
            SendRaw(ends.Near, 102, new BulkHeader(5, 1, WeightsHead.Length - 1, 0, 1, 0, 40), WeightsHead, payload, 40);           // more than announced
            SendRaw(ends.Near, 102, new BulkHeader(6, 1, WeightsHead.Length + 1, 0, 1, 0, 40), WeightsHead, payload, 40);           // a tensor before its head is whole
            SendRaw(ends.Near, 102, new BulkHeader(7, 1, WeightsHead.Length, 0, 1, 1, 40), WeightsHead, payload, 39);               // a gap before the first float
            SendRaw(ends.Near, 102, new BulkHeader(8, 1, WeightsHead.Length, 0, 0, 0, 40), WeightsHead, payload, 40);               // a tensor of none
            SendRaw(ends.Near, 102, new BulkHeader(9, 1, WeightsHead.Length, 0, 1, 0, Samples.StateFloats + 1), WeightsHead, payload, 40);
        });
    }

    [Fact]
    public void More_messages_at_once_than_allowed_are_refused_and_those_before_are_kept()
    {
        using var payload = NativeBuffer.Allocate(40);
        using var ends = new Ends(kind);
        for (var i = 0; i < Limits.RemoteTransfers + 5; i++) SendRaw(ends.Near, 102, new BulkHeader((uint)i + 10, 1, WeightsHead.Length, 0, 1, 0, 40), WeightsHead, payload, 1);
        SendRaw(ends.Near, 102, new BulkHeader(10, 1, WeightsHead.Length, 0, 1, 1, 40), [], payload, 39);
        Assert.IsType<WeightsPart>(ends.Far.Next() is var (_, message, _) ? message : null);
        TensorMessage.Release(message);
        Assert.Equal(Limits.RemoteTransfers - 1, ends.Far.Peer.Arriving);
        ends.End();
        ends.Far.AssertNothingHeld();
    }

    [Fact]
    public void Unknown_type_ends_the_link()
    {
        AssertCloses((ends, _) => ends.Near.Link.SendControl(999, new byte[8]), "unknown type 999");
        AssertCloses((ends, payload) => SendRaw(ends.Near, 999, new BulkHeader(1, 1, WeightsHead.Length, 0, 1, 0, 40), WeightsHead, payload, 40), "unknown type 999");
    }

    [Fact]
    public void Control_frame_without_target_or_with_the_head_of_a_bulk_message_ends_the_link()
    {
        AssertCloses((ends, _) => ends.Near.Link.SendControl(7, new byte[3]), "without its target");
        AssertCloses((ends, _) => ends.Near.Link.SendControl(102, [0, 0, 0, 0, .. WeightsHead]), "without its tensors");
        AssertCloses((ends, _) => ends.Near.Link.SendControl(7, new byte[] { 0, 0, 0, 0, 0xC1 }), "no ClaimTerm");
    }

    [Fact]
    public void Head_that_announces_other_tensors_ends_the_link_and_they_are_released()
    {
        AssertCloses((ends, payload) =>
        {
            SendRaw(ends.Near, 102, new BulkHeader(1, 1, WeightsHead.Length, 0, 2, 0, 40), WeightsHead, payload, 40);
            SendRaw(ends.Near, 102, new BulkHeader(1, 1, WeightsHead.Length, 1, 2, 0, 40), [], payload, 40);
        }, "2 tensors");
        AssertCloses((ends, payload) => SendRaw(ends.Near, 102, new BulkHeader(1, 1, WeightsHead.Length, 0, 0, 0, 0), WeightsHead, payload, 0), "0 tensors");
        AssertCloses((ends, payload) => SendRaw(ends.Near, 102, new BulkHeader(1, 1, 1, 0, 1, 0, 40), [0xC1], payload, 40), "no WeightsPartHead");
    }

    [Fact]
    public void Random_headers_and_bodies_never_leave_anything_held()
    {
        for (var seed = 0; seed < 20; seed++)
        {
            var random = new Random(seed);
            using var payload = NativeBuffer.Allocate(Samples.StateFloats);
            using var ends = new Ends(kind);
            ushort[] types = [.. WireTypes.All.Keys];
            for (var i = 0; i < 300; i++)
            {
                var type = types[random.Next(types.Length)];
                var header = new byte[random.Next(0, 2 * BulkHeader.Bytes)];
                random.NextBytes(header);
                if (header.Length >= BulkHeader.Bytes && i % 3 != 0)
                {
                    // Near the truth: a few transfers, small numbers.
                    new BulkHeader((uint)random.Next(8), random.Next(2), Math.Max(0, header.Length - BulkHeader.Bytes) + random.Next(2), (byte)random.Next(3), (byte)random.Next(4), random.Next(3), random.Next(60)).Write(header);
                }
                if (!ends.Near.Link.SendBulk(type, header, payload, 0, random.Next(0, 40))) break;
                if (seed % 4 == 0 && i > 200)
                {
                    random.NextBytes(header);
                    ends.Near.Link.SendControl(type, header);
                }
            }
            ends.End(LinkEnd.Finished);
            ends.Far.AssertNothingHeld();
        }
    }
}
