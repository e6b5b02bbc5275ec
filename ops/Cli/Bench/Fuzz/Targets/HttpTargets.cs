using System.Net;
using System.Net.Sockets;
using System.Text;
using Cluster.Coordinator.Monitor.Health;
using Cluster.Coordinator.Monitor.Metrics;
using Cluster.Coordinator.Monitor.Web;

namespace Cluster.Cli.Bench.Fuzz.Targets;

/// <summary>Requests to the page's server, over a real connection each.</summary>
internal static class HttpTargets
{
    public static IReadOnlyList<FuzzTarget> All { get; } =
    [
        new("monitor.http", static () => LinkTargets.Texts(
            "GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
            "GET /healthz/live?token=0123 HTTP/1.1\r\nHost: 127.0.0.1:80\r\nCookie: cluster-monitor-80=0123\r\nAuthorization: Bearer 0123\r\nConnection: close\r\n\r\n",
            "HEAD / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"), Open) { Cost = 60, Allowance = 64 << 20 },
    ];

    private static FuzzDecoder Open(string folder)
    {
        var health = new NodeHealth(TimeProvider.System.GetUtcNow());
        var server = MonitorServer.StartAsync(new IPEndPoint(IPAddress.Loopback, 0), [MetricsRoute.Of("", static () => []), .. HealthRoutes.Of(health, TimeProvider.System)]).GetAwaiter().GetResult();
        return new FuzzDecoder(bytes => Ask(server.EndPoint, bytes), () => server.DisposeAsync().AsTask().GetAwaiter().GetResult());
    }

    /// <summary>True when there was an answer; a connection that is closed without one is one, too. An answer of 500 is a mistake of ours.</summary>
    private static bool Ask(IPEndPoint server, byte[] bytes)
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { LingerState = new LingerOption(true, 0), ReceiveTimeout = 500 };
        socket.Connect(server);
        var answer = new byte[65_536];
        var filled = 0;
        try
        {
            socket.Send(bytes);
            // A whole request is answered; the rest of another would be waited for, and its end is its answer.
            if (bytes.AsSpan().IndexOf("\r\n\r\n"u8) < 0) socket.Shutdown(SocketShutdown.Send);
            for (int got; filled < answer.Length && (got = socket.Receive(answer.AsSpan(filled))) > 0;) filled += got;
        }
        catch (SocketException)
        {
            // Reset: it has heard enough.
        }
        var status = Encoding.ASCII.GetString(answer, 0, Math.Min(filled, 16)).Split(' ');
        // Two of them are answers: 505, another version of HTTP, and 503, the health of a process that has stood still for half a minute.
        if (status.Length > 1 && status[1] is ['5', ..] and not ("503" or "505")) throw new InvalidOperationException($"the server answered {status[1]}");
        return filled > 0;
    }
}
