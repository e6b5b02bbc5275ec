using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using Cluster.Contracts;

namespace Cluster.Link.Tests;

/// <summary>Strangers at a socket listener: garbage, slowness and crowds cost them their connection, and legal peers nothing.</summary>
[Trait("Clock", "wall")]
public sealed class DoorSpecs
{
    public static TheoryData<LinkTransportKind> Sockets => [LinkTransportKind.Unix, LinkTransportKind.Tcp];

    internal static Socket Dial(ILinkListener listener)
    {
        var endPoint = listener.Address.Resolve();
        var socket = SocketSetup.Make(endPoint);
        socket.ReceiveTimeout = (int)Recorder.Patience.TotalMilliseconds;
        socket.Connect(endPoint);
        return socket;
    }

    /// <summary>What the listener says before it hangs up.</summary>
    private static string? Refusal(Socket socket)
    {
        var (bytes, filled) = (new byte[4096], 0);
        try
        {
            for (int got; (got = socket.Receive(bytes.AsSpan(filled))) > 0;) filled += got;
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.ConnectionReset)
        {
            // Unread bytes of ours make the end a reset.
        }
        if (filled < Frame.FixedBytes || Frame.Read(bytes, Lane.Handshake, out var frame) is not null) return null;
        Assert.Equal(FrameTypes.Refused, frame.Type);
        return HandshakeCodec.ReadSentence(bytes.AsSpan(Frame.FixedBytes, frame.HeadBytes));
    }

    internal static byte[] HelloFrame(byte version = LinkWire.Version)
    {
        var bytes = HandshakeFrames.Make(FrameTypes.Hello, HandshakeCodec.Write(new HelloMessage(Lane.Bulk, 0, Peers.Hello("stranger"), new byte[32])));
        bytes[4] = version;
        return bytes;
    }

    internal static ILinkListener Listen(LinkTransportKind kind, BlockingCollection<LinkRefusal> refusals, Recorder? far = null, LinkOptions? options = null, LinkTls? tls = null) =>
        Links.Listen(Peers.Address(kind), Peers.Acceptor(_ => far is null ? LinkVerdict.Refuse("nobody") : LinkVerdict.Accept(far), options) with { Refused = refusals.Add, Tls = tls });

    internal static LinkRefusal Next(BlockingCollection<LinkRefusal> refusals) => refusals.TryTake(out var refusal, Recorder.Patience) ? refusal : throw new TimeoutException("nobody was refused");

    [Theory]
    [MemberData(nameof(Sockets))]
    public void Damaged_beginning_of_another_version_is_refused_with_both_numbers(LinkTransportKind kind)
    {
        var refusals = new BlockingCollection<LinkRefusal>();
        using var listener = Listen(kind, refusals);
        using var socket = Dial(listener);
        socket.Send(HelloFrame(version: 9));
        Assert.Equal("the peer speaks version 9 of the link protocol, this node version 2: run the same release on both", Refusal(socket));
        Assert.Equal(LinkRefusalReason.Version, Next(refusals).Reason);
    }

    [Theory]
    [MemberData(nameof(Sockets))]
    public void Random_bytes_are_refused(LinkTransportKind kind)
    {
        var refusals = new BlockingCollection<LinkRefusal>();
        using var listener = Listen(kind, refusals);
        var random = new Random(3);
        for (var i = 0; i < 50; i++)
        {
            using var socket = Dial(listener);
            var bytes = new byte[Frame.FixedBytes + random.Next(3000)];
            random.NextBytes(bytes);
            socket.Send(bytes);
            var refusal = Next(refusals);
            Assert.Equal(LinkRefusalReason.Garbage, refusal.Reason);
            Assert.Null(refusal.Hello);
        }
    }

    [Theory]
    [MemberData(nameof(Sockets))]
    public void Message_out_of_turn_is_refused(LinkTransportKind kind)
    {
        var refusals = new BlockingCollection<LinkRefusal>();
        using var listener = Listen(kind, refusals);
        using var socket = Dial(listener);
        socket.Send(HandshakeFrames.Make(FrameTypes.Proof, new byte[32]));
        Assert.Contains("out of turn", Refusal(socket));
        Assert.Equal(LinkRefusalReason.Garbage, Next(refusals).Reason);
    }

    [Theory]
    [MemberData(nameof(Sockets))]
    public void Slow_loris_is_turned_away_at_the_deadline(LinkTransportKind kind)
    {
        var refusals = new BlockingCollection<LinkRefusal>();
        using var listener = Listen(kind, refusals, options: LinkOptions.Default with { HandshakeLimit = TimeSpan.FromMilliseconds(300) });
        using var socket = Dial(listener);
        var hello = HelloFrame();
        // A byte at a time: each keeps the connection busy, none moves the deadline.
        LinkRefusal? refusal = null;
        for (var i = 0; i < hello.Length - 1 && !refusals.TryTake(out refusal, millisecondsTimeout: 10); i++)
        {
            try
            {
                socket.Send(hello, i, 1, SocketFlags.None);
            }
            catch (SocketException)
            {
                break;
            }
        }
        Assert.Equal(LinkRefusalReason.Deadline, (refusal ?? Next(refusals)).Reason);
        Assert.Equal(0, SpinUntilEmpty(listener));
    }

    private static int SpinUntilEmpty(ILinkListener listener)
    {
        SpinWait.SpinUntil(() => listener.HalfOpen == 0, Recorder.Patience);
        return listener.HalfOpen;
    }

    [Theory]
    [MemberData(nameof(Sockets))]
    public void Link_whose_other_connections_never_come_is_dropped(LinkTransportKind kind)
    {
        var refusals = new BlockingCollection<LinkRefusal>();
        using var listener = Listen(kind, refusals, options: LinkOptions.Default with { HandshakeLimit = TimeSpan.FromMilliseconds(300) });
        var deadline = System.Diagnostics.Stopwatch.GetTimestamp() + System.Diagnostics.Stopwatch.Frequency;
        var (bulk, _) = Dialler.Open(listener.Address, listener.Address.Resolve(), Peers.Dialler("half"), Lane.Bulk, 0, deadline);
        using (bulk)
        {
            var refusal = Next(refusals);
            Assert.Equal((LinkRefusalReason.Deadline, "half"), (refusal.Reason, refusal.Hello!.Name));
            Assert.Equal(-1, bulk.WaitReadable(Recorder.Patience) ? bulk.TryReceive(new byte[1]) : 0);
        }
    }

    [Theory]
    [InlineData("0.0.0.0:0")]
    [InlineData("[::]:0")]
    public void Address_that_others_reach_needs_a_word_and_a_secret(string text)
    {
        var address = LinkAddress.Parse(text);
        var options = Peers.Acceptor(_ => LinkVerdict.Refuse("nobody"));
        Assert.Contains("is not encrypted", Assert.Throws<UserMistakeException>(() => Links.Listen(address, options)).Message);
        Assert.Contains("set a join secret", Assert.Throws<UserMistakeException>(() => Links.Listen(address, options with { Insecure = true, Secret = default })).Message);
        Links.Listen(address, options with { Insecure = true }).Dispose();
    }

    [Fact]
    public void Stale_socket_file_is_replaced_and_any_other_file_is_left_alone()
    {
        var address = Peers.Address(LinkTransportKind.Unix);
        var options = Peers.Acceptor(_ => LinkVerdict.Refuse("nobody"));
        using (var dead = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified))
        {
            dead.Bind(new UnixDomainSocketEndPoint(address.Name));
            // Its owner is gone without unlinking: nobody listens.
            Links.Listen(address, options).Dispose();
        }
        File.WriteAllText(address.Name, "");
        Assert.Contains("a file of that name is there", Assert.Throws<UserMistakeException>(() => Links.Listen(address, options)).Message);
        Assert.True(File.Exists(address.Name));
        File.Delete(address.Name);
        var missing = LinkAddress.Parse($"unix:{address.Name}-folder/x.sock");
        Assert.Contains("its folder does not exist", Assert.Throws<UserMistakeException>(() => Links.Listen(missing, options)).Message);
    }

    [Fact]
    public void Listener_that_answers_nothing_is_unreachable_after_the_limit()
    {
        using var mute = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        mute.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        mute.Listen();
        using var near = new Recorder();
        var options = Peers.Dialler("worker-1", LinkOptions.Default with { HandshakeLimit = TimeSpan.FromMilliseconds(200) });
        var e = Assert.Throws<LinkUnreachableException>(() => Links.Connect(LinkAddress.Parse($"{mute.LocalEndPoint}"), options, near));
        Assert.Contains("did not finish the handshake in time", e.Message);
    }

    [Fact]
    public void Dialler_refuses_a_listener_that_does_not_know_the_secret()
    {
        // Lets everybody in, with a proof that it made up.
        using var impostor = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        impostor.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        impostor.Listen();
        var thread = new Thread(() =>
        {
            using var accepted = impostor.Accept();
            var bytes = new byte[8192];
            accepted.Receive(bytes);
            accepted.Send(HandshakeFrames.Make(FrameTypes.Challenge, new byte[32]));
            accepted.Receive(bytes);
            var welcome = HandshakeCodec.Write(new WelcomeMessage(5, Peers.Hello("impostor"), []));
            accepted.Send(HandshakeFrames.Make(FrameTypes.Welcome, [.. new byte[32], .. welcome]));
            accepted.Receive(bytes);
        });
        thread.Start();
        using var near = new Recorder();
        var e = Assert.Throws<LinkRefusedException>(() => Links.Connect(LinkAddress.Parse($"{impostor.LocalEndPoint}"), Peers.Dialler("worker-1"), near));
        Assert.Contains("does not know the join secret", e.Message);
        thread.Join();
    }
}
