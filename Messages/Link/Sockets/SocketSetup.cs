using System.Net;
using System.Net.Sockets;
using Cluster.Contracts;

namespace Cluster.Link;

/// <summary>How the sockets of each lane are set up.</summary>
internal static class SocketSetup
{
    public static Socket Make(EndPoint endPoint) => endPoint is UnixDomainSocketEndPoint
        ? new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified)
        : new Socket(endPoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp);

    /// <summary>For a socket that has been dialled or accepted.</summary>
    public static void Prepare(Socket socket)
    {
        if (socket.AddressFamily == AddressFamily.Unix) socket.SendBufferSize = Limits.LinkUnixSendBufferBytes;
        else socket.NoDelay = true;   // a control message must not wait for the acknowledgement of the one before
    }
}
