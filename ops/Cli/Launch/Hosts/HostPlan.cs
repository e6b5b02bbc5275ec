using Cluster.Cli.Nodes;
using Cluster.Contracts;
using Cluster.Link;

namespace Cluster.Cli.Launch.Hosts;

/// <summary>A process of a run over several hosts.</summary>
/// <param name="Role">Of <see cref="NodeOptions"/>.</param>
/// <param name="Name">Of the child and, unless <paramref name="IsNamed"/> is false, of the node.</param>
/// <param name="Host">Where it is started, as the remote shell takes it; null = here.</param>
/// <param name="Listen">Where it listens; null for a worker.</param>
internal sealed record PlannedNode(string Role, string Name, string? Host, LinkAddress? Listen)
{
    /// <summary>Whether the node asks for its name; one whose place among the hosts is not known takes the lowest free one.</summary>
    public bool IsNamed { get; init; } = true;
}

/// <summary>Which processes a <c>launch</c> starts, and where.</summary>
/// <param name="Coordinator">Where the coordinator is reached by all.</param>
internal sealed record HostPlan(LinkAddress Coordinator, IReadOnlyList<PlannedNode> Nodes)
{
    /// <summary>Whether the coordinator, and so the run's folder, is this launch's.</summary>
    public bool HasCoordinator => Nodes.Any(static n => n.Role == NodeOptions.Coordinator);

    /// <summary>
    /// The coordinator here, beside the run's folder; shards dealt one host after another, so that a shard and its standby lie on
    /// different ones; workers by slots, in the order of the file. Pure.
    /// </summary>
    /// <param name="here">How the hosts reach this machine.</param>
    /// <param name="port">Of the coordinator; shards take the ones above it.</param>
    /// <param name="isHere">Whether a name or address is this machine's: no remote shell is needed.</param>
    /// <param name="workers">Null = all slots.</param>
    /// <exception cref="UserMistakeException">More workers than slots.</exception>
    public static HostPlan Over(IReadOnlyList<HostLine> hosts, string here, int port, Func<string, bool> isHere, int ps, int? workers)
    {
        var slots = hosts.SelectMany(static h => Enumerable.Repeat(h, h.Slots)).ToArray();
        if (workers > slots.Length)
            throw new UserMistakeException($"--workers {workers}: the hostfile has {slots.Length} {(slots.Length == 1 ? "slot" : "slots")} in all; write more behind its hosts (slots=N)");
        string? Remote(HostLine host) => isHere(host.Address) ? null : host.Name;
        // A loopback name in the file leads nowhere from another host.
        string Reached(HostLine host) => isHere(host.Address) ? here : host.Address;
        var nodes = new List<PlannedNode> { new(NodeOptions.Coordinator, NodeOptions.Coordinator, null, At(here, port)) };
        for (var i = 0; i < ps; i++)
        {
            var host = hosts[i % hosts.Count];
            nodes.Add(new PlannedNode(NodeOptions.Shards, $"{NodeOptions.Shards}-{i}", Remote(host), At(Reached(host), port + 1 + i)));
        }
        for (var i = 0; i < (workers ?? slots.Length); i++) nodes.Add(new PlannedNode(NodeOptions.Worker, $"{NodeOptions.Worker}-{i}", Remote(slots[i]), null));
        return new HostPlan(At(here, port), nodes);
    }

    /// <summary>What one node of a run in torchrun's words starts. Pure.</summary>
    /// <param name="here">How the others reach this machine, where the endpoint names it by a loopback address.</param>
    /// <param name="isLoopback">Whether a name means the machine that reads it.</param>
    public static HostPlan Of(TorchrunPlan plan, string here, Func<string, bool> isLoopback, int ps)
    {
        var endpoint = plan.Endpoint!;
        var reached = plan.IsFirst && isLoopback(endpoint.Name) ? endpoint with { Name = here } : endpoint;
        var nodes = new List<PlannedNode>();
        if (plan.IsFirst)
        {
            nodes.Add(new PlannedNode(NodeOptions.Coordinator, NodeOptions.Coordinator, null, reached));
            for (var i = 0; i < ps; i++) nodes.Add(new PlannedNode(NodeOptions.Shards, $"{NodeOptions.Shards}-{i}", null, At(reached.Name, reached.Port + 1 + i)));
        }
        for (var i = 0; i < plan.PerNode; i++)
        {
            var index = (plan.NodeRank ?? 0) * plan.PerNode + i;
            nodes.Add(new PlannedNode(NodeOptions.Worker, $"{NodeOptions.Worker}-{index}", null, null) { IsNamed = plan.NodeRank is not null });
        }
        return new HostPlan(reached, nodes);
    }

    /// <summary>A sentence for a person: what starts where.</summary>
    public override string ToString()
    {
        var places = Nodes.GroupBy(static n => n.Host ?? "this machine", StringComparer.Ordinal).Select(static g => $"{g.Key}: {string.Join(", ", g.Select(static n => n.IsNamed ? n.Name : "a worker"))}");
        return $"{string.Join("; ", places)}; the coordinator is at {Coordinator}";
    }

    private static LinkAddress At(string host, int port) =>
        port <= ushort.MaxValue ? new LinkAddress(LinkTransportKind.Tcp, host, port) : throw new UserMistakeException($"port {port} does not exist: shards take the ports above the coordinator's; give a lower one");
}
