using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Cluster.Coordinator.Monitor.Web;

/// <summary>Reads and writes HOST:PORT of a server. Names are not looked up: an address to listen at is one of this machine's own.</summary>
public static class MonitorAddress
{
    /// <param name="text"><c>127.0.0.1:0</c>, <c>[::1]:8080</c>, <c>localhost:0</c>; port 0 = any free one.</param>
    public static bool TryParse(string text, [NotNullWhen(true)] out IPEndPoint? endPoint)
    {
        ArgumentNullException.ThrowIfNull(text);
        endPoint = null;
        var colon = text.LastIndexOf(':');
        if (colon <= 0 || !ushort.TryParse(text.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var port)) return false;
        var host = text[..colon];
        if (host == "localhost") endPoint = new IPEndPoint(IPAddress.Loopback, port);
        else if (host is ['[', .., ']'] && IPAddress.TryParse(host.AsSpan(1, host.Length - 2), out var six) && six.AddressFamily == AddressFamily.InterNetworkV6) endPoint = new IPEndPoint(six, port);
        // "5" and "127.1" are addresses to inet_aton, and mistakes to people.
        else if (host.Count(static c => c == '.') == 3 && IPAddress.TryParse(host, out var four) && four.AddressFamily == AddressFamily.InterNetwork) endPoint = new IPEndPoint(four, port);
        return endPoint is not null;
    }

    /// <summary>For a browser: where all addresses are listened at, the machine's name.</summary>
    public static string UrlOf(IPEndPoint bound)
    {
        ArgumentNullException.ThrowIfNull(bound);
        var host = bound.Address.Equals(IPAddress.Any) || bound.Address.Equals(IPAddress.IPv6Any) ? Environment.MachineName
            : bound.AddressFamily == AddressFamily.InterNetworkV6 ? $"[{bound.Address}]"
            : bound.Address.ToString();
        return $"http://{host}:{bound.Port.ToString(CultureInfo.InvariantCulture)}";
    }
}
