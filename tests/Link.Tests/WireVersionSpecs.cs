using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Cluster.Contracts;

namespace Cluster.Link.Tests;

/// <summary>Two versions of the wire that meet: both sides say which release to install, in one line. The other version is bytes written here, so that it stays what it was.</summary>
[Trait("Clock", "wall")]
public sealed class WireVersionSpecs
{
    public static TheoryData<LinkTransportKind> Sockets => [LinkTransportKind.Unix, LinkTransportKind.Tcp];

    private static string Here => $"Cluster {LinkWire.Release} (wire 2)";

    /// <summary>A handshake frame as every version lays it out: magic, version, lane 0, type, lengths, sum, head, sum.</summary>
    private static byte[] FrameOf(byte version, ushort type, ReadOnlySpan<byte> head)
    {
        byte[] bytes = [.. "CLNK"u8, version, 0, .. new byte[14], .. head, .. new byte[4]];
        BinaryPrimitives.WriteUInt16LittleEndian(bytes.AsSpan(6), type);
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(8), head.Length);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(16), Crc32C.Of(bytes.AsSpan(0, 16)));
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(bytes.Length - 4), Crc32C.Of(bytes.AsSpan(0, bytes.Length - 4)));
        return bytes;
    }

    private static byte[] Text(string text)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        return [.. BitConverter.GetBytes(bytes.Length), .. bytes];
    }

    /// <summary>A hello of wire 1: lane, session, run id, role, name, incarnation, note, nonce.</summary>
    private static byte[] FirstHello => [(byte)Lane.Bulk, .. new byte[8], .. Text(""), .. Text("worker"), .. Text("worker-1"), .. new byte[8], .. Text(""), .. Text(new string('n', 32))];

    /// <summary>The type and the text of a frame, as a node of this version alone would read it: null when its version, its sums or its lengths are not what it knows.</summary>
    private static (ushort Type, string Text)? ReadAs(byte version, byte[] bytes)
    {
        if (bytes.Length < 24 || !bytes.AsSpan(0, 4).SequenceEqual("CLNK"u8) || bytes[4] != version || BinaryPrimitives.ReadUInt32LittleEndian(bytes.AsSpan(16)) != Crc32C.Of(bytes.AsSpan(0, 16))) return null;
        var head = BinaryPrimitives.ReadInt32LittleEndian(bytes.AsSpan(8));
        return bytes.Length == 24 + head && BinaryPrimitives.ReadUInt32LittleEndian(bytes.AsSpan(20 + head)) == Crc32C.Of(bytes.AsSpan(0, 20 + head))
            ? (BinaryPrimitives.ReadUInt16LittleEndian(bytes.AsSpan(6)), Encoding.UTF8.GetString(bytes, 20, head))
            : null;
    }

    /// <summary>Sends a hello to a listener of this version.</summary>
    private static (byte[] Answer, LinkRefusal Refusal) Knock(LinkTransportKind kind, params byte[][] pieces)
    {
        var refusals = new BlockingCollection<LinkRefusal>();
        using var listener = DoorSpecs.Listen(kind, refusals);
        using var socket = DoorSpecs.Dial(listener);
        foreach (var piece in pieces) socket.Send(piece);
        var (bytes, filled) = (new byte[4096], 0);
        for (int got; (got = socket.Receive(bytes.AsSpan(filled))) > 0;) filled += got;
        return (bytes[..filled], DoorSpecs.Next(refusals));
    }

    [Theory]
    [MemberData(nameof(Sockets))]
    public void Older_dialler_reads_in_its_own_version_what_to_install(LinkTransportKind kind)
    {
        var (answer, refusal) = Knock(kind, FrameOf(1, FrameTypes.Hello, FirstHello));
        var line = $"{Peers.Acceptor(_ => LinkVerdict.Refuse("")).Self.Name} runs {Here}, the dialler is wire 1: install Cluster {LinkWire.Release} where the dialler runs";
        Assert.Equal((FrameTypes.Refused, line), ReadAs(1, answer));
        Assert.Equal((LinkRefusalReason.Version, line), (refusal.Reason, refusal.Sentence));
    }

    [Theory]
    [MemberData(nameof(Sockets))]
    public void Newer_dialler_is_named_with_its_release_on_both_sides(LinkTransportKind kind)
    {
        // Behind its release it says what nobody here knows.
        var hello = FrameOf(9, FrameTypes.Hello, [.. Text("3.1.4"), .. "something new"u8]);
        var (answer, refusal) = Knock(kind, hello[..30], hello[30..]);
        Assert.Contains($"runs {Here}, the dialler Cluster 3.1.4 (wire 9): install Cluster {LinkWire.Release} where the dialler runs", refusal.Sentence, StringComparison.Ordinal);
        Assert.Equal((FrameTypes.Refused, refusal.Sentence), ReadAs(9, answer));
    }

    public static TheoryData<byte[]> Heads => [Array.Empty<byte>(), new byte[] { 5 }, Text(""), Text("two\nlines"), (byte[])[0xFF, 0xFF, 0xFF, 0x7F, 1], (byte[])[2, 0, 0, 0, 0xC3, 0x28], Text(new string('9', Limits.LinkNameBytes + 1))];

    [Theory]
    [MemberData(nameof(Heads))]
    public void Hello_whose_release_cannot_be_read_is_refused_by_its_number(byte[] head)
    {
        var (answer, refusal) = Knock(LinkTransportKind.Tcp, FrameOf(9, FrameTypes.Hello, head));
        Assert.Contains("the dialler is wire 9:", refusal.Sentence, StringComparison.Ordinal);
        Assert.Equal((FrameTypes.Refused, refusal.Sentence), ReadAs(9, answer));
    }

    [Fact]
    public void Hello_of_another_version_without_end_is_not_waited_for()
    {
        var hello = FrameOf(9, FrameTypes.Hello, new byte[Limits.LinkHelloBytes + 1]);
        var (answer, refusal) = Knock(LinkTransportKind.Tcp, hello[..Frame.FixedBytes]);
        Assert.Equal(LinkRefusalReason.Version, refusal.Reason);
        Assert.Equal((FrameTypes.Refused, refusal.Sentence), ReadAs(2, answer));
    }

    /// <summary>Dials somebody who answers the hello with these bytes.</summary>
    private static ClusterException Dial(byte[] answer)
    {
        using var server = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        server.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        server.Listen();
        var thread = new Thread(() =>
        {
            using var accepted = server.Accept();
            accepted.Receive(new byte[8192]);
            accepted.Send(answer);
            accepted.Shutdown(SocketShutdown.Send);
            try
            {
                accepted.Receive(new byte[1]);
            }
            catch (SocketException e) when (e.SocketErrorCode == SocketError.ConnectionReset)
            {
                // The dialler left bytes unread.
            }
        });
        thread.Start();
        using var near = new Recorder();
        var refusal = Assert.ThrowsAny<ClusterException>(() => Links.Connect(LinkAddress.Parse($"{server.LocalEndPoint}"), Peers.Dialler("worker-1"), near));
        thread.Join();
        return refusal;
    }

    [Theory]
    [InlineData(1)]
    [InlineData(9)]
    public void Dialler_of_this_version_hears_of_another_acceptor_what_to_install(byte version)
    {
        var refusal = Assert.IsType<LinkRefusedException>(Dial(FrameOf(version, FrameTypes.Refused, "the peer speaks version 2 of the link protocol\nand so on"u8)));
        Assert.Matches($@"^127\.0\.0\.1:\d+ speaks wire {version}, this is Cluster {LinkWire.Release} \(wire 2\): install here the release that runs there; it says: the peer speaks version 2 of the link protocol and so on$", refusal.Message);
    }

    [Fact]
    public void What_is_no_whole_refusal_of_another_version_is_no_answer()
    {
        var refusal = FrameOf(1, FrameTypes.Refused, "no"u8);
        refusal[^1] ^= 1;
        foreach (var answer in (byte[][])[refusal, FrameOf(1, FrameTypes.Challenge, new byte[32]), FrameOf(9, FrameTypes.Refused, new byte[Limits.LinkSentenceBytes + 1])])
            Assert.Contains("is no cluster node of this release", Assert.IsType<LinkUnreachableException>(Dial(answer)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Nodes_of_one_version_say_their_release_in_their_hello()
    {
        var hello = new HelloMessage(Lane.Bulk, 0, Peers.Hello("worker-1"), new byte[HandshakeCodec.NonceBytes]);
        Assert.Equal(LinkWire.Release, HandshakeCodec.ReadRelease(HandshakeCodec.Write(hello)));
        Assert.Matches(@"^\d+\.\d+\.\d+", LinkWire.Release);
        Assert.Equal(LinkWire.Release, ReadAs(2, HandshakeFrames.Make(FrameTypes.Hello, HandshakeCodec.Write(hello)))!.Value.Text[4..(4 + LinkWire.Release.Length)]);
    }
}
