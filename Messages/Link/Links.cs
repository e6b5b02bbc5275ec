using System.Net;
using System.Net.Sockets;
using Cluster.Contracts;

namespace Cluster.Link;

/// <summary>The way in: listen, or dial.</summary>
public static class Links
{
    /// <summary>Listens until the listener is disposed. Links that are open then stay open.</summary>
    /// <param name="address">Port 0 takes any free port; <see cref="ILinkListener.Address"/> names it.</param>
    /// <param name="options">Who listens, the secret, and who is let in.</param>
    /// <exception cref="UserMistakeException">The address is taken, not ours, not allowed, or reachable by other machines without <see cref="LinkListenerOptions.Tls"/> or <see cref="LinkListenerOptions.Insecure"/>; or this node's certificate may not accept.</exception>
    public static ILinkListener Listen(LinkAddress address, LinkListenerOptions options)
    {
        HandshakeCodec.CheckTravels(options.Self);
        return address.Kind == LinkTransportKind.InProcess ? InProcessListener.Open(address, options) : SocketListener.Open(address, options);
    }

    /// <summary>
    /// Opens a link: connects, proves the secret, says who dials. Blocks the calling thread for at most
    /// <see cref="LinkOptions.HandshakeLimit"/>. The handler may be called before this returns.
    /// </summary>
    /// <param name="address">Where the acceptor listens.</param>
    /// <param name="options">Who dials, and the secret.</param>
    /// <param name="handler">Receives the frames of the link.</param>
    /// <exception cref="UserMistakeException">An impossible address: port 0, or a host that cannot be found; or this node's certificate may not dial.</exception>
    /// <exception cref="LinkUnreachableException">Nobody listens there, or no answer in time. Trying again may help.</exception>
    /// <exception cref="LinkRefusedException">The acceptor said no, or its certificate is not good; the sentence says why. Trying again unchanged does not help.</exception>
    public static ILink Connect(LinkAddress address, LinkDiallerOptions options, ILinkHandler handler)
    {
        HandshakeCodec.CheckTravels(options.Self);
        return address.Kind == LinkTransportKind.InProcess ? InProcessListener.Connect(address, options, handler) : Dialler.Connect(address, options, handler);
    }

    /// <summary>True for addresses that other machines cannot reach.</summary>
    internal static bool IsLocal(EndPoint endPoint) => endPoint is UnixDomainSocketEndPoint || (endPoint is IPEndPoint ip && IPAddress.IsLoopback(ip.Address));
}
