using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Cluster.Contracts;
using Cluster.Link;

namespace Cluster.Cli.Certs;

/// <summary>A certificate and its key as PEM.</summary>
internal sealed record IssuedCertificate(string CertificatePem, string KeyPem, DateTimeOffset NotAfter);

/// <summary>
/// A certificate authority for the nodes of runs: ECDSA on P-256. It issues certificates that both ends of a link can show, with
/// the role that the node may take. Dispose it to drop the key.
/// </summary>
internal sealed class Authority : IDisposable
{
    /// <summary>Clocks of hosts differ by a little.</summary>
    private static readonly TimeSpan Early = TimeSpan.FromMinutes(5);

    private const int Years = 10, SerialBytes = 16;
    private const string ServerAuthentication = "1.3.6.1.5.5.7.3.1", ClientAuthentication = "1.3.6.1.5.5.7.3.2";

    private readonly X509Certificate2 _certificate;

    private Authority(X509Certificate2 certificate) => _certificate = certificate;

    public string CertificatePem => _certificate.ExportCertificatePem();

    public DateTimeOffset NotAfter => new(_certificate.NotAfter);

    /// <returns>The authority, and its key as PEM.</returns>
    public static (Authority Authority, string KeyPem) Create(DateTimeOffset now)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        // Two authorities of one name would be hard to tell apart.
        var name = new X500DistinguishedName($"CN=Cluster CA {RandomNumberGenerator.GetHexString(8, lowercase: true)}");
        var request = new CertificateRequest(name, key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: true, hasPathLengthConstraint: true, pathLengthConstraint: 0, critical: true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, critical: true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, critical: false));
        return (new Authority(request.CreateSelfSigned(now - Early, now.AddYears(Years))), key.ExportPkcs8PrivateKeyPem());
    }

    /// <param name="keyPem">Not encrypted; ECDSA or RSA.</param>
    /// <exception cref="UserMistakeException">They do not belong together, or are no authority.</exception>
    public static Authority Open(string certificatePem, string keyPem, string where)
    {
        X509Certificate2 certificate;
        try
        {
            certificate = X509Certificate2.CreateFromPem(certificatePem, keyPem);
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException)
        {
            throw new UserMistakeException($"ca.pem and ca.key in {where} are no certificate and its key ({e.Message.ReplaceLineEndings(" ")}): give another folder, or the two files that belong together", e);
        }
        if (certificate.Extensions.OfType<X509BasicConstraintsExtension>().FirstOrDefault() is { CertificateAuthority: true }) return new Authority(certificate);
        certificate.Dispose();
        throw new UserMistakeException($"ca.pem in {where} is the certificate of a node, not of an authority: give another folder, or the CA's own files");
    }

    /// <summary>Issues a certificate for a node of this role, with a key of its own.</summary>
    /// <param name="hosts">DNS names and addresses under which it is dialled.</param>
    /// <param name="now">It holds from a few minutes before, and not longer than the authority.</param>
    public IssuedCertificate Issue(string role, IReadOnlyList<string> hosts, TimeSpan validity, DateTimeOffset now)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest(new X500DistinguishedName($"CN=cluster {role}"), key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: false, hasPathLengthConstraint: false, pathLengthConstraint: 0, critical: true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, critical: true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid(ServerAuthentication), new Oid(ClientAuthentication)], critical: false));
        request.CertificateExtensions.Add(Names(role, hosts));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, critical: false));
        var isNumbered = _certificate.Extensions.OfType<X509SubjectKeyIdentifierExtension>().Any();
        request.CertificateExtensions.Add(X509AuthorityKeyIdentifierExtension.CreateFromCertificate(_certificate, includeKeyIdentifier: isNumbered, includeIssuerAndSerial: !isNumbered));
        DateTimeOffset from = now - Early, to = now + validity, first = new(_certificate.NotBefore);
        using var issued = request.Create(_certificate.SubjectName, Signer(), from < first ? first : from, to > NotAfter ? NotAfter : to, Serial());
        return new IssuedCertificate(issued.ExportCertificatePem(), key.ExportPkcs8PrivateKeyPem(), new DateTimeOffset(issued.NotAfter));
    }

    /// <summary>Positive, without a leading zero (RFC 5280, 4.1.2.2).</summary>
    private static byte[] Serial()
    {
        var serial = RandomNumberGenerator.GetBytes(SerialBytes);
        serial[0] = (byte)(serial[0] & 0x7F | 0x40);
        return serial;
    }

    private X509SignatureGenerator Signer() => _certificate.GetECDsaPrivateKey() is { } curve
        ? X509SignatureGenerator.CreateForECDsa(curve)
        : X509SignatureGenerator.CreateForRSA(_certificate.GetRSAPrivateKey()!, RSASignaturePadding.Pkcs1);

    private static X509Extension Names(string role, IEnumerable<string> hosts)
    {
        var names = new SubjectAlternativeNameBuilder();
        foreach (var host in hosts)
        {
            if (IPAddress.TryParse(host, out var address)) names.AddIpAddress(address);
            else names.AddDnsName(host);
        }
        names.AddUri(new Uri(LinkRoles.UriPrefix + role));
        return names.Build();
    }

    public void Dispose() => _certificate.Dispose();
}
