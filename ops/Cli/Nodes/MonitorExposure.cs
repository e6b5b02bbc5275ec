using System.Net;
using Cluster.Coordinator.Monitor.Web;

namespace Cluster.Cli.Nodes;

/// <summary>Whether figures may be shown at an address. Pages and metrics are HTTP: whoever is on the way reads them, and the token with them.</summary>
internal static class MonitorExposure
{
    /// <param name="monitor">Value of <c>--monitor</c>; one that is no address is somebody else's mistake to tell.</param>
    /// <returns>One line; null = it may.</returns>
    public static string? Mistake(string? monitor, bool isInsecure) => isInsecure || monitor is null || !IsOpen(monitor)
        ? null
        : $"--monitor {monitor}: other machines can reach this address, and what is shown there is not encrypted: show it at 127.0.0.1 and bring it elsewhere through ssh or a proxy with TLS, or allow it with --insecure";

    /// <summary>As <see cref="Mistake"/>, for a process that has no folder in which a new token could be found.</summary>
    public static string? MistakeWithoutFolder(string? monitor, bool isInsecure, string? token) =>
        Mistake(monitor, isInsecure) is { } mistake ? mistake
        : monitor is not null && IsOpen(monitor) && string.IsNullOrWhiteSpace(token) ? $"--monitor {monitor}: other machines can reach this address: put the token that they need into {MonitorAccess.TokenVariable}"
        : null;

    private static bool IsOpen(string monitor) => MonitorAddress.TryParse(monitor, out var endPoint) && !IPAddress.IsLoopback(endPoint.Address);
}
