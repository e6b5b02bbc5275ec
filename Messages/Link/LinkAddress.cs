using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Cluster.Contracts;

namespace Cluster.Link;

/// <summary>How the two ends of a link reach each other.</summary>
public enum LinkTransportKind
{
    Tcp,
    Unix,
    InProcess,
}

/// <summary>Where a node listens: <c>host:port</c> (<c>[::1]:port</c>), <c>unix:/path</c>, or <c>inproc:name</c>.</summary>
/// <param name="Kind">The transport.</param>
/// <param name="Name">Host, path, or name.</param>
/// <param name="Port">TCP port, 0 = any free one (listening only); 0 for the other transports.</param>
public sealed record LinkAddress(LinkTransportKind Kind, string Name, int Port)
{
    /// <summary>Room in <c>sockaddr_un</c> on Linux, less the closing zero (unix(7)).</summary>
    private const int MaxUnixPathBytes = 107;

    /// <exception cref="UserMistakeException">No address; the message is one line that says what is wrong with it.</exception>
    public static LinkAddress Parse(string text)
    {
        if (string.IsNullOrWhiteSpace(text)) throw new UserMistakeException("the address is empty: give HOST:PORT or unix:/PATH");
        if (text.StartsWith("unix:", StringComparison.Ordinal)) return ForUnix(text["unix:".Length..], text);
        if (text.StartsWith("inproc:", StringComparison.Ordinal))
        {
            return text.Length > "inproc:".Length
                ? new LinkAddress(LinkTransportKind.InProcess, text["inproc:".Length..], 0)
                : throw new UserMistakeException($"'{text}' has no name: write inproc:NAME");
        }
        var colon = text.LastIndexOf(':');
        if (colon <= 0) throw new UserMistakeException($"'{text}' has no port: write HOST:PORT, e.g. 127.0.0.1:7070, or unix:/PATH");
        var (host, port) = (text[..colon], text[(colon + 1)..]);
        if (!int.TryParse(port, NumberStyles.None, CultureInfo.InvariantCulture, out var number) || number > ushort.MaxValue)
            throw new UserMistakeException($"'{port}' in '{text}' is no port: give a number from 1 to 65535");
        if (host.StartsWith('[') && host.EndsWith(']')) host = host[1..^1];
        else if (host.Contains(':')) throw new UserMistakeException($"'{text}' mixes up host and port: write an IPv6 address in brackets, [ADDRESS]:PORT");
        // CheckHostName takes underscores and the like, which containers use.
        if (Uri.CheckHostName(host) == UriHostNameType.Unknown) throw new UserMistakeException($"'{host}' in '{text}' is no host name and no IP address");
        return new LinkAddress(LinkTransportKind.Tcp, host, number);
    }

    private static LinkAddress ForUnix(string path, string text)
    {
        if (path.Length == 0 || path[0] != '/') throw new UserMistakeException($"'{text}' needs an absolute path: write unix:/PATH");
        if (path.Contains('\0')) throw new UserMistakeException("the path of a unix socket contains a zero character");
        var bytes = Encoding.UTF8.GetByteCount(path);
        if (bytes > MaxUnixPathBytes) throw new UserMistakeException($"the path of '{text}' has {bytes} bytes, a unix socket takes at most {MaxUnixPathBytes}: choose a shorter folder");
        return new LinkAddress(LinkTransportKind.Unix, path, 0);
    }

    /// <summary>As sockets take it. A host's name is looked up; IPv4 goes first.</summary>
    /// <exception cref="UserMistakeException">The host has no address.</exception>
    public EndPoint Resolve()
    {
        if (Kind == LinkTransportKind.Unix) return new UnixDomainSocketEndPoint(Name);
        if (IPAddress.TryParse(Name, out var ip)) return new IPEndPoint(ip, Port);
        try
        {
            var all = Dns.GetHostAddresses(Name);
            var chosen = Array.Find(all, a => a.AddressFamily == AddressFamily.InterNetwork) ?? all.FirstOrDefault();
            return chosen is null ? throw new UserMistakeException($"the host '{Name}' has no address") : new IPEndPoint(chosen, Port);
        }
        catch (SocketException e)
        {
            throw new UserMistakeException($"the host '{Name}' cannot be found ({e.Message}): check the name", e);
        }
    }

    /// <summary>The text that <see cref="Parse"/> reads.</summary>
    public override string ToString() => Kind switch
    {
        LinkTransportKind.Unix => "unix:" + Name,
        LinkTransportKind.InProcess => "inproc:" + Name,
        _ => string.Create(CultureInfo.InvariantCulture, $"{(Name.Contains(':') ? $"[{Name}]" : Name)}:{Port}"),
    };
}
