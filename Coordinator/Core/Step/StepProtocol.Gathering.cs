using System.Collections.Immutable;
using Cluster.Contracts;

namespace Cluster.Coordinator.Core;

// Phase Gathering: leaves and reductions in, until the step can be decided.
public static partial class StepProtocol
{
    private static (StepState, ImmutableArray<StepEffect>) Open(StepState state, OpenStep open, double now)
    {
        if (open.Plan.Step != state.Committed.Next()) throw new StepProtocolException(state, open);
        var next = Outrun(state, now) with
        {
            Plan = open.Plan,
            LearningRate = open.LearningRate,
            Evaluation = open.Evaluation,
            Attempt = 0,
            Ahead = open.Ahead.IsDefaultOrEmpty ? None(state) : open.Ahead,
            Suspects = ImmutableSortedDictionary<int, WorkerId>.Empty,
            SumWasNonFinite = false,
            LeftOut = (open.Recorded?.LeftOut ?? []).ToImmutableSortedDictionary(static s => s, static _ => -1),
            EmptyLeaves = [.. open.Recorded?.EmptyLeaves ?? []],
            Blind = [],
            IsAuditDue = open.Recorded is null && state.Rules.AuditEvery > 0 && open.Plan.Step.Value % state.Rules.AuditEvery == 0,
            Audit = null,
            Record = null,
            Recorded = open.Recorded,
        };
        if (open.Recorded is not { } recorded) return Attempt(next, now);
        // A step that was skipped is skipped again, and a sum that is kept is applied: there is nothing to compute.
        return recorded.Applied && !open.HaveSums
            ? Attempt(next, now)
            : Redo(next with { Applied = next.Ahead }, recorded, new SumKey(recorded.Term, recorded.Step, recorded.Attempt));
    }

    /// <summary>Begins the next attempt at the step: all leaves open, all reductions void.</summary>
    private static (StepState, ImmutableArray<StepEffect>) Attempt(StepState state, double now)
    {
        var next = state with
        {
            Phase = StepPhase.Gathering,
            Attempt = state.Attempt + 1,
            Leaves = [.. Enumerable.Repeat(LeafState.Open, state.Plan.LeafCount)],
            Leases = [],
            Reduced = [.. Enumerable.Repeat<ShardReduced?>(null, state.Rules.Shards)],
            Applied = state.Ahead,
            Audit = state.Audit?.Again(),
        };
        next = next with { Sum = new SumKey(next.Term, next.Step, next.Attempt) };
        return LeaseAll(next, now);
    }

    private static ImmutableArray<bool> None(StepState state) => [.. Enumerable.Repeat(false, state.Rules.Shards)];

    private static (StepState, ImmutableArray<StepEffect>) Gather(StepState state, LeafDone leaf, double now)
    {
        if (leaf.Leaf < 0 || leaf.Leaf >= state.Leaves.Length) return Drop(state, "leaf that does not exist");
        if (!state.Workers.TryGetValue(leaf.Worker, out var worker)) return Drop(state, "leaf of a worker that is gone");
        var before = state.Leaves[leaf.Leaf];
        if (before.Reporters.Contains(leaf.Worker)) return Drop(state, "second copy of a leaf");
        var next = Measured(state, worker, now) with
        {
            Leaves = state.Leaves.SetItem(leaf.Leaf, new LeafState(before.Done ?? leaf, before.Reporters.Add(leaf.Worker), before.Vouchers.Add(leaf.Worker))),
        };
        // Looked at even in a second copy: its node may be in the sum.
        if (!leaf.IsFinite) return NonFinite(next, leaf, now);
        if (leaf.Hash is { } hash && next.Audit is { } audit && audit.Leaf == leaf.Leaf)
        {
            next = next with { Audit = audit.Heard(leaf.Worker, hash) };
            if (Judge(next, now) is { } judged) return judged;
        }
        if (next.AllLeavesDone && (next.AllReduced || next.HasNoSum)) return DecideWhenComplete(next, now);
        return before.Done is not null
            ? Watched(next, leaf.Worker, now, new StepEffect.Drop("second copy of a leaf"))
            : Watched(next, leaf.Worker, now);
    }

    private static (StepState, ImmutableArray<StepEffect>) Gather(StepState state, ShardReduced reduced, double now)
    {
        if (reduced.Shard.Index < 0 || reduced.Shard.Index >= state.Reduced.Length) return Drop(state, "shard that does not exist");
        if (state.Reduced[reduced.Shard.Index] is not null || state.Ahead[reduced.Shard.Index]) return Drop(state, "second reduction of a shard");
        return DecideWhenComplete(state with { Reduced = state.Reduced.SetItem(reduced.Shard.Index, reduced) }, now);
    }

    /// <summary>A replay has no choice: a step that was applied is applied again, so what would skip it is computed again.</summary>
    private static NonFinitePolicy PolicyOf(StepState state) =>
        state.Recorded is { Applied: true } && state.Rules.NonFinite == NonFinitePolicy.Skip ? NonFinitePolicy.Recompute : state.Rules.NonFinite;

    private static (StepState, ImmutableArray<StepEffect>) NonFinite(StepState state, LeafDone leaf, double now)
    {
        var where = $"{leaf.Worker} found a non-finite value in leaf {leaf.Leaf} of step {state.Step}, first in '{leaf.FirstBadParameter ?? "loss"}'";
        var say = new StepEffect.Say("non-finite", leaf.Worker.ToString(), where + ".");
        switch (PolicyOf(state))
        {
            case NonFinitePolicy.Skip:
                // The record needs every leaf's count and digest, so a skipped step still waits for all of them.
                var counted = state with { Leaves = state.Leaves.SetItem(leaf.Leaf, state.Leaves[leaf.Leaf] with { Done = leaf }) };
                return Prepend(DecideWhenComplete(counted, now), say);
            case NonFinitePolicy.Recompute when !state.Suspects.ContainsKey(leaf.Leaf):
                var (next, effects) = Attempt(state with { Suspects = state.Suspects.Add(leaf.Leaf, leaf.Worker) }, now);
                return (next, [say, new StepEffect.Abandon(state.Step, state.Attempt, where), .. effects]);
            default:
                var again = state.Suspects.TryGetValue(leaf.Leaf, out var first) ? $", as {first} did before" : string.Empty;
                return Then(state with { Phase = StepPhase.Halted }, say, new StepEffect.Halt($"{where}{again}. Lower the learning rate, clip the norm, or look at the leaf's samples."));
        }
    }

    /// <summary>Sends again what the missing answers wait for; every receiver takes it as a repetition.</summary>
    private static (StepState, ImmutableArray<StepEffect>) Repeat(StepState state)
    {
        var effects = ImmutableArray.CreateBuilder<StepEffect>();
        foreach (var held in state.Leases.Where(l => Missing(state, l).Any()).GroupBy(static l => l.Worker))
            effects.Add(new StepEffect.Grant(held.Key, [.. held.Select(static l => l.Leaves)]));
        var shards = Enumerable.Range(0, state.Rules.Shards).Where(p => state.Reduced[p] is null && !state.Ahead[p]).Select(static p => new ShardId(p)).ToArray();
        if (shards.Length > 0) effects.Add(new StepEffect.AskShards(state.Sum, shards));
        return (state, effects.ToImmutable());
    }
}
