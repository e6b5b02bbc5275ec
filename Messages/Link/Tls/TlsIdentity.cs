using System.Collections.Immutable;
using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Cluster.Contracts;

namespace Cluster.Link;

/// <summary>A node's certificate, its key, and whom it trusts: read from its files and checked.</summary>
internal sealed class TlsIdentity : IDisposable
{
    private readonly X509Certificate2 _certificate;
    private readonly X509Certificate2Collection _between;

    private TlsIdentity(X509Certificate2 certificate, X509Certificate2Collection between, X509Certificate2Collection authorities, ImmutableArray<string> roles)
    {
        (_certificate, _between, Authorities, Roles) = (certificate, between, authorities, roles);
        // Offline: nothing is downloaded to complete the chain.
        Context = SslStreamCertificateContext.Create(certificate, between, offline: true);
    }

    public X509Certificate2Collection Authorities { get; }

    public ImmutableArray<string> Roles { get; }

    public SslStreamCertificateContext Context { get; }

    public bool Allows(string usage) => CertificateRules.Allows(_certificate, usage);

    /// <exception cref="UserMistakeException">What is wrong with which file.</exception>
    public static TlsIdentity Load(TlsFiles files, DateTimeOffset now)
    {
        var authorities = Certificates(files.Authority, "the certificate of the cluster's authority");
        var own = Certificates(files.Certificate, "this node's certificate");
        var between = new X509Certificate2Collection(own.Skip(1).ToArray());
        X509Certificate2? certificate = null;
        try
        {
            certificate = WithKey(own[0], files);
            if (CertificateRules.Judge(certificate, between, authorities, now) is { } wrong) throw new UserMistakeException($"the certificate {files.Certificate} {wrong} ({files.Authority} is the authority)");
            var roles = LinkRoles.Of(certificate);
            if (roles.IsEmpty)
                throw new UserMistakeException($"the certificate {files.Certificate} names no role: it needs a subject alternative name URI:{LinkRoles.UriPrefix}ROLE with one of {string.Join(", ", LinkRoles.All)}");
            if (!CertificateRules.Allows(certificate, CertificateRules.ServerUsage) && !CertificateRules.Allows(certificate, CertificateRules.ClientUsage))
                throw new UserMistakeException($"the certificate {files.Certificate} is for neither end of a connection: its extended key usage needs serverAuth to accept, clientAuth to dial");
            return new TlsIdentity(certificate, between, authorities, roles);
        }
        catch
        {
            certificate?.Dispose();
            Dispose(between);
            Dispose(authorities);
            throw;
        }
        finally
        {
            own[0].Dispose();
        }
    }

    public void Dispose()
    {
        _certificate.Dispose();
        Dispose(_between);
        Dispose(Authorities);
    }

    private static void Dispose(X509Certificate2Collection certificates)
    {
        foreach (var certificate in certificates) certificate.Dispose();
    }

    private static X509Certificate2Collection Certificates(string path, string what)
    {
        var found = new X509Certificate2Collection();
        try
        {
            found.ImportFromPem(Read(path, what, isSecret: false));
        }
        catch (CryptographicException e)
        {
            throw new UserMistakeException($"{path} cannot be read as a certificate ({e.Message.ReplaceLineEndings(" ")}): it must be PEM, and whole", e);
        }
        return found.Count > 0 ? found : throw new UserMistakeException($"{path} holds no certificate in PEM (-----BEGIN CERTIFICATE-----): it should be {what}");
    }

    private static X509Certificate2 WithKey(X509Certificate2 certificate, TlsFiles files)
    {
        var key = Read(files.Key, "this node's private key", isSecret: true);
        if (key.Contains("-----BEGIN ENCRYPTED PRIVATE KEY-----", StringComparison.Ordinal) || key.Contains("Proc-Type: 4,ENCRYPTED", StringComparison.Ordinal))
            throw new UserMistakeException($"the key {files.Key} is encrypted with a password, which nobody could type for a process in the background: store it unencrypted, readable by its owner alone");
        if (!key.Contains("PRIVATE KEY-----", StringComparison.Ordinal)) throw new UserMistakeException($"{files.Key} holds no private key in PEM (-----BEGIN PRIVATE KEY-----)");
        try
        {
            return X509Certificate2.CreateFromPem(certificate.ExportCertificatePem(), key);
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException)
        {
            throw new UserMistakeException($"the key {files.Key} does not fit the certificate {files.Certificate} ({e.Message.ReplaceLineEndings(" ")}): give the key with which it was made", e);
        }
    }

    /// <summary>Reads a small text file. One handle for looking at its rights and for reading: what was looked at is what is read.</summary>
    private static string Read(string path, string what, bool isSecret)
    {
        try
        {
            using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read);
            if (isSecret && KeyRights.Fault(file.SafeFileHandle) is { } fault)
                throw new UserMistakeException($"the key {path} {fault}: run chmod 600 {path}, and make a new one if somebody may have seen it");
            if (file.Length > Limits.TlsFileBytes) throw new UserMistakeException($"{path} has {file.Length} bytes, at most {Limits.TlsFileBytes} are read: it should be {what}");
            using var reader = new StreamReader(file);
            return reader.ReadToEnd();
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new UserMistakeException($"{path} does not exist: it should be {what} (./cluster certs DIR makes a set for a development cluster)", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new UserMistakeException($"{path} cannot be read ({e.Message.ReplaceLineEndings(" ")}): it should be {what}", e);
        }
    }
}
