using Cluster.Chaos;
using Cluster.Cli.Nodes;
using Cluster.Contracts;

namespace Cluster.Cli.Launch;

/// <summary>
/// The faults that arise inside nodes, as the supervisor hands them to its children: at every start those of steps that have
/// not begun yet, so that a process that was restarted is not struck again. Any thread.
/// </summary>
/// <param name="faults">Of the run; the others are passed over.</param>
internal sealed class InsideFaults(IEnumerable<FaultSpec> faults)
{
    private readonly FaultSpec[] _faults = [.. faults.Where(static f => f.Facts.IsInside)];
    private readonly List<FaultSpec> _atNextStart = [];
    private readonly Lock _lock = new();
    private StepId _begun;

    /// <summary>BeginStep of this step was sent.</summary>
    public void Begun(StepId step)
    {
        lock (_lock)
            if (step > _begun) _begun = step;
    }

    /// <summary>The next process of the fault's node, and no later one, has this fault.</summary>
    public void AtNextStart(FaultSpec fault)
    {
        lock (_lock) _atNextStart.Add(fault);
    }

    /// <summary>What a process of this node is started with now.</summary>
    public IReadOnlyDictionary<string, string?> EnvironmentOf(string node)
    {
        lock (_lock)
        {
            var ordered = _faults.Where(f => f.Node == node && f.Step > _begun).Concat(_atNextStart.Where(f => f.Node == node)).ToArray();
            _atNextStart.RemoveAll(f => f.Node == node);
            return new Dictionary<string, string?> { [NodeFaults.Variable] = ordered.Length == 0 ? null : string.Join(';', ordered.Select(static f => f.ToString())) };
        }
    }
}
