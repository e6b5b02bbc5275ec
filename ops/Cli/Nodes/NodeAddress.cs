using System.Net;
using Cluster.Link;

namespace Cluster.Cli.Nodes;

/// <summary>An address at which a node listens, and which the others are told to dial.</summary>
internal static class NodeAddress
{
    /// <returns>Why nobody would get there, and what to give instead; null = it may lead somewhere.</returns>
    public static string? Unreachable(LinkAddress address) => address switch
    {
        { Kind: LinkTransportKind.Tcp } when IPAddress.TryParse(address.Name, out var ip) && (ip.Equals(IPAddress.Any) || ip.Equals(IPAddress.IPv6Any)) =>
            "the other nodes dial this very address: give the name or an address of this machine",
        { Kind: LinkTransportKind.InProcess } => "an address inside a process leads nowhere: give HOST:PORT or unix:/PATH",
        _ => null,
    };

    /// <summary>The same where no port is told afterwards.</summary>
    public static string? UnreachableAsWritten(LinkAddress address) =>
        address is { Kind: LinkTransportKind.Tcp, Port: 0 } ? "the other nodes must know the port: give one from 1 to 65535" : Unreachable(address);
}
