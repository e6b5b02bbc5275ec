using System.Net;
using System.Net.Sockets;
using Cluster.Contracts;
using Cluster.Link;

namespace Cluster.Cli.Nodes;

/// <summary>
/// A TCP port of this machine that is kept for a listener: others can be told of it before anybody listens there, and again
/// after the listener has died. Disposing gives it back.
/// </summary>
internal sealed class PortReservation : IDisposable
{
    private const int SolSocket = 1, SoReuseAddress = 2;

    private readonly Socket? _socket;

    private PortReservation(LinkAddress address, Socket? socket) => (Address, _socket) = (address, socket);

    /// <summary>With the port.</summary>
    public LinkAddress Address { get; }

    /// <param name="address">Of this machine; port 0 = any free one.</param>
    /// <exception cref="UserMistakeException">It is not this machine's, or taken.</exception>
    public static PortReservation Take(LinkAddress address)
    {
        var endPoint = (IPEndPoint)address.Resolve();
        var socket = new Socket(endPoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            // A socket that is bound and does not listen keeps the port from everybody but those who say the same (socket(7)), which listeners do.
            if (OperatingSystem.IsLinux()) socket.SetRawSocketOption(SolSocket, SoReuseAddress, BitConverter.GetBytes(1));
            socket.Bind(endPoint);
        }
        catch (SocketException e)
        {
            socket.Dispose();
            throw new UserMistakeException($"cannot listen on {address}: {e.Message}; choose an address of this machine", e);
        }
        var found = address with { Port = ((IPEndPoint)socket.LocalEndPoint!).Port };
        if (OperatingSystem.IsLinux()) return new PortReservation(found, socket);
        // Elsewhere the listener could not bind beside it: whoever is quick may take the port meanwhile.
        socket.Dispose();
        return new PortReservation(found, null);
    }

    public void Dispose() => _socket?.Dispose();
}
