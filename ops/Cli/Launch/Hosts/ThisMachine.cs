using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using Cluster.Contracts;
using Cluster.Link;

namespace Cluster.Cli.Launch.Hosts;

/// <summary>What this machine is called, as seen from itself and from others.</summary>
internal static class ThisMachine
{
    /// <summary>Any port does: nothing is sent.</summary>
    private const int Discard = 9;

    /// <summary>Whether a name means whoever reads it.</summary>
    public static bool IsLoopback(string host) =>
        string.Equals(host, "localhost", StringComparison.OrdinalIgnoreCase) || IPAddress.TryParse(host, out var ip) && IPAddress.IsLoopback(ip);

    /// <summary>Whether a name or address is this machine's. Looks the name up; one that is not known is not ours.</summary>
    public static bool IsHere(string host)
    {
        if (IsLoopback(host) || string.Equals(host, Environment.MachineName, StringComparison.OrdinalIgnoreCase)) return true;
        try
        {
            var own = NetworkInterface.GetAllNetworkInterfaces().SelectMany(static n => n.GetIPProperties().UnicastAddresses).Select(static a => a.Address).ToHashSet();
            return (IPAddress.TryParse(host, out var ip) ? [ip] : Dns.GetHostAddresses(host)).Any(a => own.Contains(a) || IPAddress.IsLoopback(a));
        }
        catch (SocketException)
        {
            return false;
        }
    }

    /// <summary>The address of this machine from which a host is reached; nothing is sent.</summary>
    /// <exception cref="UserMistakeException">The host has no address, or no way leads there.</exception>
    public static string AddressTowards(string host)
    {
        try
        {
            var to = new LinkAddress(LinkTransportKind.Tcp, host, Discard).Resolve();
            using var socket = new Socket(to.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
            socket.Connect(to);
            return ((IPEndPoint)socket.LocalEndPoint!).Address.ToString();
        }
        catch (SocketException e)
        {
            throw new UserMistakeException($"no way leads to host {host} ({e.Message}); if others reach this machine by a name, give it with --listen HOST:PORT", e);
        }
    }
}
