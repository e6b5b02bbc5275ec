using System.Collections.Immutable;
using Cluster.Contracts;

namespace Cluster.Coordinator.Core;

/// <summary>An input that the phase has no answer to: a bug, never an expected outcome.</summary>
public sealed class StepProtocolException : ClusterException
{
    public StepProtocolException(StepState state, IStepInput input)
        : base($"step {state?.Step} attempt {state?.Attempt} in phase {state?.Phase} has no answer to {input}") { }
    public StepProtocolException(string message) : base(message) { }
    public StepProtocolException(string message, Exception inner) : base(message, inner) { }
    public StepProtocolException() { }
}

/// <summary>
/// Decides what one input means for the running step (DESIGN 6). Pure and total: state and input in, next state and
/// effects out; an illegal pair throws, nothing vanishes. One file per phase.
/// </summary>
public static partial class StepProtocol
{
    public static (StepState Next, ImmutableArray<StepEffect> Effects) Advance(StepState state, IStepInput input)
    {
        ArgumentNullException.ThrowIfNull(state);
        ArgumentNullException.ThrowIfNull(input);
        return (state.Phase, input) switch
        {
            (StepPhase.Halted, _) => Drop(state, "the run is halted"),
            (_, WorkerJoined joined) => Joined(state, joined.Worker),
            (_, WorkerLost lost) => Lost(state, lost),
            (_, SpeedMeasured measured) => Measured(state, measured),

            (StepPhase.Idle, OpenStep open) => Open(state, open),

            (_, LeafDone leaf) when Stale(state, leaf.Term, leaf.Step, leaf.Attempt) is { } reason => Drop(state, reason),
            (_, ShardReduced reduced) when Stale(state, reduced.Term, reduced.Step, reduced.Attempt) is { } reason => Drop(state, reason),
            (StepPhase.Gathering, LeafDone leaf) => Gather(state, leaf),
            (StepPhase.Gathering, ShardReduced reduced) => Gather(state, reduced),
            (StepPhase.Gathering, BudgetSpent spent) when spent.Step == state.Step && spent.Attempt == state.Attempt => LeaseAgain(state),
            (_, BudgetSpent) => Drop(state, "budget of an attempt that is over"),
            (_, LeafDone) => Drop(state, "leaf of a step that is decided"),
            (_, ShardReduced) => Drop(state, "reduction of a step that is decided"),

            (StepPhase.Committing, CommitWritten written) when written.Step == state.Step => Written(state),
            (_, ShardApplied applied) when applied.Term != state.Term => Drop(state, "stale term"),
            (StepPhase.Applying, ShardApplied applied) when applied.Version == state.Step.Produces => ApplyDone(state, applied),
            (_, ShardApplied applied) when applied.Version.Value <= state.Committed.Value => Drop(state, "version that all shards hold"),
            _ => throw new StepProtocolException(state, input),
        };
    }

    private static (StepState, ImmutableArray<StepEffect>) Then(StepState next, params ReadOnlySpan<StepEffect> effects) => (next, [.. effects]);

    private static (StepState, ImmutableArray<StepEffect>) Drop(StepState state, string reason) => Then(state, new StepEffect.Drop(reason));

    private static string? Stale(StepState state, Term term, StepId step, int attempt) =>
        term != state.Term ? "stale term"
        : state.Phase == StepPhase.Idle || step != state.Step ? "stale step"
        : attempt != state.Attempt ? "stale attempt"
        : null;

    private static (StepState, ImmutableArray<StepEffect>) Joined(StepState state, WorkerId worker)
    {
        if (state.Workers.ContainsKey(worker)) return Drop(state, "worker that is already here");
        var next = state with { Workers = state.Workers.Add(worker, new WorkerStanding(worker, AverageSpeed(state))) };
        var say = new StepEffect.Say("worker-joined", worker.ToString(), $"{worker} joined; {next.Workers.Count} workers now share the leaves.");
        // Leaves that nobody could take wait for the first who can.
        return state.Phase == StepPhase.Gathering && state.Workers.IsEmpty ? Prepend(LeaseAgain(next), say) : Then(next, say);
    }

    private static (StepState, ImmutableArray<StepEffect>) Measured(StepState state, SpeedMeasured measured)
    {
        if (!state.Workers.TryGetValue(measured.Worker, out var standing)) return Drop(state, "speed of a worker that is gone");
        if (!double.IsFinite(measured.LeavesPerSecond) || measured.LeavesPerSecond <= 0) return Drop(state, "speed that is no number");
        return Then(state with { Workers = state.Workers.SetItem(measured.Worker, standing with { Speed = measured.LeavesPerSecond }) });
    }

    private static double AverageSpeed(StepState state) => state.Workers.IsEmpty ? 1 : state.Workers.Values.Average(static w => w.Speed);

    private static (StepState, ImmutableArray<StepEffect>) Prepend((StepState State, ImmutableArray<StepEffect> Effects) result, StepEffect first) =>
        (result.State, result.Effects.Insert(0, first));
}
