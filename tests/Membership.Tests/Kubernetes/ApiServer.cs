using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Cluster.Membership.Kubernetes;

namespace Cluster.Membership.Tests.Kubernetes;

/// <summary>
/// An HTTPS server on loopback that answers every request with the bytes it is given, and a service account that trusts it: both
/// certificates are made on the spot.
/// </summary>
internal sealed class ApiServer : IDisposable
{
    public const string Token = "eyJhbGciOiJSUzI1NiJ9.sesame-sesame.c2ln";

    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly X509Certificate2 _authority = MadeAuthority("CN=test cluster"), _certificate;
    private readonly CancellationTokenSource _stop = new();

    /// <param name="names">Whom the certificate is for.</param>
    public ApiServer(params string[] names)
    {
        _certificate = Signed(names.Length == 0 ? ["127.0.0.1"] : names);
        _listener.Start();
        Folder = Directory.CreateTempSubdirectory("service-account-").FullName;
        Put("token", Token + "\n");
        Put("namespace", "cluster");
        Put("ca.crt", _authority.ExportCertificatePem());
        _ = ServeAsync();
    }

    public string Folder { get; }

    /// <summary>Status line, headers and body, as they go over the wire; the connection is closed behind them. Null = nothing is ever said.</summary>
    public byte[]? Answer { get; set; }

    /// <summary>Head of the last request.</summary>
    public string Asked { get; private set; } = "";

    public ServiceAccount Account => ServiceAccount.OfThisPod(name => name == "KUBERNETES_SERVICE_HOST" ? "127.0.0.1" : ((IPEndPoint)_listener.LocalEndpoint).Port.ToString(), Folder);

    public void Put(string name, string text) => File.WriteAllText(Path.Combine(Folder, name), text);

    /// <summary>A whole answer.</summary>
    public static byte[] Of(int status, string body) => Encoding.UTF8.GetBytes($"HTTP/1.1 {status} Any\r\nContent-Type: application/json\r\nContent-Length: {Encoding.UTF8.GetByteCount(body)}\r\n\r\n{body}");

    public static X509Certificate2 MadeAuthority(string name)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest(name, key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: true, false, 0, critical: true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign, critical: true));
        return request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-2), DateTimeOffset.UtcNow.AddDays(2));
    }

    private X509Certificate2 Signed(string[] names)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=api", key, HashAlgorithmName.SHA256);
        var alternatives = new SubjectAlternativeNameBuilder();
        foreach (var name in names)
        {
            if (IPAddress.TryParse(name, out var ip)) alternatives.AddIpAddress(ip);
            else alternatives.AddDnsName(name);
        }
        request.CertificateExtensions.Add(alternatives.Build());
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid("1.3.6.1.5.5.7.3.1")], critical: false));
        using var authorityKey = _authority.GetECDsaPrivateKey()!;
        using var signed = request.Create(_authority.SubjectName, X509SignatureGenerator.CreateForECDsa(authorityKey), DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1), RandomNumberGenerator.GetBytes(16));
        return signed.CopyWithPrivateKey(key);
    }

    private async Task ServeAsync()
    {
        try
        {
            while (true)
            {
                using var socket = await _listener.AcceptSocketAsync(_stop.Token);
                try
                {
                    await AnswerAsync(socket);
                }
                catch (Exception e) when (e is IOException or System.Security.Authentication.AuthenticationException)
                {
                    // The client turned away, which the specs see at its end.
                }
            }
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // The spec is over.
        }
    }

    private async Task AnswerAsync(Socket socket)
    {
        await using var stream = new SslStream(new NetworkStream(socket));
        await stream.AuthenticateAsServerAsync(new SslServerAuthenticationOptions { ServerCertificate = _certificate }, _stop.Token);
        var (bytes, filled) = (new byte[64 * 1024], 0);
        while (!Encoding.ASCII.GetString(bytes, 0, filled).Contains("\r\n\r\n", StringComparison.Ordinal))
        {
            var got = await stream.ReadAsync(bytes.AsMemory(filled), _stop.Token);
            if (got == 0) return;
            filled += got;
        }
        Asked = Encoding.ASCII.GetString(bytes, 0, filled);
        if (Answer is null) await Task.Delay(Timeout.Infinite, _stop.Token);
        await stream.WriteAsync(Answer, _stop.Token);
        await stream.ShutdownAsync();
    }

    public void Dispose()
    {
        _stop.Cancel();
        _listener.Dispose();
        _certificate.Dispose();
        _authority.Dispose();
        Directory.Delete(Folder, recursive: true);
    }
}
