using System.Net.Security;
using System.Security.Cryptography.X509Certificates;

namespace Cluster.Membership.Kubernetes;

/// <summary>
/// Whom the API server's certificate must be from: one of these authorities and nobody else, roots or not. A bundle may hold an authority
/// that some root has signed, without that root; .NET alone takes roots only. The host's name and the dates are checked as ever.
/// </summary>
/// <param name="bundle">Disposed with this.</param>
internal sealed class Authorities(X509Certificate2Collection bundle) : IDisposable
{
    /// <summary>All that may be missing above an authority of the bundle. A wrong signature, usage or date is another flag, on whichever certificate.</summary>
    private const X509ChainStatusFlags NoRoot = X509ChainStatusFlags.PartialChain | X509ChainStatusFlags.UntrustedRoot;

    /// <summary>Why the last certificate was refused; null = it was not.</summary>
    public string? Refusal { get; private set; }

    public SslClientAuthenticationOptions Options()
    {
        var policy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck, DisableCertificateDownloads = true };
        policy.CustomTrustStore.AddRange(bundle);
        return new SslClientAuthenticationOptions
        {
            CertificateChainPolicy = policy,
            RemoteCertificateValidationCallback = (_, _, chain, errors) => (Refusal = WhyNot(chain, errors)) is null,
        };
    }

    private string? WhyNot(X509Chain? chain, SslPolicyErrors errors)
    {
        if (errors == SslPolicyErrors.None) return null;
        if (errors != SslPolicyErrors.RemoteCertificateChainErrors || chain is null) return errors.ToString();
        var wrong = chain.ChainStatus.Aggregate(X509ChainStatusFlags.NoError, static (all, one) => all | one.Status);
        if (wrong == X509ChainStatusFlags.NoError || (wrong & ~NoRoot) != 0) return wrong.ToString();
        var anchors = chain.ChainElements.Select(static element => element.Certificate).Where(IsOfBundle).ToArray();
        // Of a chain's last certificate OpenSSL looks at the dates only if it is a root.
        if (anchors.Any(IsInTime)) return null;
        return (anchors.Length == 0 ? wrong : wrong | X509ChainStatusFlags.NotTimeValid).ToString();
    }

    private bool IsOfBundle(X509Certificate2 one) => bundle.Any(authority => authority.RawDataMemory.Span.SequenceEqual(one.RawDataMemory.Span));

    private static bool IsInTime(X509Certificate2 one) => DateTime.UtcNow is var now && one.NotBefore.ToUniversalTime() <= now && now <= one.NotAfter.ToUniversalTime();

    public void Dispose()
    {
        foreach (var authority in bundle) authority.Dispose();
    }
}
