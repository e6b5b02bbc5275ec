using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;

namespace Cluster.Link.Tests;

/// <summary>TLS of the run-time's own making, with whatever certificate, against one end of ours.</summary>
internal static class RawTls
{
    /// <summary>Dials, says hello, and reads what comes back: a refusal's sentence, or null at the end of the stream.</summary>
    public static string? Dial(LinkAddress address, X509Certificate2? certificate, SslProtocols protocols = SslProtocols.Tls13)
    {
        using var client = new TcpClient();
        client.ReceiveTimeout = (int)Recorder.Patience.TotalMilliseconds;
        client.Connect((IPEndPoint)address.Resolve());
        using var tls = new SslStream(client.GetStream());
        tls.AuthenticateAsClient(new SslClientAuthenticationOptions
        {
            TargetHost = address.Name,
            EnabledSslProtocols = protocols,
            ClientCertificates = certificate is null ? null : [certificate],
#pragma warning disable CA5359 // The other end judges here.
            RemoteCertificateValidationCallback = (_, _, _, _) => true,
#pragma warning restore CA5359
        });
        tls.Write(DoorSpecs.HelloFrame());
        var (bytes, filled) = (new byte[8192], 0);
        try
        {
            for (int got; (got = tls.Read(bytes, filled, bytes.Length - filled)) > 0;) filled += got;
        }
        catch (IOException)
        {
            // The end may be a reset.
        }
        return HandshakeFrames.TryReadRefusal(bytes.AsSpan(0, filled), out var sentence) ? sentence : null;
    }

    /// <summary>Accepts one connection at the address that it gives, and hears the first bytes under TLS.</summary>
    public static Task<byte[]> Serve(X509Certificate2 certificate, out LinkAddress address, SslProtocols protocols = SslProtocols.Tls13)
    {
        var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        address = LinkAddress.Parse(listener.LocalEndpoint.ToString()!);
        return Task.Factory.StartNew(
            () =>
            {
                using (listener)
                using (var accepted = listener.AcceptTcpClient())
                using (var tls = new SslStream(accepted.GetStream()))
                {
                    tls.AuthenticateAsServer(new SslServerAuthenticationOptions
                    {
                        ServerCertificate = certificate,
                        ClientCertificateRequired = true,
                        EnabledSslProtocols = protocols,
#pragma warning disable CA5359 // The other end judges here.
                        RemoteCertificateValidationCallback = (_, _, _, _) => true,
#pragma warning restore CA5359
                    });
                    var bytes = new byte[8192];
                    return bytes[..tls.Read(bytes)];
                }
            },
            CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
    }
}
