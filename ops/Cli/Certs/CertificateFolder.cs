using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Cluster.Contracts;

namespace Cluster.Cli.Certs;

/// <summary>
/// The files of an authority and of nodes in one folder: <c>ca.pem</c>, <c>ca.key</c>, <c>ROLE.pem</c>, <c>ROLE.key</c>. Keys are
/// readable by their owner alone from their first byte on. The authority's files are written once and never again.
/// </summary>
internal sealed class CertificateFolder(string location)
{
    private const string CaCertificate = "ca.pem", CaKey = "ca.key";
    private const UnixFileMode Private = UnixFileMode.UserRead | UnixFileMode.UserWrite;
    private const UnixFileMode Public = Private | UnixFileMode.GroupRead | UnixFileMode.OtherRead;

    public string PathOf(string name) => Path.Combine(location, name);

    /// <summary>The authority of this folder, made if there is none.</summary>
    /// <exception cref="UserMistakeException">The folder has half of one, one that is over, or cannot be written.</exception>
    public (Authority Authority, bool IsNew) OpenOrCreate(DateTimeOffset now) => Guarded(() =>
    {
        var (hasCertificate, hasKey) = (File.Exists(PathOf(CaCertificate)), File.Exists(PathOf(CaKey)));
        if (hasCertificate && !hasKey)
            throw new UserMistakeException($"{location} has {CaCertificate} but not {CaKey}: certificates are issued where the CA's key is; go there, or give a new folder");
        if (hasKey && !hasCertificate)
            throw new UserMistakeException($"{location} has {CaKey} but not {CaCertificate}: bring the certificate back, or give a new folder; the key is never overwritten");
        if (hasKey)
        {
            var known = Authority.Open(File.ReadAllText(PathOf(CaCertificate)), File.ReadAllText(PathOf(CaKey)), location);
            var end = known.NotAfter;
            if (end > now) return (known, false);
            known.Dispose();
            throw new UserMistakeException($"the CA in {location} has expired on {end:yyyy-MM-dd}: make a new one in another folder, and give its files to all nodes");
        }
        Make();
        var (authority, key) = Authority.Create(now);
        WriteNew(PathOf(CaKey), key, Private);
        WriteNew(PathOf(CaCertificate), authority.CertificatePem, Public);
        return (authority, true);
    });

    /// <summary>Writes a node's certificate and key, over those that it had.</summary>
    public void Put(string role, IssuedCertificate issued) => Guarded(() =>
    {
        Make();
        Replace(PathOf(role + ".key"), issued.KeyPem, Private);
        Replace(PathOf(role + ".pem"), issued.CertificatePem, Public);
        return true;
    });

    /// <summary>Writes the authority's certificate where nodes are to find it; another authority's is not overwritten.</summary>
    public void PutAuthority(string certificatePem) => Guarded(() =>
    {
        Make();
        if (!File.Exists(PathOf(CaCertificate))) WriteNew(PathOf(CaCertificate), certificatePem, Public);
        else if (File.ReadAllText(PathOf(CaCertificate)).Trim() != certificatePem.Trim()) throw new UserMistakeException($"{location} has the {CaCertificate} of another CA: give a new folder with --into");
        return true;
    });

    /// <summary>The names in a node's present certificate; null without one that can be read.</summary>
    public IReadOnlyList<string>? HostsOf(string role)
    {
        try
        {
            using var certificate = X509Certificate2.CreateFromPem(File.ReadAllText(PathOf(role + ".pem")));
            var names = certificate.Extensions.OfType<X509SubjectAlternativeNameExtension>().FirstOrDefault();
            return names is null ? null : [.. names.EnumerateDnsNames(), .. names.EnumerateIPAddresses().Select(static address => address.ToString())];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or CryptographicException)
        {
            return null;
        }
    }

    /// <summary>Whether a node of this role has a certificate here.</summary>
    public bool Has(string role) => File.Exists(PathOf(role + ".pem"));

    private void Make()
    {
        if (Directory.Exists(location)) return;
        if (OperatingSystem.IsWindows()) Directory.CreateDirectory(location);
        else Directory.CreateDirectory(location, Private | UnixFileMode.UserExecute);
    }

    private static void WriteNew(string path, string text, UnixFileMode mode)
    {
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows()) options.UnixCreateMode = mode;
        using var writer = new StreamWriter(path, options);
        writer.Write(text.TrimEnd() + "\n");
    }

    /// <summary>A node that reads meanwhile finds the old file or the new one.</summary>
    private static void Replace(string path, string text, UnixFileMode mode)
    {
        var beside = $"{path}.{RandomNumberGenerator.GetHexString(8, lowercase: true)}";
        WriteNew(beside, text, mode);
        File.Move(beside, path, overwrite: true);
    }

    private T Guarded<T>(Func<T> work)
    {
        try
        {
            return work();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new UserMistakeException($"the certificates in {location} cannot be read or written: {e.Message.ReplaceLineEndings(" ")}", e);
        }
    }
}
