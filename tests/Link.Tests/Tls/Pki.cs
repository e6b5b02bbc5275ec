using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Cluster.Link.Tests;

/// <summary>A time that stands still.</summary>
internal sealed class StoppedTime(DateTimeOffset now) : TimeProvider
{
    public override DateTimeOffset GetUtcNow() => now;
}

/// <summary>What a certificate says.</summary>
internal sealed record Subject(params string[] Roles)
{
    public string[] Hosts { get; init; } = [];
    public IPAddress[] Addresses { get; init; } = [IPAddress.Loopback, IPAddress.IPv6Loopback];
    public string[] Usages { get; init; } = [CertificateRules.ServerUsage, CertificateRules.ClientUsage];
    public DateTimeOffset From { get; init; } = DateTimeOffset.UtcNow.AddDays(-1);
    public DateTimeOffset To { get; init; } = DateTimeOffset.UtcNow.AddDays(1);
}

/// <summary>An authority of its own in a folder of its own, which goes with it.</summary>
internal sealed class Pki : IDisposable
{
    private readonly List<LinkTls> _loaded = [];
    private readonly X509Certificate2 _authority;
    private int _serial;

    public Pki(string name = "test authority")
    {
        Folder = Directory.CreateTempSubdirectory("link-pki-").FullName;
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: true, false, 0, critical: true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign, critical: true));
        _authority = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddYears(-3), DateTimeOffset.UtcNow.AddYears(3));
        File.WriteAllText(In("ca.pem"), AuthorityPem);
    }

    public string Folder { get; }

    public string AuthorityPem => _authority.ExportCertificatePem();

    /// <summary>One for all specs that want nothing but TLS that works: every role, both ends.</summary>
    public static LinkTls Shared => LazyShared.Value;

    private static readonly Lazy<LinkTls> LazyShared = new(() =>
    {
        // What is loaded needs its folder no more.
        using var pki = new Pki();
        return LinkTls.Load(pki.Make(new Subject("worker", "coordinator", "ps", "supervisor")), TimeProvider.System);
    });

    public string In(string file) => Path.Combine(Folder, file);

    /// <summary>Makes a certificate and its key, <c>NAME.pem</c> and <c>NAME.key</c>.</summary>
    public TlsFiles Make(Subject subject, string? name = null)
    {
        name ??= string.Create(CultureInfo.InvariantCulture, $"node-{++_serial}");
        using var made = Certificate(subject, name);
        return Write(made, name);
    }

    public X509Certificate2 Certificate(Subject subject, string name = "node")
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var authorityKey = _authority.GetECDsaPrivateKey()!;
        // By its generator: the other way does not sign what outlives the authority.
        using var signed = Request(subject, name, key).Create(_authority.SubjectName, X509SignatureGenerator.CreateForECDsa(authorityKey), subject.From, subject.To, RandomNumberGenerator.GetBytes(16));
        return signed.CopyWithPrivateKey(key);
    }

    /// <summary>Signed by itself, and itself among the authorities in its own files: its owner trusts it.</summary>
    public TlsFiles MakeSelfSigned(Subject subject)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var made = Request(subject, "selfmade", key).CreateSelfSigned(subject.From, subject.To);
        var files = Write(made, "selfmade") with { Authority = In("selfmade-ca.pem") };
        File.WriteAllText(files.Authority, $"{AuthorityPem}\n{made.ExportCertificatePem()}\n");
        return files;
    }

    public LinkTls Load(Subject subject) => Load(Make(subject));

    public LinkTls Load(TlsFiles files, TimeProvider? time = null)
    {
        var loaded = LinkTls.Load(files, time ?? TimeProvider.System);
        _loaded.Add(loaded);
        return loaded;
    }

    /// <summary>Signed by an authority that is itself signed by this one; its certificate comes along in the file if wanted.</summary>
    public TlsFiles MakeBelow(Subject subject, bool comesAlong = true)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=in between", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: true, false, 0, critical: true));
        using var between = request.Create(_authority, subject.From, subject.To, [7]);
        using var own = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var signed = Request(subject, "below", own).Create(between.SubjectName, X509SignatureGenerator.CreateForECDsa(key), subject.From, subject.To, [8]);
        using var made = signed.CopyWithPrivateKey(own);
        var files = Write(made, "below");
        if (comesAlong) File.AppendAllText(files.Certificate, $"\n{between.ExportCertificatePem()}\n");
        return files;
    }

    private static CertificateRequest Request(Subject subject, string name, ECDsa key)
    {
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        foreach (var role in subject.Roles) names.AddUri(new Uri(LinkRoles.UriPrefix + role));
        foreach (var host in subject.Hosts) names.AddDnsName(host);
        foreach (var address in subject.Addresses) names.AddIpAddress(address);
        if (subject.Roles.Length + subject.Hosts.Length + subject.Addresses.Length > 0) request.CertificateExtensions.Add(names.Build());
        if (subject.Usages.Length > 0) request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([.. subject.Usages.Select(u => new Oid(u))], critical: false));
        return request;
    }

    private TlsFiles Write(X509Certificate2 certificate, string name)
    {
        var files = TlsFiles.In(Folder, name);
        File.WriteAllText(files.Certificate, certificate.ExportCertificatePem());
        using var key = certificate.GetECDsaPrivateKey()!;
        if (!File.Exists(files.Key)) File.Create(files.Key).Dispose();
        if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(files.Key, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        File.WriteAllText(files.Key, key.ExportPkcs8PrivateKeyPem());
        return files;
    }

    public void Dispose()
    {
        foreach (var tls in _loaded) tls.Dispose();
        _authority.Dispose();
        Directory.Delete(Folder, recursive: true);
    }
}
