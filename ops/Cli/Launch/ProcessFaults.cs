using Cluster.Chaos;

namespace Cluster.Cli.Launch;

/// <summary>Faults that are signals to a supervised process.</summary>
internal sealed class ProcessFaults(INodeProcesses nodes) : IFaultActuator
{
    /// <summary>The kinds that this does.</summary>
    public static readonly FaultKind[] All = [FaultKind.Kill, FaultKind.Stop];

    /// <summary>For <see cref="FaultInjector"/>.</summary>
    public IReadOnlyDictionary<FaultKind, IFaultActuator> Kinds => All.ToDictionary(static kind => kind, IFaultActuator (_) => this);

    public async Task<object?> StrikeAsync(FaultSpec fault) => fault.Kind == FaultKind.Kill
        ? await nodes.KillAsync(fault.Node) ? fault.Node : null
        : await nodes.PauseAsync(fault.Node);

    public string? End(FaultSpec fault, object struck) => nodes.Resume(fault.Node, (int)struck) ? $"{fault.Node} goes on" : null;
}
