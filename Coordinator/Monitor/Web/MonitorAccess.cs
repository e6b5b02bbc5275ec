using System.Net;
using System.Security.Cryptography;
using System.Text;

namespace Cluster.Coordinator.Monitor.Web;

/// <summary>What a server does with a request.</summary>
public enum Verdict
{
    Serve,

    /// <summary>The token came in the address: it goes into a cookie, and the browser asks again without it.</summary>
    Remember,
    NoToken,
    WrongHost,
    WrongMethod,
}

/// <summary>What of a request the verdict hangs on; null = absent.</summary>
/// <param name="Host">Header, without the port.</param>
public readonly record struct Asking(string Method, string Path, string? Host, string? QueryToken, string? CookieToken, string? Authorization);

/// <summary>
/// Who may look on. At a loopback address everybody of this machine, if the browser knows it as such: a page of a foreign
/// name that resolves to this machine (DNS rebinding) reads nothing. Elsewhere who has the token.
/// </summary>
/// <param name="token">Null = none is needed, the address is a loopback one.</param>
public sealed class MonitorAccess(string? token)
{
    public const string TokenVariable = "CLUSTER_MONITOR_TOKEN";

    private const string Bearer = "Bearer ";

    private readonly byte[]? _hash = token is null ? null : Hash(token);

    public string? Token { get; } = token;

    /// <summary>For an address to listen at: without a token on loopback, else with the one given, or a new one.</summary>
    /// <param name="given">That the server had before, or that the user chose; null or empty = none.</param>
    public static MonitorAccess For(IPEndPoint endPoint, string? given)
    {
        ArgumentNullException.ThrowIfNull(endPoint);
        if (IPAddress.IsLoopback(endPoint.Address)) return new MonitorAccess(token: null);
        return new MonitorAccess(string.IsNullOrWhiteSpace(given) ? RandomNumberGenerator.GetHexString(32, lowercase: true) : given.Trim());
    }

    public Verdict Decide(Asking asking)
    {
        if (asking.Method is not ("GET" or "HEAD")) return Verdict.WrongMethod;
        // Whoever keeps a process alive has no token, and learns no more than that it is.
        if (asking.Path.StartsWith("/healthz", StringComparison.Ordinal)) return Verdict.Serve;
        if (_hash is null) return IsLoopback(asking.Host) ? Verdict.Serve : Verdict.WrongHost;
        if (Is(asking.CookieToken) || asking.Authorization is { } header && header.StartsWith(Bearer, StringComparison.OrdinalIgnoreCase) && Is(header[Bearer.Length..].Trim()))
            return asking.QueryToken is null ? Verdict.Serve : Verdict.Remember;
        return Is(asking.QueryToken) ? Verdict.Remember : Verdict.NoToken;
    }

    private static bool IsLoopback(string? host) =>
        host is not null && (host.Equals("localhost", StringComparison.OrdinalIgnoreCase) || IPAddress.TryParse(host.Trim('[', ']'), out var address) && IPAddress.IsLoopback(address));

    /// <summary>Takes as long for a wrong token as for the right one.</summary>
    private bool Is(string? candidate) => candidate is not null && CryptographicOperations.FixedTimeEquals(Hash(candidate), _hash);

    private static byte[] Hash(string text) => SHA256.HashData(Encoding.UTF8.GetBytes(text));
}
