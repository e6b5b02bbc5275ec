using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Cluster.Link;

namespace Cluster.Cli.Bench;

/// <summary>The yardstick: a socket of the same kind with the same options, written and read by plain <see cref="Socket"/> calls out of and into native memory.</summary>
internal static class RawLink
{
    public static Socket Listen(LinkAddress address, out LinkAddress actual)
    {
        var socket = Make(address, out var endPoint);
        socket.Bind(endPoint);
        socket.Listen(1);
        actual = socket.LocalEndPoint is System.Net.IPEndPoint ip ? address with { Port = ip.Port } : address;
        return socket;
    }

    public static Socket Connect(LinkAddress address)
    {
        var socket = Make(address, out var endPoint);
        socket.Connect(endPoint);
        Prepare(socket, address);
        return socket;
    }

    public static Socket Accept(Socket listener, LinkAddress address)
    {
        var socket = listener.Accept();
        Prepare(socket, address);
        return socket;
    }

    private static Socket Make(LinkAddress address, out System.Net.EndPoint endPoint)
    {
        var isUnix = address.Kind == LinkTransportKind.Unix;
        endPoint = isUnix ? new UnixDomainSocketEndPoint(address.Name) : new System.Net.IPEndPoint(System.Net.IPAddress.Parse(address.Name), address.Port);
        return isUnix ? new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified) : new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
    }

    private static void Prepare(Socket socket, LinkAddress address)
    {
        if (address.Kind == LinkTransportKind.Tcp) socket.NoDelay = true;
    }

    /// <summary>Reads until the span is full. False: the stream ended.</summary>
    public static bool Fill(Socket socket, Span<byte> to)
    {
        while (!to.IsEmpty)
        {
            var got = socket.Receive(to);
            if (got == 0) return false;
            to = to[got..];
        }
        return true;
    }

    public static void SendAll(Socket socket, ReadOnlySpan<byte> from)
    {
        while (!from.IsEmpty) from = from[socket.Send(from)..];
    }
}

/// <summary>
/// One raw connection, plain or under TLS. Under TLS it is the best loop of the run-time's <see cref="SslStream"/> that was found: synchronous
/// calls, out of and into pinned managed memory (it takes no other without a copy), a whole payload per write.
/// </summary>
internal sealed class RawConnection : IDisposable
{
    private readonly Socket _socket;
    private readonly SslStream? _tls;
    private readonly byte[] _payload;

    /// <param name="socket">Connected; disposed with this.</param>
    /// <param name="folder">Where the certificates are; null = no TLS.</param>
    /// <param name="isServer">Which end of TLS.</param>
    /// <param name="payloadBytes">Size of a payload.</param>
    public RawConnection(Socket socket, string? folder, bool isServer, int payloadBytes)
    {
        _socket = socket;
        _payload = folder is null ? [] : GC.AllocateUninitializedArray<byte>(payloadBytes, pinned: true);
        if (folder is null) return;
        _tls = new SslStream(new NetworkStream(socket, ownsSocket: false));
        var files = TlsFiles.In(folder, isServer ? "coordinator" : "worker");
        using var ephemeral = X509Certificate2.CreateFromPemFile(files.Certificate, files.Key);
        var context = SslStreamCertificateContext.Create(ephemeral, null, offline: true);
        // Only the speed is of interest: both ends are ours.
        if (isServer) _tls.AuthenticateAsServer(new SslServerAuthenticationOptions { ServerCertificateContext = context, EnabledSslProtocols = SslProtocols.Tls13, AllowTlsResume = false });
#pragma warning disable CA5359 // The other end is this program.
        else _tls.AuthenticateAsClient(new SslClientAuthenticationOptions { TargetHost = "127.0.0.1", EnabledSslProtocols = SslProtocols.Tls13, RemoteCertificateValidationCallback = static (_, _, _, _) => true, AllowTlsResume = false });
#pragma warning restore CA5359
    }

    /// <summary>The cipher suite; "" without TLS.</summary>
    public string Suite => _tls is null ? "" : _tls.NegotiatedCipherSuite.ToString();

    public void Send(ReadOnlySpan<byte> bytes)
    {
        if (_tls is null) RawLink.SendAll(_socket, bytes);
        else _tls.Write(bytes);
    }

    /// <summary>What <see cref="SendPayload"/> sends under TLS.</summary>
    public void Keep(ReadOnlySpan<byte> payload)
    {
        if (_tls is not null) payload.CopyTo(_payload);
    }

    public void SendPayload(ReadOnlySpan<byte> payload)
    {
        if (_tls is null) RawLink.SendAll(_socket, payload);
        else _tls.Write(_payload, 0, payload.Length);
    }

    /// <summary>Reads until the span is full. False: the stream ended.</summary>
    public bool Fill(Span<byte> to)
    {
        if (_tls is null) return RawLink.Fill(_socket, to);
        return _tls.ReadAtLeast(to, to.Length, throwOnEndOfStream: false) == to.Length;
    }

    public bool FillPayload(Span<byte> to)
    {
        if (_tls is null) return RawLink.Fill(_socket, to);
        for (int at = 0, got; at < to.Length; at += got)
        {
            got = _tls.Read(_payload, at, to.Length - at);
            if (got == 0) return false;
        }
        return true;
    }

    public void Dispose()
    {
        _tls?.Dispose();
        _socket.Dispose();
    }
}
