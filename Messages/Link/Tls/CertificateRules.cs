using System.Globalization;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Cluster.Link;

/// <summary>What is wrong with a certificate, as the end of a sentence that begins with whose it is. No file, no network, no clock.</summary>
internal static class CertificateRules
{
    /// <summary>Extended key usages (RFC 5280, 4.2.1.12): of those who accept connections, and of those who dial.</summary>
    public const string ServerUsage = "1.3.6.1.5.5.7.3.1", ClientUsage = "1.3.6.1.5.5.7.3.2";

    /// <summary>Signed by one of the authorities, and valid now.</summary>
    /// <param name="certificate">The certificate.</param>
    /// <param name="between">Certificates that came with it and may lie between it and an authority.</param>
    /// <param name="authorities">The only ones trusted.</param>
    /// <param name="now">The time to judge at.</param>
    /// <returns>Null: nothing is wrong.</returns>
    public static string? Judge(X509Certificate2 certificate, X509Certificate2Collection between, X509Certificate2Collection authorities, DateTimeOffset now)
    {
        using var chain = new X509Chain { ChainPolicy = Policy(authorities, now) };
        chain.ChainPolicy.ExtraStore.AddRange(between);
        try
        {
            _ = chain.Build(certificate);
            return Judge(certificate, chain, now);
        }
        catch (CryptographicException e)
        {
            return $"cannot be checked ({e.Message.ReplaceLineEndings(" ")})";
        }
    }

    /// <summary>The same of a chain that has been built with <see cref="Policy"/>.</summary>
    public static string? Judge(X509Certificate2 certificate, X509Chain chain, DateTimeOffset now)
    {
        if (now.LocalDateTime > certificate.NotAfter) return $"expired on {Day(certificate.NotAfter)}: make a new one";
        if (now.LocalDateTime < certificate.NotBefore) return $"is not valid before {Day(certificate.NotBefore)}: check the clocks of both machines, or make a new one";
        // The usage has a sentence of its own.
        var all = chain.ChainStatus.Aggregate(X509ChainStatusFlags.NoError, (sum, s) => sum | s.Status) & ~X509ChainStatusFlags.NotValidForUsage;
        if (all == X509ChainStatusFlags.NoError && chain.ChainElements.Count > 0) return null;
        if (all.HasFlag(X509ChainStatusFlags.NotTimeValid)) return "was signed by an authority that has expired or is not valid yet: make a new authority and new certificates";
        return certificate.SubjectName.RawData.AsSpan().SequenceEqual(certificate.IssuerName.RawData)
            ? "is self-signed: make one that is signed by the cluster's authority"
            : $"is not signed by the cluster's authority (its issuer calls itself '{Shown(certificate.Issuer)}'; {all}): give all nodes certificates of one authority";
    }

    /// <summary>How chains are built: nothing but the given authorities is trusted, nothing is downloaded, and revocation lists are not looked for (lifetimes are to be short instead).</summary>
    public static X509ChainPolicy Policy(X509Certificate2Collection authorities, DateTimeOffset now)
    {
        var policy = new X509ChainPolicy
        {
            TrustMode = X509ChainTrustMode.CustomRootTrust,
            RevocationMode = X509RevocationMode.NoCheck,
            DisableCertificateDownloads = true,
            VerificationTimeIgnored = false,
            VerificationTime = now.LocalDateTime,
        };
        policy.CustomTrustStore.AddRange(authorities);
        return policy;
    }

    /// <summary>A certificate that does not name its usages is good for none here: saying nothing must not mean everything.</summary>
    public static bool Allows(X509Certificate2 certificate, string usage) =>
        certificate.Extensions.OfType<X509EnhancedKeyUsageExtension>().Any(e => e.EnhancedKeyUsages.Cast<Oid>().Any(o => o.Value == usage));

    public static string NameOf(string usage) => usage == ServerUsage ? "serverAuth" : "clientAuth";

    private static string Day(DateTime local) => local.ToUniversalTime().ToString("yyyy-MM-dd HH:mm 'UTC'", CultureInfo.InvariantCulture);

    /// <summary>A name out of somebody else's certificate: for a terminal, and short.</summary>
    public static string Shown(string name) => new([.. name.Take(100).Select(c => char.IsControl(c) ? ' ' : c)]);
}
