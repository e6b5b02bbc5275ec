using System.Net;
using System.Net.Sockets;

namespace Cluster.Link;

/// <summary>How the sockets of each lane are set up.</summary>
internal static class SocketSetup
{
    /// <summary>
    /// Buffer of a bulk socket. A Unix socket wakes its reader per buffer: small ones cost context switches, larger ones than the
    /// caches cost memory traffic. TCP is left alone: the kernel tunes it up to tcp_wmem/tcp_rmem, and setting it by hand ends that.
    /// </summary>
    public const int UnixBulkBufferBytes = 1 << 20;

    public static Socket Make(EndPoint endPoint) => endPoint is UnixDomainSocketEndPoint
        ? new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified)
        : new Socket(endPoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp);

    /// <summary>For a socket that has been dialled or accepted.</summary>
    public static void Prepare(Socket socket)
    {
        if (socket.AddressFamily == AddressFamily.Unix) socket.SendBufferSize = UnixBulkBufferBytes;
        else socket.NoDelay = true;   // a control message must not wait for the acknowledgement of the one before
    }
}
