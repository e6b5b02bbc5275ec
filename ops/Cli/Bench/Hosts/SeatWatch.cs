using System.Collections.Concurrent;
using Cluster.Cli.Launch;
using Cluster.Cli.Nodes;
using Cluster.Membership;

namespace Cluster.Cli.Bench.Hosts;

/// <summary>Reads who has the coordinator's seat from what the nodes say, on the way to the log. Any thread.</summary>
internal sealed class SeatWatch(ISupervisorObserver log, IReadOnlyList<HostNode> nodes) : ISupervisorObserver
{
    private readonly ConcurrentDictionary<string, HostNode> _in = new(StringComparer.Ordinal);
    private volatile HostNode? _node;

    /// <summary>Null while nobody has said so.</summary>
    public int? Host => _node?.Host;

    /// <summary>Whether another coordinator than the one with the seat is in the cluster.</summary>
    public bool HasStandby => _in.Values.Any(node => node != _node);

    public void Line(string child, bool isError, string text)
    {
        if (nodes.FirstOrDefault(node => node.Name == child) is { } node)
        {
            if (text == EngineNode.SeatIsTaken) Took(node);
            else if (text == IMembershipEngine.CoordinatorIsIn) _in[child] = node;
        }
        log.Line(child, isError, text);
    }

    public void Said(string? child, string sentence) => log.Said(child, sentence);

    public void Started(string child, int process) => log.Started(child, process);

    public void Exited(string child, int process, ChildEnd end) => log.Exited(child, process, end);

    /// <summary>Whoever had the seat before is gone, or lets it go: it stands by once it says again that it is in.</summary>
    private void Took(HostNode node)
    {
        if (_node is { } before && before != node) _in.TryRemove(before.Name, out _);
        _node = node;
    }
}
