using System.Collections.Immutable;
using Cluster.Contracts;

namespace Cluster.Coordinator.Core;

// Phases Committing and Applying: the record first, then Apply; everything after the record is redo.
public static partial class StepProtocol
{
    private static (StepState, ImmutableArray<StepEffect>) DecideWhenComplete(StepState state)
    {
        if (!state.AllLeavesDone || !state.AllReduced) return Then(state);
        var done = state.Leaves.Select(static l => l.Done!).ToArray();
        var samples = done.Sum(static l => l.SampleCount);
        if (samples != state.Plan.SampleCount)
            return Halt(state, $"step {state.Step} counted {samples} samples, its plan has {state.Plan.SampleCount}");
        var skipped = done.Any(static l => !l.IsFinite);
        var norm = GlobalNorm.OfMean(SquaredNorms(state), samples);
        if (!skipped && !double.IsFinite(norm))
        {
            var reason = $"The summed gradient of step {state.Step} is not finite although every leaf is: it overflowed in the sum";
            if (state.Rules.NonFinite != NonFinitePolicy.Skip) return Halt(state, reason + ". Lower the learning rate.");
            skipped = true;
        }
        var record = new CommitRecord(
            state.Term, state.Step, state.Attempt, state.Plan.Epoch, samples,
            Loss: TreeSum.Of([.. done.Select(static l => l.LossSum)]) / samples,
            Accuracy: (double)done.Sum(static l => l.CorrectCount) / samples,
            GradNorm: norm,
            Scale: skipped ? 1 : Clipping.Scale(norm, state.Rules.ClipNorm),
            state.LearningRate,
            Applied: !skipped,
            [.. done.Select(static l => new LeafRecord(l.Worker, l.SampleCount, l.SampleDigest))]);
        return Then(state with { Phase = StepPhase.Committing, Record = record }, new StepEffect.AppendCommit(record));
    }

    /// <summary>In chunk order over all shards, so that the sum does not depend on how chunks were dealt.</summary>
    private static double[] SquaredNorms(StepState state)
    {
        var chunks = new double[state.Rules.ParameterChunks];
        foreach (var shard in state.Reduced)
            for (var i = 0; i < shard!.SquaredNorms.Count; i++) chunks[shard.FirstChunk + i] = shard.SquaredNorms[i];
        return chunks;
    }

    private static (StepState, ImmutableArray<StepEffect>) Written(StepState state) =>
        Then(state with { Phase = StepPhase.Applying, Committed = state.Step }, new StepEffect.SendApply(state.Record!));

    private static (StepState, ImmutableArray<StepEffect>) ApplyDone(StepState state, ShardApplied applied)
    {
        if (applied.Shard.Index < 0 || applied.Shard.Index >= state.Applied.Length) return Drop(state, "shard that does not exist");
        if (state.Applied[applied.Shard.Index]) return Drop(state, "second report of a shard");
        var next = state with { Applied = state.Applied.SetItem(applied.Shard.Index, true) };
        return next.AllApplied ? Then(next with { Phase = StepPhase.Idle }, new StepEffect.Finished(state.Record!)) : Then(next);
    }

    private static (StepState, ImmutableArray<StepEffect>) Halt(StepState state, string reason) =>
        Then(state with { Phase = StepPhase.Halted }, new StepEffect.Halt(reason));
}
