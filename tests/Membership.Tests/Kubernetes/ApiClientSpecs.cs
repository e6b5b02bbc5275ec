using Cluster.Membership.Kubernetes;

namespace Cluster.Membership.Tests.Kubernetes;

/// <summary>The client against an HTTPS server that answers as an API server does, and as it should not.</summary>
public abstract class ApiClientSpecs : IDisposable
{
    private protected static readonly PodSelector Selector = PodSelector.Parse("k8s:app.kubernetes.io/name=cluster,component in (a,b):7100");

    private readonly ApiServer _server = new();

    private protected ApiServer Server => _server;

    public void Dispose()
    {
        _server.Dispose();
        GC.SuppressFinalize(this);
    }

    private protected Task<IReadOnlyList<SeedPod>> List(PodSelector? selector = null, TimeSpan? limit = null) =>
        new KubernetesApi(_server.Account, limit ?? TimeSpan.FromSeconds(30)).ListAsync(selector ?? Selector, TestContext.Current.CancellationToken);

    /// <summary>One line, typed, without the token.</summary>
    private protected async Task<PodsUnknownException> Refusal(TimeSpan? limit = null)
    {
        var refusal = await Assert.ThrowsAsync<PodsUnknownException>(() => List(limit: limit));
        Assert.DoesNotContain('\n', refusal.Message);
        Assert.DoesNotContain("sesame", refusal.ToString(), StringComparison.Ordinal);
        return refusal;
    }
}
