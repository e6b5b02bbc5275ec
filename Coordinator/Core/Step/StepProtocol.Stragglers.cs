using System.Collections.Immutable;
using Cluster.Contracts;

namespace Cluster.Coordinator.Core;

// Speed, lateness and hangs: leaves of a late worker are computed twice, the first copy wins (Dean and Ghemawat 2004,
// backup tasks). Nothing here can change a bit of the result.
public static partial class StepProtocol
{
    /// <summary>Weight of the newest leaf in a worker's speed.</summary>
    private const double SpeedGain = 0.3;

    private static StepState Measured(StepState state, WorkerStanding worker, double now)
    {
        // Devices report together what they began together: the time between two reports would tell nothing.
        var took = Math.Max(now - worker.Oldest, 1e-3);
        var speed = 1_000 * worker.Devices / took;
        if (worker.Speed > 0) speed = worker.Speed + SpeedGain * (speed - worker.Speed);
        return state with { Workers = state.Workers.SetItem(worker.Worker, Judged(state, worker, took, now).GoesOn(now) with { Speed = speed, IsHung = false, IsBehind = false }) };
    }

    /// <summary>Its row of late leaves grows, or is over. The first leaf of all pays for caches and kernels and is no evidence.</summary>
    private static WorkerStanding Judged(StepState state, WorkerStanding worker, double took, double now)
    {
        worker = worker with { LastLeaf = took, ReportedAt = now };
        var over = worker.Speed > 0 ? Lateness(state, worker.Worker, took, now) : 0;
        return over > 0
            ? worker with { LateLeaves = worker.LateLeaves + 1, LateBy = worker.LateBy + over }
            : worker with { LateLeaves = 0, LateBy = 0, IsCalledLate = false };
    }

    /// <summary>
    /// By how many milliseconds a leaf took longer than those of the others; 0 = it was in time. The others' last leaves and those
    /// that they are at, not their mean ones: when all wait for one thing, nobody is late.
    /// </summary>
    private static double Lateness(StepState state, WorkerId worker, double took, double now)
    {
        var others = state.Workers.Values.Where(w => w.Worker != worker && w.LastLeaf > 0)
            .Select(w => IsAtALeaf(state, w) ? Math.Max(w.LastLeaf, now - w.Since) : w.LastLeaf).Order().ToArray();
        if (others.Length == 0 || took <= state.Rules.Stragglers.SpellFactor * others[others.Length / 2]) return 0;
        return took - others[others.Length / 2];
    }

    /// <summary>Names workers that are late leaf after leaf, once until one is in time again. A leaf that is still being computed counts.</summary>
    private static (StepState, ImmutableArray<StepEffect>) CallLate(StepState state, double now)
    {
        var rules = state.Rules.Stragglers;
        var effects = ImmutableArray.CreateBuilder<StepEffect>();
        foreach (var worker in state.Workers.Values.Where(static w => !w.IsCalledLate && !w.IsHung && w.Speed > 0))
        {
            var (leaves, by) = (worker.LateLeaves, worker.LateBy);
            if (IsAtALeaf(state, worker) && Lateness(state, worker.Worker, now - worker.Since, now) is > 0 and var over) (leaves, by) = (leaves + 1, by + over);
            if (leaves < rules.SpellLeaves || by < rules.SpellFloor) continue;
            state = state with { Workers = state.Workers.SetItem(worker.Worker, worker with { IsCalledLate = true }) };
            effects.Add(new StepEffect.Say("worker-late", worker.Worker.ToString(),
                $"{worker.Worker} is slow: its last {leaves} leaves, the newest of step {state.Step}, took {by / 1_000:0.0} s longer than those of the others; it gets fewer, and what is late is computed by others as well."));
        }
        return (state, effects.ToImmutable());
    }

    private static bool IsAtALeaf(StepState state, WorkerStanding worker) => worker.IsBehind || IsBusy(state, worker.Worker);

    /// <summary>
    /// A worker whose last leaf was late gets few or none from then on, so nothing would tell whether it is slow or was held up
    /// once: it computes one leaf that somebody else is at as well. It would else be idle, and a second copy changes nothing.
    /// </summary>
    private static (StepState, ImmutableArray<StepEffect>) Probe(StepState state, double now)
    {
        var leaf = state.Leaves.Length - 1;
        while (leaf >= 0 && state.Leaves[leaf].Done is not null) leaf--;
        var suspects = state.Workers.Values.Where(w => w is { LateLeaves: > 0, IsCalledLate: false, IsHung: false } && !IsAtALeaf(state, w) && now - w.ReportedAt >= state.Rules.Stragglers.ProbeAfter).ToArray();
        return leaf < 0 || suspects.Length == 0 ? Then(state) : LeaseAlso(state, [leaf], [suspects[0].Worker], now);
    }

    /// <summary>Workers that were called hung long ago and are so still: whoever started them is to start them again.</summary>
    private static (StepState, ImmutableArray<StepEffect>) Stuck(StepState state, double now)
    {
        var patience = state.Rules.Stragglers.HungPatience;
        var effects = ImmutableArray.CreateBuilder<StepEffect>();
        foreach (var worker in state.Workers.Values.Where(w => w.IsHung && now - w.HungSince >= patience))
        {
            // Asked once more if it is still there after the same time.
            state = state with { Workers = state.Workers.SetItem(worker.Worker, worker with { HungSince = now }) };
            effects.Add(new StepEffect.Replace(worker.Worker, $"it has reported no leaf for {(now - worker.Since) / 1_000:0.0} s although it is alive"));
        }
        return (state, effects.ToImmutable());
    }

    /// <summary>Every leaf is in a node that a living worker has pushed: what is missing now lies with shards, or on the way to them.</summary>
    internal static bool IsAllPushed(StepState state) => state.AllLeavesDone && !Unsafe(state).Contains(true);

    /// <summary>The step was decided without some workers: they are slower than their last report said.</summary>
    private static StepState Outrun(StepState state, double now)
    {
        var workers = state.Workers;
        foreach (var worker in state.Workers.Values.Where(w => w.Speed > 0 && IsBusy(state, w.Worker)))
            workers = workers.SetItem(worker.Worker, worker with { IsBehind = true, Speed = Math.Min(worker.Speed, 1_000 * worker.Devices / Math.Max(now - worker.Since, 1e-3)) });
        return state with { Workers = workers };
    }

    /// <summary>A report that came too late to count still tells how long the leaf took, and that its worker lives.</summary>
    private static (StepState, ImmutableArray<StepEffect>) Late(StepState state, LeafDone leaf, string reason, double now)
    {
        if (leaf.Term != state.Term || !state.Workers.TryGetValue(leaf.Worker, out var worker) || !worker.IsBehind && !worker.IsHung) return Drop(state, reason);
        var (next, called) = CallLate(Measured(state, worker, now), now);
        return (next, [new StepEffect.Drop(reason), .. called]);
    }

    /// <summary>Milliseconds per leaf on one device: the median over the measured workers; 0 = nothing is measured.</summary>
    private static double MedianLeaf(StepState state)
    {
        var times = state.Workers.Values.Where(static w => w.Speed > 0).Select(static w => w.LeafMilliseconds).Order().ToArray();
        return times.Length == 0 ? 0 : times[(times.Length - 1) / 2];
    }

    private static bool IsBusy(StepState state, WorkerId worker) => state.Leases.Any(l => l.Worker == worker && Missing(state, l).Any());

    private static double LateAt(StepState state, WorkerStanding worker, double median)
    {
        var rules = state.Rules.Stragglers;
        return worker.Since + (median > 0 && worker.Speed > 0 ? Math.Max(rules.LateFactor * median, median + rules.LateFloor) : rules.FirstLeaf);
    }

    private static double HungAt(StepState state, WorkerStanding worker, double median)
    {
        var rules = state.Rules.Stragglers;
        return worker.Since + (median > 0 && worker.Speed > 0 ? Math.Max(rules.HangFloor, rules.HangFactor * median) : rules.FirstLeaf);
    }

    /// <summary>Sets the clock for the next moment at which somebody becomes late or hung.</summary>
    private static IEnumerable<StepEffect> Watch(StepState state, double now)
    {
        if (!state.Rules.Stragglers.IsOn || state.Phase != StepPhase.Gathering) yield break;
        var median = MedianLeaf(state);
        var busy = state.Workers.Values.Where(w => !w.IsHung && IsBusy(state, w.Worker)).ToArray();
        var someoneIsIdle = busy.Length < Able(state).Length;
        var next = double.PositiveInfinity;
        foreach (var worker in busy)
        {
            var late = LateAt(state, worker, median);
            // Late already and looked at: only the hang is left to wait for.
            next = Math.Min(next, someoneIsIdle && late > now ? late : HungAt(state, worker, median));
        }
        // One that was left behind holds nothing of this step, and yet may hang.
        foreach (var worker in state.Workers.Values.Where(static w => w.IsBehind && !w.IsHung)) next = Math.Min(next, HungAt(state, worker, median));
        if (state.Audit?.StuckAt is { } stuck) next = Math.Min(next, stuck + state.Rules.DisputePatience);
        if (double.IsFinite(next)) yield return new StepEffect.StartBudget(state.Step, state.Attempt, Math.Max(1, next - now));
    }

    /// <summary>After a report: the reporter may have become idle, and then somebody else's leaves may be late.</summary>
    private static (StepState, ImmutableArray<StepEffect>) Watched(StepState state, WorkerId reporter, double now, params ReadOnlySpan<StepEffect> effects)
    {
        if (!state.Rules.Stragglers.IsOn) return Then(state, effects);
        var (next, called) = CallLate(state, now);
        if (IsBusy(next, reporter)) return (next, [.. effects, .. called]);
        (next, var probes) = Probe(next, now);
        (next, var more) = LookForLate(next, now);
        return (next, [.. effects, .. called, .. probes, .. more]);
    }

    private static (StepState, ImmutableArray<StepEffect>) LookForLate(StepState state, double now)
    {
        if (IsStuck(state, now)) return GiveUp(state);
        var median = MedianLeaf(state);
        var effects = ImmutableArray.CreateBuilder<StepEffect>();
        (state, var called) = CallLate(state, now);
        effects.AddRange(called);
        var next = state;
        foreach (var worker in state.Workers.Values.Where(w => !w.IsHung && IsAtALeaf(state, w) && now >= HungAt(state, w, median)))
        {
            next = next with { Workers = next.Workers.SetItem(worker.Worker, worker with { IsHung = true, HungSince = now }), Deal = [] };
            var budget = HungAt(state, worker, median) - worker.Since;
            effects.Add(new StepEffect.Say("worker-hung", worker.Worker.ToString(),
                $"{worker.Worker} has reported no leaf of step {state.Step} for {(now - worker.Since) / 1_000:0.0} s (budget {budget / 1_000:0.0} s) although it is alive: it gets no more leaves until it does."));
        }
        var able = Able(next);
        var idle = able.Where(w => !w.IsHung && !IsBusy(next, w.Worker)).Select(static w => w.Worker).ToArray();
        var punctual = able.Where(w => !w.IsHung && now < LateAt(next, w, median)).Select(static w => w.Worker).ToArray();
        var open = Unsafe(next);
        // Late = nobody who is in time is at it.
        var late = Enumerable.Range(0, open.Length)
            .Where(leaf => open[leaf] && !punctual.Any(w => IsHeldBy(next, leaf, w) && IsBusy(next, w))).ToArray();
        var takers = idle.Length > 0 ? idle : [.. punctual];
        // With everybody busy, only what is held by nobody able is given away.
        if (idle.Length == 0) late = [.. late.Where(leaf => !able.Any(w => !w.IsHung && IsHeldBy(next, leaf, w.Worker)))];
        // With nobody left, those that were called hung get another chance: an order may have been lost, not its worker.
        if (takers.Length == 0) takers = [.. next.Workers.Values.Where(static w => w.IsHung).Select(static w => w.Worker)];
        if (late.Length > 0 && takers.Length > 0)
        {
            (next, var leased) = LeaseAlso(next, late, takers, now);
            effects.AddRange(leased);
        }
        (next, var asked) = AskAnother(next, now);
        effects.AddRange(asked);
        effects.AddRange(Watch(next, now));
        if (!next.AllLeavesDone || !next.AllReduced) return (next, effects.ToImmutable());
        // Only an audit can have been open, and the worker that it waited for is called hung now.
        var (decided, more) = DecideWhenComplete(next, now);
        return (decided, [.. effects, .. more]);
    }
}
