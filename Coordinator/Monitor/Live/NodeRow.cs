namespace Cluster.Coordinator.Monitor.Live;

/// <summary>What a node is doing, as far as the coordinator knows.</summary>
public enum NodeState
{
    /// <summary>Not here yet, or without anything to do.</summary>
    Waiting,
    Working,
    Late,

    /// <summary>Alive and without progress: it gets no leaves until it makes some.</summary>
    Stuck,
    Lost,
    Left,
    Quarantined,
}

/// <summary>One line of the page's table. Written by <see cref="NodeTable"/> alone.</summary>
public sealed class NodeRow(string name)
{
    public string Name { get; } = name;
    public NodeState State { get; internal set; }

    /// <summary>Share of the leaves of the recent steps, 0 to 1; null where leaves are no measure.</summary>
    public double? Share { get; internal set; }

    /// <summary>Images per second over the recent steps.</summary>
    public double? Speed { get; internal set; }

    /// <summary>The last committed step that it had leaves in.</summary>
    public long LastStep { get; internal set; }

    /// <summary>Resident memory of its process, bytes.</summary>
    public double? Memory { get; internal set; }

    /// <summary>When its process last said how it is.</summary>
    public DateTimeOffset? HeardAt { get; internal set; }

    public bool IsWorker { get; } = name.StartsWith("worker-", StringComparison.Ordinal);

    /// <summary>It takes no part at the moment.</summary>
    public bool IsOut => State is NodeState.Lost or NodeState.Left or NodeState.Quarantined;
}
