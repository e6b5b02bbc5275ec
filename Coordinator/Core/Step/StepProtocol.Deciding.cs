using System.Collections.Immutable;
using Cluster.Contracts;

namespace Cluster.Coordinator.Core;

// Phases Committing and Applying: the record first, then Apply; everything after the record is redo.
public static partial class StepProtocol
{
    private static (StepState, ImmutableArray<StepEffect>) DecideWhenComplete(StepState state, double now)
    {
        if (!state.AllLeavesDone) return Then(state);
        var done = state.Leaves.Select(static l => l.Done!).ToArray();
        // Nodes with a leaf that is not finite, or without samples, are never pushed: such a step has no sum to wait for.
        var skipped = state.HasNoSum;
        if (!skipped && !state.AllReduced) return Then(state);
        if (!skipped && Unvouched(state) is { } copy)
        {
            // Its report is on its way, or is asked for again with its lease; from a worker that is gone it never comes.
            if (state.Leases.Any(l => l.Worker == copy.Worker && l.Leaves.Contains(copy.Leaf) && Missing(state, l).Contains(copy.Leaf))) return Then(state);
            var why = $"{copy.Worker} is gone without having reported leaf {copy.Leaf} of step {state.Step}, and its copy is in the sum";
            var (next, effects) = Attempt(state, now);
            return (next, [new StepEffect.Say("unvouched", copy.Worker.ToString(), why + ": the step is computed again."), new StepEffect.Abandon(state.Step, state.Attempt, why), .. effects]);
        }
        if (!skipped && IsAuditOpen(state)) return Then(state);
        var samples = done.Sum(static l => l.SampleCount);
        if (samples != state.Plan.SampleCount - state.LeftOut.Count)
            return Halt(state, $"step {state.Step} counted {samples} samples, its plan has {state.Plan.SampleCount}{(state.LeftOut.IsEmpty ? "" : $", of which {state.LeftOut.Count} are left out")}");
        // In a replay beside shards that are ahead norms cannot be formed again; losses and digests are compared.
        var known = state.Ahead.Contains(true) ? state.Recorded : null;
        var norm = skipped ? double.NaN : known is not null ? known.GradNorm : GlobalNorm.OfMean(SquaredNorms(state), samples);
        if (!skipped && !double.IsFinite(norm))
        {
            var reason = $"The summed gradient of step {state.Step} is not finite although every leaf is: it overflowed in the sum";
            // Whether it overflows or something was damaged on its way, a second attempt tells.
            if (PolicyOf(state) == NonFinitePolicy.Recompute && !state.SumWasNonFinite)
            {
                var (again, more) = Attempt(state with { SumWasNonFinite = true }, now);
                return (again, [new StepEffect.Say("non-finite", "coordinator", reason + ", or was damaged. It is computed again."), new StepEffect.Abandon(state.Step, state.Attempt, reason), .. more]);
            }
            if (PolicyOf(state) != NonFinitePolicy.Skip) return Halt(state, reason + ". Lower the learning rate.");
            skipped = true;
        }
        var (scale, tensors) = skipped ? (1, null)
            : known is not null ? (known.Scale, known.TensorScales)
            : state.Rules.Scaling.Of(norm, samples, state.Reduced);
        var record = new CommitRecord(
            state.Term, state.Step, state.Attempt, state.Plan.Epoch, samples,
            Loss: TreeSum.Of([.. done.Select(static l => l.LossSum)], state.EmptyLeaves) / samples,
            Accuracy: samples == 0 ? 0 : (double)done.Sum(static l => l.CorrectCount) / samples,
            GradNorm: norm,
            scale,
            state.LearningRate,
            Applied: !skipped,
            [.. done.Select(static l => new LeafRecord(l.Worker, l.SampleCount, l.SampleDigest))],
            state.Unlogged.IsEmpty ? null : [.. state.Unlogged],
            tensors,
            state.Evaluation,
            state.LeftOut.IsEmpty ? null : [.. state.LeftOut.Keys]);
        if (state.Recorded is not { } recorded) return Then(state with { Phase = StepPhase.Committing, Record = record }, new StepEffect.AppendCommit(record));
        return Difference(recorded, record) is { } difference
            ? Halt(state, $"The replay of step {state.Step} does not reproduce its record: {difference}. The data, the libraries or the device have changed since; resume where they are as they were.")
            : Redo(state, recorded, state.Sum);
    }

    /// <summary>A copy in the sum that its worker has not vouched for: a node can arrive although the report that its leaf is bad was lost.</summary>
    private static (int Leaf, WorkerId Worker)? Unvouched(StepState state)
    {
        foreach (var reduced in state.Reduced)
        {
            foreach (var contribution in reduced?.Contributors ?? [])
            {
                var leaves = contribution.Node.Leaves(state.Plan.LeafCount);
                for (var leaf = leaves.First; leaf < leaves.End; leaf++)
                    if (!state.EmptyLeaves.Contains(leaf) && !state.Leaves[leaf].Vouchers.Contains(contribution.Worker)) return (leaf, contribution.Worker);
            }
        }
        return null;
    }

    /// <summary>Sends what the log says. The step was decided before; nothing is appended.</summary>
    private static (StepState, ImmutableArray<StepEffect>) Redo(StepState state, CommitRecord recorded, SumKey sum)
    {
        var next = state with { Phase = StepPhase.Applying, Committed = state.Step, Record = recorded, Sum = sum };
        return Then(next, Apply(next));
    }

    private static StepEffect.SendApply Apply(StepState state) =>
        new(state.Record!, state.Sum, [.. Enumerable.Range(0, state.Rules.Shards).Where(p => !state.Applied[p]).Select(static p => new ShardId(p))]);

    /// <summary>What of a replayed step is not as recorded, null when everything is. Who computed a leaf may differ.</summary>
    private static string? Difference(CommitRecord recorded, CommitRecord replayed)
    {
        if (recorded.Leaves.Count != replayed.Leaves.Count) return $"{replayed.Leaves.Count} leaves instead of {recorded.Leaves.Count}";
        for (var i = 0; i < recorded.Leaves.Count; i++)
        {
            var (then, now) = (recorded.Leaves[i], replayed.Leaves[i]);
            if (then.Samples != now.Samples) return $"leaf {i} has {now.Samples} samples instead of {then.Samples}";
            if (then.Digest != now.Digest) return $"leaf {i} has other samples (digest {now.Digest:x16} instead of {then.Digest:x16})";
        }
        return Differs("loss", recorded.Loss, replayed.Loss) ?? Differs("accuracy", recorded.Accuracy, replayed.Accuracy)
            ?? Differs("gradient norm", recorded.GradNorm, replayed.GradNorm) ?? Differs("scale", recorded.Scale, replayed.Scale)
            ?? TensorsDiffer(recorded.TensorScales ?? [], replayed.TensorScales ?? []);
    }

    private static string? TensorsDiffer(IReadOnlyList<double> then, IReadOnlyList<double> now) =>
        then.Count != now.Count ? $"scales of {now.Count} tensors instead of {then.Count}"
        : Enumerable.Range(0, then.Count).Select(i => Differs($"scale of parameter {i}", then[i], now[i])).FirstOrDefault(static d => d is not null);

    private static string? Differs(string what, double then, double now) =>
        BitConverter.DoubleToInt64Bits(then) == BitConverter.DoubleToInt64Bits(now) ? null : $"{what} {now:R} instead of {then:R}";

    /// <summary>In chunk order over all shards, so that the sum does not depend on how chunks were dealt.</summary>
    private static double[] SquaredNorms(StepState state)
    {
        var chunks = new double[state.Rules.ParameterChunks];
        foreach (var shard in state.Reduced)
            for (var i = 0; i < shard!.SquaredNorms.Count; i++) chunks[shard.FirstChunk + i] = shard.SquaredNorms[i];
        return chunks;
    }

    private static (StepState, ImmutableArray<StepEffect>) Written(StepState state)
    {
        var next = state with { Phase = StepPhase.Applying, Committed = state.Step, Unlogged = [] };
        return Then(next, Apply(next));
    }

    private static (StepState, ImmutableArray<StepEffect>) ApplyDone(StepState state, ShardApplied applied)
    {
        if (applied.Shard.Index < 0 || applied.Shard.Index >= state.Applied.Length) return Drop(state, "shard that does not exist");
        if (state.Applied[applied.Shard.Index]) return Drop(state, "second report of a shard");
        var next = state with { Applied = state.Applied.SetItem(applied.Shard.Index, true) };
        return next.AllApplied ? Then(next with { Phase = StepPhase.Idle }, new StepEffect.Finished(state.Record!, state.Recorded is not null)) : Then(next);
    }

    private static (StepState, ImmutableArray<StepEffect>) Halt(StepState state, string reason) =>
        Then(state with { Phase = StepPhase.Halted }, new StepEffect.Halt(reason));
}
