using System.Diagnostics;
using Cluster.Contracts;

namespace Cluster.Link;

/// <summary>TLS on a fresh connection, from the dialler's side. Blocks up to the deadline.</summary>
internal static class TlsDialling
{
    /// <summary>Takes over the socket; the caller disposes the channel.</summary>
    /// <exception cref="LinkRefusedException">What listens there speaks no TLS, or its certificate is not good.</exception>
    /// <exception cref="LinkUnreachableException">No answer in time, or none that makes sense.</exception>
    public static TlsChannel Open(SocketChannel socket, LinkAddress address, LinkDiallerOptions options, long deadline)
    {
        var channel = TlsChannel.Dialled(socket, TlsPeer.Acceptor(options.Tls!, address, options.ExpectedRole));
        try
        {
            while (!channel.Open())
            {
                var left = Stopwatch.GetElapsedTime(Stopwatch.GetTimestamp(), deadline);
                if (left <= TimeSpan.Zero || !socket.WaitReadable(left)) throw new LinkUnreachableException($"{address} did not finish the TLS handshake in time");
            }
            if (channel.Broken is { } broken) throw Explained(channel, address, broken);
            if (channel.Peer.Fault is { } fault)
            {
                // The only thing that it hears from us, and nothing that it does not know.
                channel.Refuse(fault);
                throw new LinkRefusedException($"will not talk to {address}: {fault}");
            }
            channel.Trust();
            return channel;
        }
        catch
        {
            channel.Dispose();
            throw;
        }
    }

    private static ClusterException Explained(TlsChannel channel, LinkAddress address, Exception broken)
    {
        var first = channel.FirstBytes;
        if (TlsFaults.ArePlain(first))
        {
            return HandshakeFrames.TryReadRefusal(first, out var sentence)
                ? new LinkRefusedException($"{address} refused: {sentence}")
                : new LinkRefusedException($"{address} speaks no TLS: start it with --tls DIR, or dial without");
        }
        if (first.IsEmpty) return new LinkUnreachableException($"{address} closed the connection in the TLS handshake");
        var (why, isKnown) = TlsFaults.Of(broken);
        return isKnown ? new LinkRefusedException($"no TLS with {address}: {why}") : new LinkUnreachableException($"what listens at {address} is no cluster node of this release: {why}");
    }
}
