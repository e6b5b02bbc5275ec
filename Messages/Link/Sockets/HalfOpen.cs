using System.Security.Cryptography;

namespace Cluster.Link;

/// <summary>A connection in the middle of its handshake. Only the listener's thread touches it.</summary>
internal sealed class HalfOpen(IChannel channel, LinkHello self, ReadOnlyMemory<byte> secret, TimeSpan deadline) : IDisposable
{
    public IChannel Channel { get; } = channel;

    public AcceptorHandshake Handshake { get; } = new(self, secret, RandomNumberGenerator.GetBytes(HandshakeCodec.NonceBytes));

    public TimeSpan Deadline { get; } = deadline;

    /// <summary>A fresh socket takes a handshake message whole. False: it did not, or is gone.</summary>
    public unsafe bool Send(byte[] frame)
    {
        fixed (byte* start = frame) return Channel.TrySend([new Segment(start, (nuint)frame.Length)]) == frame.Length;
    }

    /// <summary>Why a dialler that is gone, or whose TLS is of no use, never got in.</summary>
    public (LinkRefusalReason Reason, string Sentence) Parting(string self)
    {
        const string left = "the dialler left before the handshake was finished";
        if (Channel is not TlsChannel { IsOpen: false, Broken: { } broken } tls || tls.FirstBytes.IsEmpty) return (LinkRefusalReason.Abandoned, left);
        if (TlsFaults.ArePlain(tls.FirstBytes)) return (LinkRefusalReason.Certificate, $"the dialler speaks no TLS, and {self} takes nothing else: start both with --tls DIR, or none");
        if (!TlsFaults.AreTls(tls.FirstBytes)) return (LinkRefusalReason.Garbage, "bytes came that begin no TLS handshake");
        var (sentence, isKnown) = TlsFaults.Of(broken);
        if (isKnown) return (LinkRefusalReason.Certificate, $"no TLS with the dialler: {sentence}");
        return tls.IsAtEnd ? (LinkRefusalReason.Abandoned, left) : (LinkRefusalReason.Garbage, $"no TLS with the dialler: {sentence}");
    }

    public void Dispose() => Channel.Dispose();
}

/// <summary>A link of which not all connections are there yet.</summary>
internal sealed class PendingLink(ulong session, LinkHello dialler, TimeSpan deadline)
{
    public ulong Session { get; } = session;

    public LinkHello Dialler { get; } = dialler;

    public TimeSpan Deadline { get; } = deadline;

    public IChannel? Bulk { get; set; }

    public IChannel? Beat { get; set; }

    public void Abandon()
    {
        Bulk?.Dispose();
        Beat?.Dispose();
    }
}
