using System.Collections.Immutable;
using Cluster.Chaos;
using Cluster.Contracts;

namespace Cluster.Cli.Nodes;

/// <summary>What a look at the armed faults found.</summary>
/// <param name="Active">The fault that is in force now; null = none.</param>
/// <param name="Begun"><paramref name="Active"/> has just come into force.</param>
/// <param name="Ended">One whose time is over since the last look.</param>
internal readonly record struct FaultLook(FaultSpec? Active, bool Begun, FaultSpec? Ended);

/// <summary>Faults that arise inside one process: those that wait for their step, and those that last. Pure.</summary>
/// <param name="Waiting">In the order of their steps.</param>
/// <param name="Lasting">At most one per kind, and when it ends.</param>
internal sealed record ArmedFaults(ImmutableArray<FaultSpec> Waiting, ImmutableDictionary<FaultKind, (FaultSpec Spec, TimeSpan EndsAt)> Lasting)
{
    public static ArmedFaults Of(IEnumerable<FaultSpec> faults) =>
        new([.. faults.OrderBy(static f => f.Step)], ImmutableDictionary<FaultKind, (FaultSpec, TimeSpan)>.Empty);

    /// <summary>Whether one of this kind waits or lasts.</summary>
    public bool Has(FaultKind kind) => Waiting.Any(f => f.Kind == kind) || Lasting.ContainsKey(kind);

    /// <summary>Takes the first fault of this kind that is due in this step; it arises once.</summary>
    public (ArmedFaults Next, FaultSpec? Due) Take(FaultKind kind, StepId step)
    {
        if (Waiting.FirstOrDefault(f => f.Kind == kind && f.Step <= step) is not { } due) return (this, null);
        return (this with { Waiting = Waiting.Remove(due) }, due);
    }

    /// <summary>For kinds that last: what is in force in this step at this time.</summary>
    /// <param name="now">Of one monotonic clock.</param>
    public (ArmedFaults Next, FaultLook Found) Look(FaultKind kind, StepId step, TimeSpan now)
    {
        if (Lasting.TryGetValue(kind, out var lasting) && now < lasting.EndsAt) return (this, new FaultLook(lasting.Spec, Begun: false, null));
        var (next, due) = (this with { Lasting = Lasting.Remove(kind) }).Take(kind, step);
        if (due is not null) next = next with { Lasting = next.Lasting.Add(kind, (due, now + due.Duration)) };
        return (next, new FaultLook(due, due is not null, lasting.Spec));
    }
}
