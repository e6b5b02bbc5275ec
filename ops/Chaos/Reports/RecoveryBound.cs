using System.Globalization;
using Cluster.Contracts;

namespace Cluster.Chaos;

/// <summary>How long a recovery may take: the failure table's bounds, with the run's own leaf time.</summary>
/// <param name="run">The run.</param>
/// <param name="leaves">K: leaves of a step; 0 if unknown.</param>
/// <param name="stepMilliseconds">Median of a step that nobody disturbs; 0 if unknown.</param>
internal sealed class RecoveryBound(RunShape run, int leaves, double stepMilliseconds)
{
    /// <summary>A coordinator or a shard with a standby is replaced and the next record written within this time.</summary>
    private const double TakeoverMilliseconds = 3_000;

    /// <summary>Evidence of a process that has died is there at once; the rest is for scheduling.</summary>
    private const double DeathMilliseconds = 500;

    /// <summary>Silence is evidence after a lease of 500 ms; the rest as for a death.</summary>
    private const double SilenceMilliseconds = 1_000;

    /// <summary>A leaf may take five times its median, at least two seconds, before its worker counts as hung.</summary>
    private const double LeastProgressMilliseconds = 2_000, ProgressFactor = 5;

    private const string Nothing = "nothing is promised about time";

    private double LeafMilliseconds => leaves == 0 ? 0 : stepMilliseconds * Math.Min(run.Workers, leaves) / leaves;

    /// <returns>Milliseconds and their arithmetic; null where nothing is promised.</returns>
    public (double? Milliseconds, string Arithmetic) Of(FaultKind kind, string node)
    {
        var role = node.Split('-')[0];
        return (kind, role) switch
        {
            (FaultKind.Kill or FaultKind.OutOfMemory or FaultKind.DataMissing or FaultKind.VersionSkew or FaultKind.Cut, "worker") => Worker(DeathMilliseconds, "0.5 s"),
            (FaultKind.Stop or FaultKind.BlackHole or FaultKind.BlackHoleIn or FaultKind.BlackHoleOut, "worker") => Worker(SilenceMilliseconds, "1 s"),
            (FaultKind.Hang, "worker") => Worker(Math.Max(LeastProgressMilliseconds, ProgressFactor * LeafMilliseconds), $"max(2 s, 5 x {Ms(LeafMilliseconds)})"),
            (FaultKind.Kill or FaultKind.OutOfMemory or FaultKind.VersionSkew, "ps") when run.Replicas > 0 => (TakeoverMilliseconds, "3 s: the standby is promoted"),
            (FaultKind.Kill or FaultKind.OutOfMemory or FaultKind.VersionSkew, "ps") => (null, "no standby: restore and replay, the time is reported"),
            (FaultKind.Kill, "coordinator") => (TakeoverMilliseconds, "3 s: it is started again and takes over"),
            _ => (null, Nothing),
        };
    }

    private (double? Milliseconds, string Arithmetic) Worker(double evidence, string words)
    {
        if (run.Workers < 2) return (null, "the only worker: it has to start again first");
        if (leaves == 0 || stepMilliseconds <= 0) return (null, "the time of a leaf is not known");
        var open = (leaves + run.Workers - 1) / run.Workers;
        var rounds = (open + run.Workers - 2) / (run.Workers - 1);
        return (evidence + rounds * LeafMilliseconds, string.Create(CultureInfo.InvariantCulture, $"{words} + ⌈{open} open leaves / {run.Workers - 1}⌉ x {Ms(LeafMilliseconds)} a leaf"));
    }

    private static string Ms(double milliseconds) => string.Create(CultureInfo.InvariantCulture, $"{milliseconds:0.#} ms");
}
