using System.Diagnostics.CodeAnalysis;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Cluster.Membership.Kubernetes;

namespace Cluster.Membership.Tests.Kubernetes;

/// <summary>
/// An HTTPS server on loopback that answers every request with the bytes it is given, and a service account that trusts it.
/// </summary>
internal sealed class ApiServer : IDisposable
{
    public const string Token = "eyJhbGciOiJSUzI1NiJ9.sesame-sesame.c2ln";

    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private SslStreamCertificateContext _shown;
    private readonly CancellationTokenSource _stop = new();

    /// <param name="names">Whom the certificate is for.</param>
    public ApiServer(params string[] names)
    {
        Authority = Certificates.Authority("CN=test cluster");
        Show(Certificates.Server(Authority, names));
        _listener.Start();
        Folder = Directory.CreateTempSubdirectory("service-account-").FullName;
        Put("token", Token + "\n");
        Put("namespace", "cluster");
        Trust(Authority);
        _ = ServeAsync();
    }

    public string Folder { get; }

    public Certificates Certificates { get; } = new();

    /// <summary>The root that has signed the server's first certificate.</summary>
    public X509Certificate2 Authority { get; }

    /// <summary>Status line, headers and body, as they go over the wire; the connection is closed behind them. Null = nothing is ever said.</summary>
    public byte[]? Answer { get; set; }

    /// <summary>Head of the last request.</summary>
    public string Asked { get; private set; } = "";

    public ServiceAccount Account => ServiceAccount.OfThisPod(name => name == "KUBERNETES_SERVICE_HOST" ? "127.0.0.1" : ((IPEndPoint)_listener.LocalEndpoint).Port.ToString(), Folder);

    public Uri Url => Account.Api;

    /// <summary>The server's certificate from now on, and what it sends with it.</summary>
    [MemberNotNull(nameof(_shown))]
    public void Show(X509Certificate2 certificate, params X509Certificate2[] above) => _shown = SslStreamCertificateContext.Create(certificate, [.. above], offline: true);

    /// <summary>The service account's authorities from now on, in this order.</summary>
    public void Trust(params X509Certificate2[] authorities) => Put("ca.crt", string.Join('\n', authorities.Select(static one => one.ExportCertificatePem())));

    public void Put(string name, string text) => File.WriteAllText(Path.Combine(Folder, name), text);

    /// <summary>A whole answer.</summary>
    public static byte[] Of(int status, string body) => Encoding.UTF8.GetBytes($"HTTP/1.1 {status} Any\r\nContent-Type: application/json\r\nContent-Length: {Encoding.UTF8.GetByteCount(body)}\r\n\r\n{body}");

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
        await stream.AuthenticateAsServerAsync(new SslServerAuthenticationOptions { ServerCertificateContext = _shown }, _stop.Token);
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
        Certificates.Dispose();
        Directory.Delete(Folder, recursive: true);
    }
}
