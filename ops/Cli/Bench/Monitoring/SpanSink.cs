using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Cluster.Cli.Bench.Monitoring;

/// <summary>
/// Stands for a collector on another machine: takes every OTLP request (HTTP/1.1), reads it to its end and says yes, as
/// cheaply as it can, for what a collector costs is not what is measured. Any number of connections.
/// </summary>
internal sealed class SpanSink : IDisposable
{
    private static readonly byte[] Yes = "HTTP/1.1 200 OK\r\nContent-Type: application/x-protobuf\r\nContent-Length: 0\r\n\r\n"u8.ToArray();

    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private long _bytes;

    public SpanSink()
    {
        _listener.Start();
        _ = AcceptAsync();
    }

    public string Address => $"http://{_listener.LocalEndpoint}";

    /// <summary>Of the bodies that came.</summary>
    public long Bytes => Interlocked.Read(ref _bytes);

    private async Task AcceptAsync()
    {
        while (true)
        {
            Socket socket;
            try
            {
                socket = await _listener.AcceptSocketAsync();
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException)
            {
                return;
            }
            _ = ServeAsync(socket);
        }
    }

    private async Task ServeAsync(Socket socket)
    {
        using var ended = socket;
        var buffer = new byte[256 * 1024];
        var held = 0;
        try
        {
            while (true)
            {
                var end = buffer.AsSpan(0, held).IndexOf("\r\n\r\n"u8);
                if (end < 0)
                {
                    if (await ReadAsync() == 0) return;
                    continue;
                }
                var left = LengthOf(Encoding.ASCII.GetString(buffer, 0, end)) - (held - end - 4);
                Interlocked.Add(ref _bytes, held - end - 4);
                held = 0;
                while (left > 0)
                {
                    var read = await socket.ReceiveAsync(buffer.AsMemory());
                    if (read == 0) return;
                    left -= read;
                    Interlocked.Add(ref _bytes, read);
                }
                await socket.SendAsync(Yes);
            }
        }
        catch (SocketException)
        {
            // Whoever sent is gone.
        }

        async Task<int> ReadAsync()
        {
            var read = await socket.ReceiveAsync(buffer.AsMemory(held));
            held += read;
            return read;
        }
    }

    private static long LengthOf(string head)
    {
        const string name = "content-length:";
        var at = head.IndexOf(name, StringComparison.OrdinalIgnoreCase);
        if (at < 0) return 0;
        var line = head.AsSpan(at + name.Length);
        var end = line.IndexOf('\r');
        return long.TryParse(end < 0 ? line : line[..end], System.Globalization.CultureInfo.InvariantCulture, out var length) ? length : 0;
    }

    public void Dispose() => _listener.Dispose();
}
