using System.Collections.Immutable;
using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;

namespace Cluster.Link;

/// <summary>
/// Judges the certificate that the other side of one connection shows. The verdict is kept, not thrown: whoever is refused is told why
/// in a frame of ours, for alerts of TLS are single words and come too late in TLS 1.3 or not at all. Nothing but that frame may be
/// sent to a peer with a <see cref="Fault"/>.
/// </summary>
internal sealed class TlsPeer
{
    private readonly LinkTls _tls;
    private readonly TlsIdentity _identity;
    private readonly string _usage, _whose;
    private readonly string? _host, _expectedRole;

    private TlsPeer(LinkTls tls, string usage, string whose, string? host, string? expectedRole) =>
        (_tls, _identity, _usage, _whose, _host, _expectedRole) = (tls, tls.Identity, usage, whose, host, expectedRole);

    /// <summary>Why the certificate is not good here; null: it is. Before the TLS handshake is finished it is not.</summary>
    public string? Fault { get; private set; } = "no certificate has been shown yet";

    /// <summary>What the certificate allows its owner to be.</summary>
    public ImmutableArray<string> Roles { get; private set; } = [];

    /// <summary>Of somebody who dials us.</summary>
    public static TlsPeer Dialler(LinkTls tls) => new(tls, CertificateRules.ClientUsage, "the dialler", null, null);

    /// <summary>Of whom we dial.</summary>
    /// <param name="tls">Who we are.</param>
    /// <param name="address">Where we dial.</param>
    /// <param name="expectedRole">The role that the certificate must name; null = any.</param>
    public static TlsPeer Acceptor(LinkTls tls, LinkAddress address, string? expectedRole) => new(tls, CertificateRules.ServerUsage, address.ToString(), address.Name, expectedRole);

    public SslServerAuthenticationOptions ServerOptions() => new()
    {
        ServerCertificateContext = _identity.Context,
        ClientCertificateRequired = true,
        EnabledSslProtocols = SslProtocols.Tls13,
        CertificateRevocationCheckMode = X509RevocationMode.NoCheck,
        CertificateChainPolicy = CertificateRules.Policy(_identity.Authorities, _tls.Time.GetUtcNow()),
#pragma warning disable CA5359 // It keeps its verdict in Fault, and whoever has one is told so and let go.
        RemoteCertificateValidationCallback = Judge,
#pragma warning restore CA5359
        // A resumed session would skip the certificates, also those that a reload has replaced.
        AllowTlsResume = false,
        AllowRenegotiation = false,
    };

    public SslClientAuthenticationOptions ClientOptions() => new()
    {
        TargetHost = _host,
        ClientCertificateContext = _identity.Context,
        EnabledSslProtocols = SslProtocols.Tls13,
        CertificateRevocationCheckMode = X509RevocationMode.NoCheck,
        CertificateChainPolicy = CertificateRules.Policy(_identity.Authorities, _tls.Time.GetUtcNow()),
#pragma warning disable CA5359 // It keeps its verdict in Fault, and whoever has one is told so and let go.
        RemoteCertificateValidationCallback = Judge,
#pragma warning restore CA5359
        AllowTlsResume = false,
        AllowRenegotiation = false,
    };

    /// <summary>The hello must not claim what the certificate does not say.</summary>
    public string? FaultOfRole(LinkHello hello) => Fault
        ?? (Roles.Contains(hello.Role) ? null : $"{hello.Name} says that it is a {hello.Role}, but its certificate is for {string.Join(" and ", Roles)}: give it the files of its own role");

    private bool Judge(object sender, X509Certificate? shown, X509Chain? chain, SslPolicyErrors errors)
    {
        try
        {
            Fault = FaultOf(shown as X509Certificate2, chain, errors);
        }
        catch (Exception e)
        {
            // A certificate from anywhere: whatever it provokes, it is no reason to let its owner in.
            Fault = $"the certificate of {_whose} cannot be checked ({e.Message.ReplaceLineEndings(" ")})";
        }
        return true;
    }

    private string? FaultOf(X509Certificate2? shown, X509Chain? chain, SslPolicyErrors errors)
    {
        if (shown is null || chain is null) return $"{_whose} showed no certificate: give it --tls DIR with its own certificate";
        var certificate = $"the certificate of {_whose} ({CertificateRules.Shown(shown.Subject)})";
        if (CertificateRules.Judge(shown, chain, _tls.Time.GetUtcNow()) is { } wrong) return $"{certificate} {wrong}";
        if (!CertificateRules.Allows(shown, _usage)) return $"{certificate} is not for this end of a connection: its extended key usage lacks {CertificateRules.NameOf(_usage)}";
        if (_host is not null && !shown.MatchesHostname(_host, allowWildcards: true, allowCommonName: false))
            return $"{certificate} does not name the host {_host} that was dialled: dial a name that it has, or make one with a subject alternative name for this host";
        Roles = LinkRoles.Of(shown);
        if (Roles.IsEmpty) return $"{certificate} names no role (a subject alternative name URI:{LinkRoles.UriPrefix}ROLE)";
        if (_expectedRole is not null && !Roles.Contains(_expectedRole)) return $"{certificate} is for {string.Join(" and ", Roles)}, but a {_expectedRole} was dialled: check the address";
        // Our rules have found nothing: then neither may the run-time.
        return errors == SslPolicyErrors.None ? null : $"{certificate} was refused by TLS itself ({errors})";
    }
}
