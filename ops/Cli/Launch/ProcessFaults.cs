using Cluster.Chaos;

namespace Cluster.Cli.Launch;

/// <summary>Faults that are signals to a supervised process.</summary>
internal sealed class ProcessFaults(INodeProcesses nodes) : IFaultActuator
{
    /// <summary>The kinds that this does, for <see cref="FaultInjector"/>.</summary>
    public IReadOnlyDictionary<FaultKind, IFaultActuator> Kinds => new Dictionary<FaultKind, IFaultActuator>
    {
        [FaultKind.Kill] = this,
        [FaultKind.Stop] = this,
    };

    public async Task<object?> StrikeAsync(FaultSpec fault) => fault.Kind == FaultKind.Kill
        ? await nodes.KillAsync(fault.Node) ? fault.Node : null
        : await nodes.PauseAsync(fault.Node);

    public string? End(FaultSpec fault, object struck) => nodes.Resume(fault.Node, (int)struck) ? $"{fault.Node} goes on" : null;
}
