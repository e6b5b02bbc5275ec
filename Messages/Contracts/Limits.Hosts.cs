namespace Cluster.Contracts;

// Runs over several hosts.
public static partial class Limits
{
    /// <summary>Most faults of one <c>bench hosts</c>: at a few seconds each an hour and more.</summary>
    public const int MaxHostFaults = 10_000;

    /// <summary>Most machines of a run: each has a worker at least.</summary>
    public const int MaxHosts = MaxWorkers;

    /// <summary>Largest hostfile: 256 bytes, the longest host name, for each of <see cref="MaxHosts"/>, and as much again for comments.</summary>
    public const int MaxHostfileBytes = 1 << 20;

    /// <summary>How often a supervisor shows a process on another host that it is there; a few bytes.</summary>
    public const int RemoteSignMilliseconds = 1_000;

    /// <summary>
    /// A process on another host ends when it has heard nothing of its supervisor for so long: the connection hangs, and nothing can
    /// stop this process when another is started in its place. Longer than the remote shell's own patience (two times 5 s), so that
    /// usually the connection ends first.
    /// </summary>
    public const int RemoteSilenceMilliseconds = 20_000;

    /// <summary>How long a host may take to answer before a run begins.</summary>
    public const int RemoteProbeMilliseconds = 30_000;

    /// <summary>Port of the coordinator of a run over several hosts, where none is given; shards take those above. torchrun's MASTER_PORT.</summary>
    public const int HostsPort = 29_500;
}
