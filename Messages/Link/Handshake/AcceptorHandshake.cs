using Cluster.Contracts;

namespace Cluster.Link;

/// <summary>What an acceptor does next with a half-open connection.</summary>
internal abstract record HandshakeStep
{
    /// <summary>Wait for more bytes.</summary>
    public sealed record More : HandshakeStep;

    /// <summary>Send this frame, then wait.</summary>
    public sealed record Reply(byte[] Frame) : HandshakeStep;

    /// <summary>The dialler has proven the secret: judge it, then answer with <see cref="AcceptorHandshake.Welcome"/> or a refusal.</summary>
    public sealed record Proven(HelloMessage Hello) : HandshakeStep;

    /// <summary>Turn it away.</summary>
    /// <param name="Version">In which version of the wire it is told: the dialler's, where that is known.</param>
    public sealed record Refuse(LinkRefusalReason Reason, string Sentence, byte Version = LinkWire.Version) : HandshakeStep;
}

/// <summary>
/// The acceptor's half of one connection's handshake, without socket, clock or randomness: bytes in, next step out. It holds at
/// most one message of <see cref="Limits.LinkHelloBytes"/>.
/// </summary>
internal sealed class AcceptorHandshake(LinkHello self, ReadOnlyMemory<byte> secret, byte[] nonce)
{
    private readonly byte[] _bytes = new byte[Frame.FixedBytes + Limits.LinkHelloBytes + Frame.TrailerBytes];
    private int _filled;
    private byte[]? _helloBytes;
    private HelloMessage? _hello;

    /// <summary>Who it says it is; null before the hello is whole.</summary>
    public LinkHello? Hello => _hello?.Self;

    /// <summary>Where the next bytes go; report their number to <see cref="Received"/>.</summary>
    public Span<byte> Room => _bytes.AsSpan(_filled);

    public HandshakeStep Received(int count)
    {
        _filled += count;
        if (_filled < Frame.FixedBytes) return new HandshakeStep.More();
        if (_hello is null && TlsFaults.AreTls(_bytes)) return new HandshakeStep.Refuse(LinkRefusalReason.Certificate, $"the dialler speaks TLS, and {self.Name} does not: start both with --tls DIR, or none");
        if (Frame.Read(_bytes, Lane.Handshake, out var frame) is { } fault) return fault.End == LinkEnd.BadVersion ? HearOther(fault) : Garbage(fault.Sentence);
        var total = (int)frame.TotalBytes;
        if (_filled < total) return new HandshakeStep.More();
        // A dialler waits for each answer, so nothing may follow its message.
        if (_filled > total) return Garbage("bytes followed a handshake message before its answer");
        if (!Frame.IsWhole(_bytes.AsSpan(0, total))) return Garbage("a handshake message was damaged on its way");
        _filled = 0;
        var head = _bytes.AsSpan(Frame.FixedBytes, frame.HeadBytes);
        return (frame.Type, _hello) switch
        {
            (FrameTypes.Hello, null) => Hear(head),
            (FrameTypes.Proof, not null) => Prove(head),
            (FrameTypes.Refused, null) => new HandshakeStep.Refuse(LinkRefusalReason.Certificate, $"the dialler will not talk to {self.Name}: {HandshakeCodec.ReadSentence(head)}"),
            _ => Garbage("a handshake message came out of turn"),
        };
    }

    /// <summary>Somebody of another version: it is told what to install, and its release is said here if its hello names one.</summary>
    private HandshakeStep HearOther(FrameFault fault)
    {
        if (!Frame.TryReadOther(_bytes, Limits.LinkHelloBytes, out var version, out var frame)) return new HandshakeStep.Refuse(LinkRefusalReason.Version, fault.Sentence);
        var total = (int)frame.TotalBytes;
        if (_filled < total) return new HandshakeStep.More();
        var isHello = frame.Type == FrameTypes.Hello && Frame.IsWhole(_bytes.AsSpan(0, total));
        var release = isHello ? LinkWire.ReleaseIn(version, _bytes.AsSpan(Frame.FixedBytes, frame.HeadBytes)) : null;
        return new HandshakeStep.Refuse(LinkRefusalReason.Version, LinkWire.Mismatch(self.Name, version, release), version);
    }

    private static HandshakeStep.Refuse Garbage(string sentence) => new(LinkRefusalReason.Garbage, sentence);

    private HandshakeStep Hear(ReadOnlySpan<byte> head)
    {
        if (!HandshakeCodec.TryRead(head, out HelloMessage? hello)) return Garbage("the hello cannot be read");
        _helloBytes = head.ToArray();
        _hello = hello;
        return new HandshakeStep.Reply(HandshakeFrames.Make(FrameTypes.Challenge, nonce));
    }

    private HandshakeStep Prove(ReadOnlySpan<byte> proof)
    {
        if (!Proofs.Equal(proof, Proofs.OfDialler(secret.Span, _helloBytes, nonce)))
            return new HandshakeStep.Refuse(LinkRefusalReason.Secret, $"the join secret of {_hello!.Self.Name} differs from that of {self.Name}: give both the same one");
        if (RunMismatch(self, _hello!.Self) is { } sentence) return new HandshakeStep.Refuse(LinkRefusalReason.RunId, sentence);
        return new HandshakeStep.Proven(_hello);
    }

    /// <summary>An empty run id asks for ours; any other must be ours. Null = fits.</summary>
    public static string? RunMismatch(LinkHello acceptor, LinkHello dialler) =>
        dialler.RunId.Length == 0 || string.Equals(dialler.RunId, acceptor.RunId, StringComparison.Ordinal)
            ? null
            : $"{dialler.Name} belongs to run '{dialler.RunId}', but {acceptor.Name} runs '{acceptor.RunId}': check the address, or start the node without its old run folder";

    /// <summary>The last frame: session, who we are, greeting, and our own proof.</summary>
    public byte[] Welcome(ulong session, ReadOnlySpan<byte> greeting)
    {
        var welcome = HandshakeCodec.Write(new WelcomeMessage(session, self with { Note = default }, greeting.ToArray()));
        return HandshakeFrames.Make(FrameTypes.Welcome, [.. Proofs.OfAcceptor(secret.Span, _helloBytes, nonce, welcome), .. welcome]);
    }
}

/// <summary>Whole frames of the handshake lane.</summary>
internal static class HandshakeFrames
{
    /// <summary>Bytes of the longest answer: a proof and a welcome with the largest greeting.</summary>
    public const int MaxAnswerBytes = HandshakeCodec.ProofBytes + Limits.LinkHelloBytes + Limits.LinkGreetingBytes;

    public static byte[] Make(ushort type, ReadOnlySpan<byte> head)
    {
        var bytes = new byte[Frame.FixedBytes + head.Length + Frame.TrailerBytes];
        Frame.Write(bytes, Lane.Handshake, type, head);
        return bytes;
    }

    public static byte[] Refusal(string sentence, byte version = LinkWire.Version)
    {
        var frame = Make(FrameTypes.Refused, HandshakeCodec.WriteSentence(sentence));
        Frame.Stamp(frame, version);
        return frame;
    }

    /// <summary>The sentence, if these bytes begin with a whole refusal.</summary>
    public static bool TryReadRefusal(ReadOnlySpan<byte> bytes, out string sentence)
    {
        sentence = "";
        if (bytes.Length < Frame.FixedBytes || Frame.Read(bytes, Lane.Handshake, out var frame) is not null || frame.Type != FrameTypes.Refused || bytes.Length < frame.TotalBytes) return false;
        sentence = HandshakeCodec.ReadSentence(bytes.Slice(Frame.FixedBytes, frame.HeadBytes));
        return Frame.IsWhole(bytes[..(int)frame.TotalBytes]);
    }
}
