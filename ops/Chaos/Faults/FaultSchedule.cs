using System.Collections.Immutable;
using Cluster.Contracts;

namespace Cluster.Chaos;

public enum FaultPhase
{
    Due,

    /// <summary>It is on its way.</summary>
    Striking,

    /// <summary>It lasts until <see cref="ScheduledFault.EndsAt"/>.</summary>
    Lasting,

    /// <summary>Struck, or missed.</summary>
    Over,
}

/// <summary>One fault of a run and what has become of it.</summary>
public sealed record ScheduledFault(FaultSpec Spec, FaultPhase Phase, TimeSpan EndsAt);

/// <summary>What is to be done about the fault with this index.</summary>
public abstract record FaultEffect(int Fault)
{
    /// <summary>Do it; then tell <see cref="FaultSchedule.Struck"/>.</summary>
    public sealed record Strike(int Fault) : FaultEffect(Fault);

    /// <summary>Its time is over.</summary>
    public sealed record End(int Fault) : FaultEffect(Fault);

    public sealed record Say(int Fault, string Sentence) : FaultEffect(Fault);
}

/// <summary>
/// When faults strike. Pure: notices and times in; the next schedule and what to do out. Each fault strikes once, in the first
/// attempt at its step; an attempt after a takeover is not struck again.
/// </summary>
public sealed record FaultSchedule(ImmutableArray<ScheduledFault> Faults)
{
    /// <param name="faults">Those that arise inside a node are left out: nothing strikes them.</param>
    public static FaultSchedule Of(IEnumerable<FaultSpec> faults) =>
        new([.. faults.Where(static spec => !spec.Facts.IsInside).Select(spec => new ScheduledFault(spec, FaultPhase.Due, TimeSpan.MaxValue))]);

    /// <summary>When the next fault ends; <see cref="TimeSpan.MaxValue"/> if none lasts.</summary>
    public TimeSpan NextEnd => Faults.Where(static fault => fault.Phase == FaultPhase.Lasting).Select(static fault => fault.EndsAt).DefaultIfEmpty(TimeSpan.MaxValue).Min();

    /// <summary>Whether the record of this step must wait: a fault of it has not struck yet.</summary>
    public bool Holds(StepId step) => Faults.Any(fault => fault.Spec.Step == step && fault.Phase is (FaultPhase.Due or FaultPhase.Striking));

    /// <summary>BeginStep of this step was sent.</summary>
    public (FaultSchedule Next, ImmutableArray<FaultEffect> Effects) Begun(StepId step)
    {
        var (next, missed) = Passed(fault => fault.Spec.Step < step, $"the run is at step {step} already");
        var struck = next.Where(fault => fault.Phase == FaultPhase.Due && fault.Spec.Step == step);
        return (next.Mark(struck, FaultPhase.Striking), [.. missed, .. struck.Select(i => new FaultEffect.Strike(i))]);
    }

    /// <summary>The record of this step is written.</summary>
    public (FaultSchedule Next, ImmutableArray<FaultEffect> Effects) Recorded(StepId step) =>
        Passed(fault => fault.Spec.Step <= step, $"step {step} was committed before it could strike");

    /// <summary>The run is over.</summary>
    public (FaultSchedule Next, ImmutableArray<FaultEffect> Effects) Ended() => Passed(static _ => true, "the run ended before it could strike");

    /// <summary>A strike is done.</summary>
    /// <param name="hit">Whether the node was there to be struck.</param>
    /// <param name="now">Of one monotonic clock.</param>
    public (FaultSchedule Next, ImmutableArray<FaultEffect> Effects) Struck(int fault, bool hit, TimeSpan now)
    {
        var (spec, phase, _) = Faults[fault];
        if (phase != FaultPhase.Striking) throw new ArgumentException($"fault {spec} was not striking", nameof(fault));
        if (!hit) return (Set(fault, FaultPhase.Over), [new FaultEffect.Say(fault, $"fault {spec} missed: {spec.Node} was not running")]);
        var what = $"fault {spec}: {spec.Node} {spec.Facts.Past} in step {spec.Step}";
        return spec.Duration == TimeSpan.Zero
            ? (Set(fault, FaultPhase.Over), [new FaultEffect.Say(fault, what)])
            : (Set(fault, FaultPhase.Lasting, now + spec.Duration), [new FaultEffect.Say(fault, $"{what} for {spec.Duration.TotalSeconds:0.###} s")]);
    }

    /// <summary>Time has passed.</summary>
    public (FaultSchedule Next, ImmutableArray<FaultEffect> Effects) Tick(TimeSpan now)
    {
        var due = Where(fault => fault.Phase == FaultPhase.Lasting && fault.EndsAt <= now);
        return (Mark(due, FaultPhase.Over), [.. due.Select(i => new FaultEffect.End(i))]);
    }

    private (FaultSchedule Next, ImmutableArray<FaultEffect> Effects) Passed(Func<ScheduledFault, bool> isPast, string why)
    {
        var past = Where(fault => fault.Phase == FaultPhase.Due && isPast(fault));
        return (Mark(past, FaultPhase.Over), [.. past.Select(i => new FaultEffect.Say(i, $"fault {Faults[i].Spec} missed: {why}"))]);
    }

    private ImmutableArray<int> Where(Func<ScheduledFault, bool> condition) => [.. Enumerable.Range(0, Faults.Length).Where(i => condition(Faults[i]))];

    private FaultSchedule Mark(ImmutableArray<int> which, FaultPhase phase) => which.Aggregate(this, (schedule, i) => schedule.Set(i, phase));

    private FaultSchedule Set(int fault, FaultPhase phase, TimeSpan? endsAt = null) =>
        new(Faults.SetItem(fault, Faults[fault] with { Phase = phase, EndsAt = endsAt ?? TimeSpan.MaxValue }));
}
