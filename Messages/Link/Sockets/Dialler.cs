using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Cluster.Contracts;

namespace Cluster.Link;

/// <summary>Opens the three connections of a link, control last: it is the one that the acceptor judges, and with its welcome the link is open on both sides.</summary>
internal static class Dialler
{
    public static ILink Connect(LinkAddress address, LinkDiallerOptions options, ILinkHandler handler)
    {
        if (address is { Kind: LinkTransportKind.Tcp, Port: 0 }) throw new UserMistakeException($"nobody can listen at port 0 of '{address}': give the port that the listener printed");
        if (address.Kind == LinkTransportKind.Tcp) options.Tls?.Demand(CertificateRules.ClientUsage);
        var endPoint = address.Resolve();
        var deadline = Stopwatch.GetTimestamp() + (long)(options.Options.HandshakeLimit.TotalSeconds * Stopwatch.Frequency);
        IChannel? bulk = null, beat = null, control = null;
        try
        {
            (bulk, var first) = Open(address, endPoint, options, Lane.Bulk, 0, deadline);
            (beat, _) = Open(address, endPoint, options, Lane.Heartbeat, first.Session, deadline);
            (control, var last) = Open(address, endPoint, options, Lane.Control, first.Session, deadline);
            var link = new SocketLink(last.Self, last.Greeting, control, bulk, beat, handler, options.Options);
            link.Start();
            return link;
        }
        catch
        {
            bulk?.Dispose();
            beat?.Dispose();
            control?.Dispose();
            throw;
        }
    }

    /// <summary>One connection with its handshake.</summary>
    internal static (IChannel Channel, WelcomeMessage Welcome) Open(LinkAddress address, EndPoint endPoint, LinkDiallerOptions options, Lane lane, ulong session, long deadline)
    {
        var socket = ConnectSocket(address, endPoint, deadline);
        IChannel channel = options.Tls is not null && address.Kind == LinkTransportKind.Tcp ? TlsDialling.Open(socket, address, options, deadline) : socket;
        try
        {
            return (channel, Handshake(channel, address, options, lane, session, deadline));
        }
        catch
        {
            channel.Dispose();
            throw;
        }
    }

    private static TimeSpan Left(long deadline) => Stopwatch.GetElapsedTime(Stopwatch.GetTimestamp(), deadline);

    private static unsafe SocketChannel ConnectSocket(LinkAddress address, EndPoint endPoint, long deadline)
    {
        var socket = SocketSetup.Make(endPoint);
        try
        {
            SocketSetup.Prepare(socket);
            // The kernel's own limit for connect(2). The managed Connect has none, and its asynchronous form would hand the
            // descriptor to the run-time's event loop, which then wakes up for every arrival.
            socket.SendTimeout = (int)Math.Max(1, Left(deadline).TotalMilliseconds);
            var name = endPoint.Serialize();
            int result, error;
            fixed (byte* bytes = name.Buffer.Span)
            {
                result = NativeMethods.Connect(socket.SafeHandle, bytes, (uint)name.Size);
                error = result == 0 ? 0 : Marshal.GetLastPInvokeError();
            }
            if (result != 0)
            {
                var why = error is NativeMethods.EINPROGRESS or NativeMethods.EAGAIN ? "no answer in time" : Marshal.GetPInvokeErrorMessage(error);
                throw new LinkUnreachableException($"cannot reach {address}: {why}");
            }
            socket.SendTimeout = 0;
            return new SocketChannel(socket);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>The dialler's half of a handshake.</summary>
    /// <exception cref="LinkRefusedException">It is turned away, or the acceptor does not know the secret.</exception>
    /// <exception cref="LinkUnreachableException">Whoever listens is no node of this release, or does not answer in time.</exception>
    internal static WelcomeMessage Handshake(IChannel channel, LinkAddress address, LinkDiallerOptions options, Lane lane, ulong session, long deadline)
    {
        var hello = HandshakeCodec.Write(new HelloMessage(lane, session, options.Self, RandomNumberGenerator.GetBytes(HandshakeCodec.NonceBytes)));
        Say(channel, HandshakeFrames.Make(FrameTypes.Hello, hello));
        var challenge = Hear(channel, address, FrameTypes.Challenge, deadline);
        if (challenge.Length != HandshakeCodec.NonceBytes) throw NoPeer(address, "its challenge has the wrong length");
        Say(channel, HandshakeFrames.Make(FrameTypes.Proof, Proofs.OfDialler(options.Secret.Span, hello, challenge)));
        var answer = Hear(channel, address, FrameTypes.Welcome, deadline);
        if (answer.Length < HandshakeCodec.ProofBytes) throw NoPeer(address, "its welcome is too short");
        var welcome = answer.AsSpan(HandshakeCodec.ProofBytes);
        if (!Proofs.Equal(answer.AsSpan(0, HandshakeCodec.ProofBytes), Proofs.OfAcceptor(options.Secret.Span, hello, challenge, welcome)))
            throw new LinkRefusedException($"whoever listens at {address} does not know the join secret: check the address and the secret");
        if (!HandshakeCodec.TryRead(welcome, out WelcomeMessage? message)) throw NoPeer(address, "its welcome cannot be read");
        if ((channel as TlsChannel)?.Peer.FaultOfRole(message.Self) is { } fault) throw new LinkRefusedException($"will not talk to {address}: {fault}");
        if (session != 0 && message.Session != session) throw NoPeer(address, "it answered for another session");
        return message;
    }

    private static LinkUnreachableException NoPeer(LinkAddress address, string why) => new($"what listens at {address} is no cluster node of this release: {why}");

    /// <summary>A fresh socket takes a handshake message whole. If it does not, the connection is gone, and reading the answer says why.</summary>
    private static unsafe void Say(IChannel channel, byte[] frame)
    {
        fixed (byte* start = frame) channel.TrySend([new Segment(start, (nuint)frame.Length)]);
    }

    private static byte[] Hear(IChannel channel, LinkAddress address, ushort expected, long deadline)
    {
        var bytes = new byte[Frame.FixedBytes];
        Fill(channel, address, bytes, deadline);
        if (Frame.Read(bytes, Lane.Handshake, out var frame, HandshakeFrames.MaxAnswerBytes) is { } fault) throw OtherVersion(channel, address, bytes, deadline) ?? (ClusterException)NoPeer(address, fault.Sentence);
        Array.Resize(ref bytes, (int)frame.TotalBytes);
        Fill(channel, address, bytes.AsSpan(Frame.FixedBytes), deadline);
        if (!Frame.IsWhole(bytes)) throw NoPeer(address, frame.Damaged().Sentence);
        var head = bytes.AsSpan(Frame.FixedBytes, frame.HeadBytes);
        if (frame.Type == FrameTypes.Refused) throw new LinkRefusedException($"{address} refused: {HandshakeCodec.ReadSentence(head)}");
        return frame.Type == expected ? head.ToArray() : throw NoPeer(address, "its messages come out of turn");
    }

    /// <summary>An acceptor of a version that does not know this one refuses in its own; null = it is nothing of the kind.</summary>
    private static LinkRefusedException? OtherVersion(IChannel channel, LinkAddress address, byte[] start, long deadline)
    {
        if (!Frame.TryReadOther(start, Limits.LinkSentenceBytes, out var version, out var frame) || frame.Type != FrameTypes.Refused) return null;
        var bytes = new byte[frame.TotalBytes];
        start.CopyTo(bytes, 0);
        Fill(channel, address, bytes.AsSpan(Frame.FixedBytes), deadline);
        return Frame.IsWhole(bytes) ? new LinkRefusedException(LinkWire.Mismatch(address, version, HandshakeCodec.ReadSentence(bytes.AsSpan(Frame.FixedBytes, frame.HeadBytes)))) : null;
    }

    private static void Fill(IChannel channel, LinkAddress address, Span<byte> to, long deadline)
    {
        while (!to.IsEmpty)
        {
            var left = Left(deadline);
            if (left <= TimeSpan.Zero || !channel.WaitReadable(left)) throw new LinkUnreachableException($"{address} did not finish the handshake in time");
            var got = channel.TryReceive(to);
            if (got < 0) throw new LinkUnreachableException($"{address} closed the connection in the handshake");
            to = to[(int)got..];
        }
    }
}
