namespace Cluster.Chaos;

/// <summary>Everything that can be done to a run on purpose. <see cref="FaultKinds"/> has the words, the victims and the settings.</summary>
public enum FaultKind
{
    // What happens to a process from outside.

    /// <summary>SIGKILL; the supervisor starts the node again.</summary>
    Kill,

    /// <summary>SIGKILL as the kernel's out-of-memory killer sends it: nobody in the run knows of it beforehand.</summary>
    OutOfMemory,

    /// <summary>SIGSTOP, and SIGCONT later: a node that is alive and does nothing.</summary>
    Stop,

    /// <summary>SIGTERM to a worker: it finishes its leaf and leaves; it joins again later.</summary>
    Leave,

    /// <summary>One more worker, under a name that the run did not begin with.</summary>
    Join,

    /// <summary>The coordinator is stopped, another is started beside it, and then it wakes up.</summary>
    Zombie,

    // What goes wrong inside a process.

    /// <summary>One leaf's gradient holds a NaN.</summary>
    NotANumber,

    /// <summary>The gradient of one audited leaf is plausible and wrong.</summary>
    Lie,

    /// <summary>The device does not come back from a leaf; the process goes on to heartbeat.</summary>
    Hang,

    /// <summary>Every leaf takes longer.</summary>
    Slow,

    /// <summary>Each message to the shards of this node waits before it is handled.</summary>
    Backlog,

    /// <summary>Writes of the coordinator fail: no space left on the device.</summary>
    DiskFull,

    /// <summary>The node dies and finds its data set incomplete when it is started again, once.</summary>
    DataMissing,

    /// <summary>The node dies and is of another version when it is started again, once.</summary>
    VersionSkew,

    // What the network does to a node's connections.

    /// <summary>All connections are reset; new ones work.</summary>
    Cut,

    /// <summary>Nothing gets through, in either direction, and nobody is told.</summary>
    BlackHole,

    /// <summary>Nothing reaches the node; what it sends arrives.</summary>
    BlackHoleIn,

    /// <summary>Nothing that the node sends arrives; it hears everything.</summary>
    BlackHoleOut,

    /// <summary>Everything comes late.</summary>
    Delay,

    /// <summary>Bytes pass at a limited rate.</summary>
    Throttle,

    /// <summary>A bit of a segment is flipped.</summary>
    Corrupt,

    /// <summary>A segment comes twice.</summary>
    Duplicate,

    /// <summary>Two segments change places.</summary>
    Reorder,
}
