using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Cluster.Link;

namespace Cluster.Cli.Bench;

/// <summary>An authority and two certificates of this machine for the length of one measurement, in a folder that goes with it.</summary>
internal sealed class BenchmarkCertificates : IDisposable
{
    public BenchmarkCertificates()
    {
        var now = DateTimeOffset.UtcNow;
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=cluster bench", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: true, false, 0, critical: true));
        using var authority = request.CreateSelfSigned(now.AddMinutes(-5), now.AddDays(1));
        File.WriteAllText(Path.Combine(Folder, "ca.pem"), authority.ExportCertificatePem());
        foreach (var role in new[] { "coordinator", "worker" }) Make(role, authority);
    }

    public string Folder { get; } = Directory.CreateTempSubdirectory("cluster-bench-").FullName;

    private void Make(string role, X509Certificate2 authority)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={role}", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddUri(new Uri(LinkRoles.UriPrefix + role));
        names.AddIpAddress(IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid("1.3.6.1.5.5.7.3.1"), new Oid("1.3.6.1.5.5.7.3.2")], critical: false));
        using var certificate = request.Create(authority, new DateTimeOffset(authority.NotBefore), new DateTimeOffset(authority.NotAfter), RandomNumberGenerator.GetBytes(16));
        var files = TlsFiles.In(Folder, role);
        File.WriteAllText(files.Certificate, certificate.ExportCertificatePem());
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows()) options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        using var writer = new StreamWriter(files.Key, options);
        writer.Write(key.ExportPkcs8PrivateKeyPem());
    }

    public void Dispose() => Directory.Delete(Folder, recursive: true);
}
