using System.Net.Sockets;
using System.Text;

namespace Cluster.Cli.Hosting.Supervision;

/// <summary>The datagram socket of a service manager. Whatever it does, the process goes on: nobody trains for the sake of a status line.</summary>
internal sealed class NotifySocket : IDisposable
{
    public const string Variable = "NOTIFY_SOCKET";

    private readonly Socket _socket;
    private readonly UnixDomainSocketEndPoint _address;

    private NotifySocket(Socket socket, UnixDomainSocketEndPoint address) => (_socket, _address) = (socket, address);

    /// <param name="text">An absolute path, or @NAME for an abstract socket; anything else is nobody.</param>
    /// <returns>Null when there is nobody to tell.</returns>
    public static NotifySocket? Open(string? text)
    {
        if (AddressOf(text) is not { } name) return null;
        try
        {
            var address = new UnixDomainSocketEndPoint(name);
            return new NotifySocket(new Socket(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified) { Blocking = false }, address);
        }
        catch (Exception e) when (e is SocketException or ArgumentException or PlatformNotSupportedException)
        {
            return null;
        }
    }

    /// <summary>As the kernel wants it: an abstract name begins with a zero byte.</summary>
    public static string? AddressOf(string? text) => text switch
    {
        ['/', _, ..] => text,
        ['@', _, ..] => "\0" + text[1..],
        _ => null,
    };

    /// <returns>Whether it was taken; a full queue or a manager that is gone takes nothing.</returns>
    public bool Send(string message)
    {
        try
        {
            return _socket.SendTo(Encoding.UTF8.GetBytes(message), _address) > 0;
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            return false;
        }
    }

    public void Dispose() => _socket.Dispose();
}
