using System.Net.Sockets;
using System.Text;
using Cluster.Cli.Hosting.Supervision;

namespace Cluster.Cli.Tests.Operations;

/// <summary>A service manager's end of NOTIFY_SOCKET: reads all the time, as one does, and keeps every line of every message in order.</summary>
internal sealed class ManagerSocket : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(4);

    private readonly Socket _socket = new(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
    private readonly List<string> _lines = [];
    private readonly Thread _thread;

    /// <param name="address">As in NOTIFY_SOCKET.</param>
    public ManagerSocket(string address)
    {
        Address = address;
        _socket.Bind(new UnixDomainSocketEndPoint(NotifySocket.AddressOf(address)!));
        _thread = new Thread(Read) { IsBackground = true, Name = "manager" };
        _thread.Start();
    }

    public string Address { get; }

    /// <summary>Everything until now, in order.</summary>
    public IReadOnlyList<string> Lines
    {
        get { lock (_lines) return [.. _lines]; }
    }

    /// <summary>Waits for a line; fails when it does not come.</summary>
    public void WaitFor(Func<string, bool> wanted, string what)
    {
        var deadline = DateTime.UtcNow + Patience;
        lock (_lines)
        {
            while (!_lines.Any(wanted))
            {
                var left = deadline - DateTime.UtcNow;
                if (left <= TimeSpan.Zero || !Monitor.Wait(_lines, left)) Assert.Fail($"waited in vain for {what}; there was: {string.Join(" | ", _lines)}");
            }
        }
    }

    private void Read()
    {
        var buffer = new byte[4096];
        try
        {
            while (true)
            {
                var count = _socket.Receive(buffer);
                lock (_lines)
                {
                    _lines.AddRange(Encoding.UTF8.GetString(buffer, 0, count).Split('\n', StringSplitOptions.RemoveEmptyEntries));
                    Monitor.PulseAll(_lines);
                }
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // The spec is over.
        }
    }

    public void Dispose()
    {
        // Shutdown wakes a reader, which Dispose alone does not.
        if (_socket.IsBound) try { _socket.Shutdown(SocketShutdown.Both); } catch (Exception e) when (e is SocketException or ObjectDisposedException) { }
        _socket.Dispose();
    }
}
