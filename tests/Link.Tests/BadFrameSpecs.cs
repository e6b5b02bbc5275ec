using Cluster.Contracts;

namespace Cluster.Link.Tests;

/// <summary>What comes over an open link is not believed: each kind of damage ends it, with a reason that both sides get, and nothing of the frame is delivered.</summary>
[Trait("Clock", "wall")]
public sealed class BadFrameSpecs
{
    private static readonly byte[] Control = RawPeer.FrameBytes(Lane.Control, 3, [1, 2, 3, 4, 5, 6, 7], []);
    private static readonly byte[] Bulk = RawPeer.FrameBytes(Lane.Bulk, 4, [9, 8, 7], [1.5f, -2f, 3f, 0f, 4f]);

    public static TheoryData<LinkTransportKind> Sockets => [LinkTransportKind.Unix, LinkTransportKind.Tcp];

    private static LinkEnd EndAfter(LinkTransportKind kind, Lane lane, byte[] bytes, bool finish = false)
    {
        using var peer = RawPeer.Connect(kind);
        peer.Write(lane, bytes);
        if (finish) peer.Finish(lane);
        var closure = peer.Far.WaitForClosed();
        Assert.False(closure.ByPeer);
        Assert.NotEmpty(closure.Sentence);
        if (closure.End != LinkEnd.Lost) Assert.Equal((closure.End, closure.Sentence), peer.Goodbye());
        Assert.Equal(0, peer.Far.WaitingBulk);
        Assert.Equal(1, peer.Far.ClosedCount);
        peer.Far.AssertNothingLeaked();
        return closure.End;
    }

    [Theory]
    [MemberData(nameof(Sockets))]
    public void Honest_frames_of_the_raw_peer_arrive(LinkTransportKind kind)
    {
        using var peer = RawPeer.Connect(kind);
        peer.Write(Lane.Control, Control);
        peer.Write(Lane.Bulk, Bulk);
        Assert.Equal([1, 2, 3, 4, 5, 6, 7], peer.Far.NextControl().Body);
        using var arrival = peer.Far.NextBulk();
        Assert.Equal([1.5f, -2f, 3f, 0f, 4f], arrival.Values);
    }

    [Theory]
    [MemberData(nameof(Sockets))]
    public void One_flipped_bit_in_any_byte_of_a_frame_is_found(LinkTransportKind kind)
    {
        var random = new Random(5);
        foreach (var (lane, frame) in new[] { (Lane.Control, Control), (Lane.Bulk, Bulk) })
        {
            for (var at = 0; at < frame.Length; at++)
            {
                var damaged = frame.ToArray();
                damaged[at] ^= (byte)(1 << random.Next(8));
                var expected = at < 4 ? LinkEnd.BadMagic : at == 4 ? LinkEnd.BadVersion : LinkEnd.BadChecksum;
                Assert.Equal(expected, EndAfter(kind, lane, damaged));
            }
        }
    }

    [Theory]
    [MemberData(nameof(Sockets))]
    public void Flipped_bit_deep_in_a_large_payload_is_found_and_the_target_goes_back(LinkTransportKind kind)
    {
        var frame = RawPeer.FrameBytes(Lane.Bulk, 4, [1], new float[400_000]);
        frame[1_000_003] ^= 0x10;
        using var peer = RawPeer.Connect(kind);
        peer.Write(Lane.Bulk, frame);
        Assert.Equal(LinkEnd.BadChecksum, peer.Far.WaitForClosed().End);
        Assert.Equal((0, 1), (peer.Far.WaitingBulk, peer.Far.Lost));
        peer.Far.AssertNothingLeaked();
    }

    [Theory]
    [MemberData(nameof(Sockets))]
    public void Frame_cut_short_at_any_byte_is_a_loss_and_delivers_nothing(LinkTransportKind kind)
    {
        foreach (var (lane, frame) in new[] { (Lane.Control, Control), (Lane.Bulk, Bulk) })
        {
            for (var length = 0; length < frame.Length; length += 3) Assert.Equal(LinkEnd.Lost, EndAfter(kind, lane, frame[..length], finish: true));
        }
    }

    [Theory]
    [InlineData(Lane.Control, Limits.LinkControlBytes + 1, 0)]
    [InlineData(Lane.Control, -1, 0)]
    [InlineData(Lane.Control, 0, 1)]
    [InlineData(Lane.Bulk, Limits.LinkHeaderBytes + 1, 0)]
    [InlineData(Lane.Bulk, 0, Limits.LinkBulkFloats + 1)]
    [InlineData(Lane.Bulk, 0, -1)]
    [InlineData(Lane.Heartbeat, 33, 0)]
    public void Oversized_frame_is_refused_by_its_head_alone(object lane, int head, int floats)
    {
        var fixedPart = new byte[Frame.FixedBytes];
        new Frame((Lane)lane, 1, head, floats).WriteFixed(fixedPart);
        Assert.Equal(LinkEnd.Oversize, EndAfter(LinkTransportKind.Unix, (Lane)lane, fixedPart));
    }

    [Theory]
    [InlineData(Lane.Control, Lane.Bulk)]
    [InlineData(Lane.Bulk, Lane.Control)]
    [InlineData(Lane.Heartbeat, Lane.Control)]
    public void Frame_of_another_lane_is_refused(object connection, object frame) =>
        Assert.Equal(LinkEnd.Protocol, EndAfter(LinkTransportKind.Tcp, (Lane)connection, RawPeer.FrameBytes((Lane)frame, 1, [], [])));

    [Theory]
    [InlineData(Lane.Control)]
    [InlineData(Lane.Bulk)]
    public void Unknown_type_of_the_transport_is_refused(object lane) =>
        Assert.Equal(LinkEnd.Protocol, EndAfter(LinkTransportKind.Tcp, (Lane)lane, RawPeer.FrameBytes((Lane)lane, 0xFFFE, [1], [])));

    [Theory]
    [MemberData(nameof(Sockets))]
    public void Random_bytes_on_any_connection_end_the_link(LinkTransportKind kind)
    {
        var random = new Random(11);
        for (var round = 0; round < 30; round++)
        {
            var bytes = new byte[20 + random.Next(5000)];
            random.NextBytes(bytes);
            var lane = (Lane)(1 + (round % 3));
            Assert.Equal(LinkEnd.BadMagic, EndAfter(kind, lane, bytes));
        }
    }

    [Fact]
    public void Good_frames_before_a_bad_one_are_delivered()
    {
        using var peer = RawPeer.Connect(LinkTransportKind.Unix);
        peer.Write(Lane.Control, [.. Control, .. Control, .. new byte[30]]);
        Assert.Equal(3, peer.Far.NextControl().Type);
        Assert.Equal(3, peer.Far.NextControl().Type);
        Assert.Equal(LinkEnd.BadMagic, peer.Far.WaitForClosed().End);
    }
}
