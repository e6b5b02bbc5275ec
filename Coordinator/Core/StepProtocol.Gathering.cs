using System.Collections.Immutable;
using Cluster.Contracts;

namespace Cluster.Coordinator.Core;

// Phase Gathering: leases out, leaves and reductions in, until the step can be decided.
public static partial class StepProtocol
{
    private static (StepState, ImmutableArray<StepEffect>) Open(StepState state, OpenStep open)
    {
        if (open.Plan.Step != state.Committed.Next()) throw new StepProtocolException(state, open);
        var next = state with
        {
            Plan = open.Plan,
            LearningRate = open.LearningRate,
            Attempt = 0,
            Suspects = ImmutableSortedDictionary<int, WorkerId>.Empty,
            Record = null,
            Recorded = open.Recorded,
        };
        // A step that was skipped is skipped again; there is nothing to compute.
        return open.Recorded is { Applied: false } skipped ? Redo(next with { Applied = NothingApplied(next) }, skipped) : Attempt(next);
    }

    /// <summary>Begins the next attempt at the step: all leaves open, all reductions void.</summary>
    private static (StepState, ImmutableArray<StepEffect>) Attempt(StepState state)
    {
        var next = state with
        {
            Phase = StepPhase.Gathering,
            Attempt = state.Attempt + 1,
            Leaves = [.. Enumerable.Repeat(LeafState.Open, state.Plan.LeafCount)],
            Reduced = [.. Enumerable.Repeat<ShardReduced?>(null, state.Rules.Shards)],
            Applied = NothingApplied(state),
        };
        return LeaseAll(next);
    }

    private static ImmutableArray<bool> NothingApplied(StepState state) => [.. Enumerable.Repeat(false, state.Rules.Shards)];

    private static (StepState, ImmutableArray<StepEffect>) LeaseAll(StepState state)
    {
        if (state.Workers.IsEmpty) return Then(state, new StepEffect.Say("waiting", "coordinator", $"Step {state.Step} waits: there is no worker."));
        var workers = state.Workers.Values.ToArray();
        var runs = Leases.Deal([.. workers.Select(static w => new LeaseCandidate(w.Worker, w.Speed))], state.Plan.LeafCount);
        var owner = new WorkerId[state.Plan.LeafCount];
        for (var i = 0; i < runs.Count; i++)
            for (var leaf = runs[i].First; leaf < runs[i].End; leaf++) owner[leaf] = workers[i].Worker;
        foreach (var (leaf, suspect) in state.Suspects)
            owner[leaf] = SomebodyElse(state, suspect);
        var leaves = state.Leaves.Select((l, i) => l with { Holders = [owner[i]] }).ToImmutableArray();
        var grants = workers.Select(w => (StepEffect)new StepEffect.Grant(w.Worker, Leases.Runs(Enumerable.Range(0, owner.Length).Where(i => owner[i] == w.Worker))));
        var next = state with { Leaves = leaves };
        return (next, [.. grants, .. Budget(next)]);
    }

    /// <summary>Leases every open leaf again: those without a living holder, and those whose holder is late, to whoever is free.</summary>
    private static (StepState, ImmutableArray<StepEffect>) LeaseAgain(StepState state)
    {
        if (state.Workers.IsEmpty) return Then(state, new StepEffect.Say("waiting", "coordinator", $"Step {state.Step} waits: there is no worker."));
        var leaves = state.Leaves.ToBuilder();
        var load = state.Workers.Keys.ToDictionary(w => w, w => state.Leaves.Count(l => l.Done is null && l.Holders.Contains(w)));
        var given = new SortedDictionary<WorkerId, List<int>>();
        for (var leaf = 0; leaf < leaves.Count; leaf++)
        {
            if (leaves[leaf].Done is not null) continue;
            // The least loaded worker that does not already hold it; nobody else there = nothing to do for this leaf.
            var taker = state.Workers.Keys.Where(w => !leaves[leaf].Holders.Contains(w)).OrderBy(w => load[w]).ThenBy(static w => w).Select(static w => (WorkerId?)w).FirstOrDefault();
            if (taker is not { } worker) continue;
            leaves[leaf] = leaves[leaf] with { Holders = leaves[leaf].Holders.Add(worker) };
            load[worker]++;
            if (!given.TryGetValue(worker, out var list)) given[worker] = list = [];
            list.Add(leaf);
        }
        var next = state with { Leaves = leaves.ToImmutable() };
        if (given.Count == 0) return (next, [.. Budget(next)]);
        var grants = given.SelectMany(pair => new StepEffect[]
        {
            new StepEffect.Say("leased-again", pair.Key.ToString(), $"Leaves {string.Join(", ", pair.Value)} of step {state.Step} are leased to {pair.Key} as well."),
            new StepEffect.Grant(pair.Key, Leases.Runs(pair.Value)),
        });
        return (next, [.. grants, .. Budget(next)]);
    }

    private static (StepState, ImmutableArray<StepEffect>) Lost(StepState state, WorkerLost lost)
    {
        if (!state.Workers.ContainsKey(lost.Worker)) return Drop(state, "loss of a worker that is already gone");
        var next = state with { Workers = state.Workers.Remove(lost.Worker) };
        var say = new StepEffect.Say("worker-lost", lost.Worker.ToString(), $"{lost.Worker} is lost in phase {state.Phase}: {lost.Cause}");
        if (state.Phase != StepPhase.Gathering || state.AllReduced && state.AllLeavesDone) return Then(next, say);
        // A reported leaf may have died with its worker before its node reached every shard, so all its leaves are open
        // again unless every shard is complete. A second copy is the same bits; the tree drops whichever comes late.
        var reopened = state.AllReduced
            ? next.Leaves.Select(l => l with { Holders = l.Holders.Remove(lost.Worker) })
            : next.Leaves.Select(l => l.Done?.Worker == lost.Worker
                ? new LeafState(l.Holders.Remove(lost.Worker), null)
                : l with { Holders = l.Holders.Remove(lost.Worker) });
        next = next with { Leaves = [.. reopened] };
        var orphans = next.Leaves.Count(static l => l.Done is null && l.Holders.IsEmpty);
        return orphans == 0 ? Then(next, say) : Prepend(LeaseOrphans(next), say);
    }

    /// <summary>Leases only leaves that nobody alive holds.</summary>
    private static (StepState, ImmutableArray<StepEffect>) LeaseOrphans(StepState state)
    {
        // Leaves that somebody is at are hidden from LeaseAgain by pretending that everybody holds them.
        var everybody = state.Workers.Keys.ToImmutableArray();
        var masked = state with { Leaves = [.. state.Leaves.Select(l => l.Holders.IsEmpty ? l : l with { Holders = everybody })] };
        var (leased, effects) = LeaseAgain(masked);
        var leaves = state.Leaves.Select((l, i) => l.Holders.IsEmpty ? leased.Leaves[i] : l);
        return (state with { Leaves = [.. leaves] }, effects);
    }

    private static (StepState, ImmutableArray<StepEffect>) Gather(StepState state, LeafDone leaf)
    {
        if (leaf.Leaf < 0 || leaf.Leaf >= state.Leaves.Length) return Drop(state, "leaf that does not exist");
        if (state.Leaves[leaf.Leaf].Done is not null) return Drop(state, "second copy of a leaf");
        if (!state.Workers.ContainsKey(leaf.Worker)) return Drop(state, "leaf of a worker that is gone");
        if (!leaf.IsFinite) return NonFinite(state, leaf);
        var next = state with { Leaves = state.Leaves.SetItem(leaf.Leaf, state.Leaves[leaf.Leaf] with { Done = leaf }) };
        return DecideWhenComplete(next);
    }

    private static (StepState, ImmutableArray<StepEffect>) Gather(StepState state, ShardReduced reduced)
    {
        if (reduced.Shard.Index < 0 || reduced.Shard.Index >= state.Reduced.Length) return Drop(state, "shard that does not exist");
        if (state.Reduced[reduced.Shard.Index] is not null) return Drop(state, "second reduction of a shard");
        return DecideWhenComplete(state with { Reduced = state.Reduced.SetItem(reduced.Shard.Index, reduced) });
    }

    private static (StepState, ImmutableArray<StepEffect>) NonFinite(StepState state, LeafDone leaf)
    {
        var where = $"{leaf.Worker} found a non-finite value in leaf {leaf.Leaf} of step {state.Step}, first in '{leaf.FirstBadParameter ?? "loss"}'";
        var say = new StepEffect.Say("non-finite", leaf.Worker.ToString(), where + ".");
        switch (state.Rules.NonFinite)
        {
            case NonFinitePolicy.Skip:
                // The record needs every leaf's count and digest, so a skipped step still waits for all of them.
                var counted = state with { Leaves = state.Leaves.SetItem(leaf.Leaf, state.Leaves[leaf.Leaf] with { Done = leaf }) };
                return Prepend(DecideWhenComplete(counted), say);
            case NonFinitePolicy.Recompute when !state.Suspects.ContainsKey(leaf.Leaf):
                var (next, effects) = Attempt(state with { Suspects = state.Suspects.Add(leaf.Leaf, leaf.Worker) });
                return (next, [say, new StepEffect.Abandon(state.Step, state.Attempt, where), .. effects]);
            default:
                var again = state.Suspects.TryGetValue(leaf.Leaf, out var first) ? $", as {first} did before" : string.Empty;
                return Then(state with { Phase = StepPhase.Halted }, say, new StepEffect.Halt($"{where}{again}. Lower the learning rate, clip the norm, or look at the leaf's samples."));
        }
    }

    private static WorkerId SomebodyElse(StepState state, WorkerId suspect)
    {
        foreach (var worker in state.Workers.Keys)
            if (worker != suspect) return worker;
        return state.Workers.Keys.First();      // alone: the same worker gets a second chance
    }

    private static IEnumerable<StepEffect> Budget(StepState state)
    {
        if (state.Rules.LeafBudgetMilliseconds > 0)
            yield return new StepEffect.StartBudget(state.Step, state.Attempt, state.Rules.LeafBudgetMilliseconds);
    }
}
