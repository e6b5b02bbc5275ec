using Cluster.Chaos;

namespace Cluster.Cli.Launch;

/// <summary>Faults in which a process of a run goes, comes, comes back as something else, or is there twice.</summary>
/// <param name="inside">Gets what the next process of a node has.</param>
/// <param name="newWorker">What a worker of this name is started with.</param>
/// <param name="freeAddress">Takes the coordinator's address away from a process that stands still, so that another can listen there.</param>
internal sealed class MemberFaults(INodeProcesses nodes, InsideFaults inside, Func<string, ChildSpec> newWorker, Action freeAddress) : IFaultActuator
{
    /// <summary>The kinds that this does.</summary>
    public static readonly FaultKind[] All = [FaultKind.OutOfMemory, FaultKind.Leave, FaultKind.Join, FaultKind.Zombie, FaultKind.DataMissing, FaultKind.VersionSkew];

    /// <summary>For <see cref="FaultInjector"/>.</summary>
    public IReadOnlyDictionary<FaultKind, IFaultActuator> Kinds => All.ToDictionary(static kind => kind, IFaultActuator (_) => this);

    public async Task<object?> StrikeAsync(FaultSpec fault)
    {
        switch (fault.Kind)
        {
            case FaultKind.OutOfMemory:
                return await nodes.KillUnknownAsync(fault.Node) ? fault.Node : null;
            case FaultKind.Leave:
                return nodes.Leave(fault.Node) ? fault.Node : null;
            case FaultKind.Join:
                return nodes.Add(newWorker(fault.Node)) ? fault.Node : null;
            case FaultKind.Zombie:
                return await nodes.ReplaceAsync(fault.Node, freeAddress);
            default:
                // Before the death: the next process may start at once.
                inside.AtNextStart(fault);
                return await nodes.KillAsync(fault.Node) ? fault.Node : null;
        }
    }

    public string? End(FaultSpec fault, object struck)
    {
        if (fault.Kind == FaultKind.Zombie) return nodes.Wake((int)struck) ? $"the {fault.Node} that was stopped (process {struck}) wakes up" : null;
        if (fault.Kind != FaultKind.Leave) return null;
        nodes.Return(fault.Node);
        return $"{fault.Node} may come back";
    }
}
