using Cluster.Contracts;
using Cluster.Link;
using Cluster.Membership;
using Cluster.Membership.Kubernetes;

namespace Cluster.Cli.Nodes;

/// <summary>What the command line says about the engine; null = nothing.</summary>
internal sealed record EngineTexts(string? Membership, string? Seeds, string? Required, string? Listen, string? Join);

/// <summary>How a node gossips.</summary>
/// <param name="Seeds">Resolved; empty while they are still to be asked for.</param>
/// <param name="Listen">Where this node gossips.</param>
internal sealed record EngineSettings(IReadOnlyList<LinkAddress> Seeds, LinkAddress Listen)
{
    /// <summary>Pods whose addresses are the seeds; null = the addresses were given.</summary>
    public PodSelector? Pods { get; init; }

    /// <inheritdoc cref="SeedRules" path="/param[@name='Required']"/>
    public int Required { get; init; } = SeedRules.DefaultRequired;

    /// <summary>With the seeds that the API server names, once its list counts.</summary>
    /// <exception cref="UserMistakeException">This process is in no pod, the build lacks the engine, or nothing is found in time.</exception>
    public async Task<EngineSettings> FoundAsync(bool isCoordinator, TimeSpan patience, CancellationToken stop)
    {
        if (Pods is null) return this;
        MembershipEngines.DemandAkka();
        var rules = new SeedRules(Listen, isCoordinator, Required);
        var api = new KubernetesApi(ServiceAccount.OfThisPod(Environment.GetEnvironmentVariable), rules.Times.Answer);
        return this with { Seeds = await new KubernetesSeeds(Pods, rules, api, TimeProvider.System, Console.Error.WriteLine).FindAsync(patience, stop) };
    }
}
