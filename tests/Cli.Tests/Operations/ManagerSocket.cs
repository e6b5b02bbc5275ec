using System.Net.Sockets;
using System.Text;
using Cluster.Cli.Hosting.Supervision;

namespace Cluster.Cli.Tests.Operations;

/// <summary>A service manager's end of NOTIFY_SOCKET: keeps every line of every message in order.</summary>
internal sealed class ManagerSocket : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    private readonly Socket _socket = new(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified) { ReceiveTimeout = (int)Patience.TotalMilliseconds };
    private readonly List<string> _lines = [];

    /// <param name="address">As in NOTIFY_SOCKET.</param>
    public ManagerSocket(string address)
    {
        Address = address;
        _socket.Bind(new UnixDomainSocketEndPoint(NotifySocket.AddressOf(address)!));
    }

    public string Address { get; }

    /// <summary>Everything until now, in order.</summary>
    public IReadOnlyList<string> Lines
    {
        get
        {
            while (_socket.Poll(0, SelectMode.SelectRead)) Receive();
            return [.. _lines];
        }
    }

    /// <summary>Waits for a line; fails when it does not come.</summary>
    public void WaitFor(Func<string, bool> wanted, string what)
    {
        var from = 0;
        while (true)
        {
            for (; from < _lines.Count; from++)
                if (wanted(_lines[from])) return;
            try
            {
                Receive();
            }
            catch (SocketException)
            {
                Assert.Fail($"waited in vain for {what}; there was: {string.Join(" | ", _lines)}");
            }
        }
    }

    private void Receive()
    {
        var buffer = new byte[4096];
        _lines.AddRange(Encoding.UTF8.GetString(buffer, 0, _socket.Receive(buffer)).Split('\n', StringSplitOptions.RemoveEmptyEntries));
    }

    public void Dispose() => _socket.Dispose();
}
