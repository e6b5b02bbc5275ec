using Cluster.Membership.Kubernetes;

namespace Cluster.Membership.Tests.Kubernetes;

/// <summary>Whose certificate is the API server's.</summary>
public sealed class KubernetesCertificateSpecs : ApiClientSpecs
{
    [Fact]
    public async Task Certificate_of_another_authority_is_refused()
    {
        Server.Answer = ApiServer.Of(200, PodJson.List());
        Server.Trust(Server.Certificates.Authority("CN=test cluster"));
        await RefusesCertificate("PartialChain");
        // Nor of one that calls itself as ours, key and all.
        Server.Trust(Server.Certificates.Authority("", like: Server.Authority));
        await RefusesCertificate("NotSignatureValid");
    }

    /// <summary>The token was never sent.</summary>
    private async Task RefusesCertificate(string why)
    {
        Server.Answer = ApiServer.Of(200, PodJson.List());
        var refusal = await Refusal();
        Assert.Contains("has no certificate of the authority in", refusal.Message, StringComparison.Ordinal);
        Assert.Contains(why, refusal.Message, StringComparison.Ordinal);
        Assert.False(refusal.IsFinal);
        Assert.Equal("", Server.Asked);
    }

    [Fact]
    public async Task Certificate_for_another_address_is_refused()
    {
        Server.Show(Server.Certificates.Server(Server.Authority, ["10.96.0.1", "kubernetes.default.svc"]));
        await RefusesCertificate("NameMismatch");
    }

    [Theory]
    [InlineData(-3, -1)]
    [InlineData(1, 2)]
    public async Task Certificate_of_another_time_is_refused(int fromDay, int untilDay)
    {
        Server.Show(Server.Certificates.Server(Server.Authority, fromDay: fromDay, untilDay: untilDay));
        await RefusesCertificate("NotTimeValid");
        var root = Server.Certificates.Authority("CN=of another time", fromDay: fromDay, untilDay: untilDay);
        Server.Trust(root);
        Server.Show(Server.Certificates.Server(root));
        await RefusesCertificate("NotTimeValid");
    }

    [Fact]
    public async Task Certificate_of_a_client_is_refused()
    {
        Server.Show(Server.Certificates.Server(Server.Authority, usage: Certificates.ForClients));
        await RefusesCertificate("NotValidForUsage");
    }

    /// <summary>As while a cluster changes its authority; both have one name.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task One_authority_of_two_is_enough(bool isFirst)
    {
        var other = Server.Certificates.Authority("CN=test cluster");
        Server.Trust(isFirst ? [Server.Authority, other] : [other, Server.Authority]);
        await TakesCertificate();
        Server.Show(Server.Certificates.Server(other));
        await TakesCertificate();
    }

    private async Task TakesCertificate()
    {
        Server.Answer = ApiServer.Of(200, PodJson.List());
        Assert.Empty(await List());
    }

    /// <summary>The bundle holds an authority below a root, and not the root.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Authority_below_a_root_is_one(bool isSent)
    {
        var below = Server.Certificates.Authority("CN=below", Server.Authority);
        Server.Trust(below);
        Server.Show(Server.Certificates.Server(below), isSent ? [below, Server.Authority] : []);
        await TakesCertificate();
        // With a third one between it and the server's certificate, which the server sends.
        var lowest = Server.Certificates.Authority("CN=lowest", below);
        Server.Show(Server.Certificates.Server(lowest), lowest);
        await TakesCertificate();
        // The root alone is enough too, if the server sends what is between.
        Server.Trust(Server.Authority);
        Server.Show(Server.Certificates.Server(below), below);
        await TakesCertificate();
    }

    [Fact]
    public async Task Authority_below_a_root_vouches_for_its_own_alone()
    {
        var (below, beside) = (Server.Certificates.Authority("CN=below", Server.Authority), Server.Certificates.Authority("CN=beside", Server.Authority));
        Server.Trust(below);
        // Of the root itself, of another one below it, of one that claims to be it, of one that claims to be signed by it.
        Server.Show(Server.Certificates.Server(Server.Authority), Server.Authority);
        await RefusesCertificate("PartialChain");
        Server.Show(Server.Certificates.Server(beside), beside, Server.Authority);
        await RefusesCertificate("PartialChain");
        Server.Show(Server.Certificates.Server(Server.Certificates.Authority("", Server.Authority, like: below)));
        await RefusesCertificate("NotSignatureValid");
        var claims = Server.Certificates.Authority("CN=claims", Server.Certificates.Authority("", like: below));
        Server.Show(Server.Certificates.Server(claims), claims);
        await RefusesCertificate("NotSignatureValid");
    }

    [Fact]
    public async Task Below_an_authority_that_is_no_root_all_else_is_checked_too()
    {
        var below = Server.Certificates.Authority("CN=below", Server.Authority);
        Server.Trust(below);
        Server.Show(Server.Certificates.Server(below, ["10.96.0.1"]));
        await RefusesCertificate("NameMismatch");
        Server.Show(Server.Certificates.Server(below, fromDay: -3, untilDay: -1));
        await RefusesCertificate("NotTimeValid");
        Server.Show(Server.Certificates.Server(below, usage: Certificates.ForClients));
        await RefusesCertificate("NotValidForUsage");
        var old = Server.Certificates.Authority("CN=old", Server.Authority, untilDay: -1);
        Server.Trust(old);
        Server.Show(Server.Certificates.Server(old));
        await RefusesCertificate("NotTimeValid");
        var notYet = Server.Certificates.Authority("CN=not yet", Server.Authority, fromDay: 1);
        Server.Trust(notYet);
        Server.Show(Server.Certificates.Server(notYet));
        await RefusesCertificate("NotTimeValid");
        // A server's certificate in the bundle makes its server no authority.
        var server = Server.Certificates.Server(Server.Authority);
        Server.Trust(server);
        Server.Show(Server.Certificates.Server(server), server);
        await RefusesCertificate("Invalid");
    }
}
