using System.Net.Sockets;
using System.Security.Cryptography;

namespace Cluster.Link;

/// <summary>A connection in the middle of its handshake. Only the listener's thread touches it.</summary>
internal sealed class HalfOpen(Socket socket, LinkHello self, ReadOnlyMemory<byte> secret, TimeSpan deadline) : IDisposable
{
    public SocketChannel Channel { get; } = new(socket);

    public AcceptorHandshake Handshake { get; } = new(self, secret, RandomNumberGenerator.GetBytes(HandshakeCodec.NonceBytes));

    public TimeSpan Deadline { get; } = deadline;

    /// <summary>A fresh socket takes a handshake message whole. False: it did not, or is gone.</summary>
    public unsafe bool Send(byte[] frame)
    {
        fixed (byte* start = frame) return Channel.TrySend([new Segment(start, (nuint)frame.Length)]) == frame.Length;
    }

    public void Dispose() => Channel.Dispose();
}

/// <summary>A link of which not all connections are there yet.</summary>
internal sealed class PendingLink(ulong session, LinkHello dialler, TimeSpan deadline)
{
    public ulong Session { get; } = session;

    public LinkHello Dialler { get; } = dialler;

    public TimeSpan Deadline { get; } = deadline;

    public SocketChannel? Bulk { get; set; }

    public SocketChannel? Beat { get; set; }

    public void Abandon()
    {
        Bulk?.Dispose();
        Beat?.Dispose();
    }
}
