using System.Collections.Immutable;
using Cluster.Contracts;

namespace Cluster.Coordinator.Core;

// Every n-th step one leaf is computed by two workers, and their bits are compared (ops/decisions/0011). When they differ, the
// attempt is void; in the next one both compute the leaf again, and a third worker with them, and the one that is wrong
// is quarantined. What goes into the weights is then computed without it.
public static partial class StepProtocol
{
    /// <summary>Chooses the leaf when the step is due for it: every worker's turn comes, and every place in its lease.</summary>
    private static StepState Audited(StepState state, WorkerStanding[] able, ImmutableArray<Lease> deal, WorkerId[] owner)
    {
        if (!state.IsAuditDue || state.Audit is not null || able.Length < 2) return state;
        var turn = state.Step.Value / state.Rules.AuditEvery;
        var held = deal.Where(static l => !l.Leaves.IsEmpty).ToArray();
        var lease = held[turn % held.Length].Leaves;
        var leaf = lease.First + (int)(turn / held.Length % lease.Count);
        return leaf < owner.Length ? state with { Audit = LeafAudit.Of(leaf) } : state;
    }

    /// <summary>Who computes the audited leaf besides its owner: one worker, or in a dispute everybody it is about and one more.</summary>
    private static IEnumerable<WorkerId> Auditors(StepState state, WorkerStanding[] able, WorkerId[] owner)
    {
        if (state.Audit is not { } audit) return [];
        var others = able.Where(w => w.Worker != owner[audit.Leaf]).OrderByDescending(static w => w.Speed).ThenBy(static w => w.Worker).Select(static w => w.Worker).ToArray();
        if (!audit.IsDisputed) return others.Take(1);
        return [.. others.Where(audit.Evidence.ContainsKey), .. others.Where(w => !audit.Evidence.ContainsKey(w)).Take(1)];
    }

    /// <summary>Workers that hold the audited leaf in this attempt and are still expected to report it.</summary>
    private static bool IsAsked(StepState state, LeafAudit audit) =>
        state.Workers.Values.Any(w => !w.IsHung && !audit.Answered.Contains(w.Worker) && IsHeldBy(state, audit.Leaf, w.Worker));

    /// <summary>The step cannot be decided yet. An audit that nobody is left to answer is let go; a dispute is not.</summary>
    private static bool IsAuditOpen(StepState state) =>
        state.Audit is { } audit && (audit.IsDisputed || audit.Answered.Count < 2 && IsAsked(state, audit));

    /// <summary>
    /// A worker that was asked is gone or hangs, or one has come: asks another when a comparison still wants one. A dispute
    /// asks even those that were called hung, and waits for a while when nobody is left: one may be about to come back.
    /// </summary>
    private static (StepState, ImmutableArray<StepEffect>) AskAnother(StepState state, double now)
    {
        if (state.Phase != StepPhase.Gathering || state.Audit is not { } audit || IsAsked(state, audit)) return Then(state);
        if (!audit.IsDisputed && audit.Answered.Count >= 2) return Then(state);
        var free = state.Workers.Values.Where(w => !IsHeldBy(state, audit.Leaf, w.Worker)).ToArray();
        var able = free.Where(static w => !w.IsHung).ToArray();
        if (able.Length == 0 && audit.IsDisputed) able = free;
        var (next, effects) = able.Length == 0 ? Then(state) : LeaseAlso(state, [audit.Leaf], [.. able.Select(static w => w.Worker)], now);
        if (!audit.IsDisputed) return (next, effects);
        if (IsAsked(next, audit)) return (next with { Audit = audit with { StuckAt = null } }, effects);
        if (audit.StuckAt is not null) return (next, effects);
        var stuck = next with { Audit = audit with { StuckAt = now } };
        return (stuck, [.. effects, new StepEffect.Say("waiting", "coordinator", $"Step {state.Step} waits for one more worker, since it cannot be told who is right: {Differ(state, audit)}."), .. Watch(stuck, now)]);
    }

    private static string Differ(StepState state, LeafAudit audit) => $"the copies of leaf {audit.Leaf} of step {state.Step} differ ({audit})";

    /// <summary>After a report of the audited leaf; null when the step goes on as it would.</summary>
    private static (StepState, ImmutableArray<StepEffect>)? Judge(StepState state, double now)
    {
        var audit = state.Audit!;
        if (audit.IsUnanimous && !audit.IsDisputed) return null;
        var liars = audit.Liars();
        if (!liars.IsEmpty) return Quarantine(state, liars, now);
        if (audit.IsDisputed) return IsAsked(state, audit) ? null : AskAnother(state, now);
        var what = Differ(state, audit);
        var (next, effects) = Attempt(state with { Audit = audit with { IsDisputed = true } }, now);
        return (next, [new StepEffect.Say("audit-dispute", "coordinator", $"One device gives wrong bits: {what}. The leaf is computed again to tell which."), new StepEffect.Abandon(state.Step, state.Attempt, what), .. effects]);
    }

    /// <summary>Nobody has come who could settle the dispute.</summary>
    private static bool IsStuck(StepState state, double now) =>
        state.Audit is { StuckAt: { } since } audit && !IsAsked(state, audit) && now >= since + state.Rules.DisputePatience;

    private static (StepState, ImmutableArray<StepEffect>) GiveUp(StepState state) => Halt(state,
        $"The copies of leaf {state.Audit!.Leaf} of step {state.Step} differ ({state.Audit}): one device computes wrongly, and no third worker came to tell which. Resume with one more worker.");

    private static (StepState, ImmutableArray<StepEffect>) Quarantine(StepState state, ImmutableArray<WorkerId> liars, double now)
    {
        var audit = state.Audit!;
        var why = $"{string.Join(" and ", liars)} gave wrong bits for leaf {audit.Leaf} of step {state.Step} ({audit})";
        var (next, effects) = Attempt(
            state with
            {
                Workers = state.Workers.RemoveRange(liars),
                Quarantined = state.Quarantined.SetItems(liars.Select(w => KeyValuePair.Create(w, state.Step))),
                Unlogged = state.Unlogged.Union(liars),
                Deal = [],
                IsAuditDue = false,
                Audit = null,
            }, now);
        return (next, [
            .. liars.Select(w => new StepEffect.Say("worker-quarantined", w.ToString(), $"{why}: {w} is quarantined and gets no more leaves. The step is computed without it.")),
            new StepEffect.Abandon(state.Step, state.Attempt, why), .. effects]);
    }
}
