using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Cluster.Membership.Tests.Kubernetes;

/// <summary>Certificates with their private keys, made on the spot, with key identifiers as a cluster's have them; all live as long as this.</summary>
internal sealed class Certificates : IDisposable
{
    public const string ForServers = "1.3.6.1.5.5.7.3.1", ForClients = "1.3.6.1.5.5.7.3.2";

    private readonly List<X509Certificate2> _made = [];

    /// <param name="issuer">Null = it is a root.</param>
    /// <param name="like">Whose name and key identifier it claims, with a key of its own.</param>
    public X509Certificate2 Authority(string name, X509Certificate2? issuer = null, X509Certificate2? like = null, int fromDay = -2, int untilDay = 2)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest(like?.SubjectName ?? new X500DistinguishedName(name), key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: true, false, 0, critical: true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign, critical: true));
        request.CertificateExtensions.Add(like is null ? new X509SubjectKeyIdentifierExtension(request.PublicKey, critical: false) : KeyOf(like));
        return Signed(request, key, issuer, fromDay, untilDay);
    }

    /// <summary>What a server shows, 127.0.0.1 if not told otherwise.</summary>
    public X509Certificate2 Server(X509Certificate2 issuer, string[]? names = null, int fromDay = -1, int untilDay = 1, string usage = ForServers)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=api", key, HashAlgorithmName.SHA256);
        var alternatives = new SubjectAlternativeNameBuilder();
        foreach (var name in names is { Length: > 0 } ? names : ["127.0.0.1"])
        {
            if (IPAddress.TryParse(name, out var ip)) alternatives.AddIpAddress(ip);
            else alternatives.AddDnsName(name);
        }
        request.CertificateExtensions.Add(alternatives.Build());
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: false, false, 0, critical: true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid(usage)], critical: false));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, critical: false));
        return Signed(request, key, issuer, fromDay, untilDay);
    }

    private static X509SubjectKeyIdentifierExtension KeyOf(X509Certificate2 certificate) => certificate.Extensions.OfType<X509SubjectKeyIdentifierExtension>().Single();

    private X509Certificate2 Signed(CertificateRequest request, ECDsa key, X509Certificate2? issuer, int fromDay, int untilDay)
    {
        var (from, until) = (DateTimeOffset.UtcNow.AddDays(fromDay), DateTimeOffset.UtcNow.AddDays(untilDay));
        if (issuer is null)
        {
            _made.Add(request.CreateSelfSigned(from, until));
        }
        else
        {
            request.CertificateExtensions.Add(X509AuthorityKeyIdentifierExtension.CreateFromSubjectKeyIdentifier(KeyOf(issuer)));
            using var issuerKey = issuer.GetECDsaPrivateKey()!;
            using var signed = request.Create(issuer.SubjectName, X509SignatureGenerator.CreateForECDsa(issuerKey), from, until, RandomNumberGenerator.GetBytes(16));
            _made.Add(signed.CopyWithPrivateKey(key));
        }
        return _made[^1];
    }

    public void Dispose() => _made.ForEach(static one => one.Dispose());
}
