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
        var took = Math.Max(now - worker.Since, 1e-3);
        var speed = 1_000 / took;
        if (worker.Speed > 0) speed = worker.Speed + SpeedGain * (speed - worker.Speed);
        return state with { Workers = state.Workers.SetItem(worker.Worker, worker with { Speed = speed, Since = now, IsHung = false, IsBehind = false }) };
    }

    /// <summary>The step was decided without some workers: they are slower than their last report said.</summary>
    private static StepState Outrun(StepState state, double now)
    {
        var workers = state.Workers;
        foreach (var worker in state.Workers.Values.Where(w => w.Speed > 0 && IsBusy(state, w.Worker)))
            workers = workers.SetItem(worker.Worker, worker with { IsBehind = true, Speed = Math.Min(worker.Speed, 1_000 / Math.Max(now - worker.Since, 1e-3)) });
        return state with { Workers = workers };
    }

    /// <summary>A report that came too late to count still tells how long the leaf took, and that its worker lives.</summary>
    private static (StepState, ImmutableArray<StepEffect>) Late(StepState state, LeafDone leaf, string reason, double now)
    {
        if (leaf.Term != state.Term || !state.Workers.TryGetValue(leaf.Worker, out var worker) || !worker.IsBehind && !worker.IsHung) return Drop(state, reason);
        return Drop(Measured(state, worker, now), reason);
    }

    /// <summary>Milliseconds per leaf: the median over the measured workers; 0 = nothing is measured.</summary>
    private static double MedianLeaf(StepState state)
    {
        var times = state.Workers.Values.Where(static w => w.Speed > 0).Select(static w => 1_000 / w.Speed).Order().ToArray();
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
        if (state.Audit?.StuckAt is { } stuck) next = Math.Min(next, stuck + state.Rules.DisputePatience);
        if (double.IsFinite(next)) yield return new StepEffect.StartBudget(state.Step, state.Attempt, Math.Max(1, next - now));
    }

    /// <summary>After a report: the reporter may have become idle, and then somebody else's leaves may be late.</summary>
    private static (StepState, ImmutableArray<StepEffect>) Watched(StepState state, WorkerId reporter, double now, params ReadOnlySpan<StepEffect> effects)
    {
        if (!state.Rules.Stragglers.IsOn || IsBusy(state, reporter)) return Then(state, effects);
        var (next, more) = LookForLate(state, now);
        return (next, [.. effects, .. more]);
    }

    private static (StepState, ImmutableArray<StepEffect>) LookForLate(StepState state, double now)
    {
        if (IsStuck(state, now)) return GiveUp(state);
        var median = MedianLeaf(state);
        var effects = ImmutableArray.CreateBuilder<StepEffect>();
        var next = state;
        foreach (var worker in state.Workers.Values.Where(w => !w.IsHung && IsBusy(state, w.Worker) && now >= HungAt(state, w, median)))
        {
            next = next with { Workers = next.Workers.SetItem(worker.Worker, worker with { IsHung = true }), Deal = [] };
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
