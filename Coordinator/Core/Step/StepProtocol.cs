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
/// Decides what one input means for the running step. Pure and total: state and input in, next state and
/// effects out; an illegal pair throws, nothing vanishes. One file per phase; Leasing and Stragglers say who computes what.
/// </summary>
public static partial class StepProtocol
{
    /// <param name="now">Milliseconds on a clock that never goes back.</param>
    public static (StepState Next, ImmutableArray<StepEffect> Effects) Advance(StepState state, IStepInput input, double now)
    {
        ArgumentNullException.ThrowIfNull(state);
        ArgumentNullException.ThrowIfNull(input);
        return (state.Phase, input) switch
        {
            (StepPhase.Halted, _) => Drop(state, "the run is halted"),
            (_, WorkerJoined joined) => Joined(state, joined, now),
            (_, WorkerLost lost) => Lost(state, lost, now),
            (_, LookForStuck) => Stuck(state, now),

            (StepPhase.Idle, OpenStep open) => Open(state, open, now),

            (_, LeafDone leaf) when Stale(state, leaf.Term, leaf.Step, leaf.Attempt) is { } reason => Late(state, leaf, reason, now),
            (_, ShardReduced reduced) when Stale(state, reduced.Term, reduced.Step, reduced.Attempt) is { } reason => Drop(state, reason),
            (_, LeafUnreadable leaf) when Stale(state, leaf.Term, leaf.Step, leaf.Attempt) is { } reason => Late(state, leaf, reason, now),
            (StepPhase.Gathering, LeafDone leaf) => Gather(state, leaf, now),
            (StepPhase.Gathering, LeafUnreadable leaf) => LeaveOut(state, leaf, now),
            (StepPhase.Gathering, ShardReduced reduced) => Gather(state, reduced, now),
            (StepPhase.Gathering, BudgetSpent spent) when spent.Step == state.Step && spent.Attempt == state.Attempt => LookForLate(state, now),
            (StepPhase.Gathering, AskAgain) => Repeat(state),
            (_, BudgetSpent) => Drop(state, "budget of an attempt that is over"),
            (_, LeafDone leaf) => Late(state, leaf, "leaf of a step that is decided", now),
            (_, LeafUnreadable leaf) => Late(state, leaf, "leaf of a step that is decided", now),
            (_, ShardReduced) => Drop(state, "reduction of a step that is decided"),

            (StepPhase.Committing, CommitWritten written) when written.Step == state.Step => Written(state),
            (_, ShardApplied applied) when applied.Term != state.Term => Drop(state, "stale term"),
            (StepPhase.Applying, ShardApplied applied) when applied.Version == state.Step.Produces => ApplyDone(state, applied),
            (StepPhase.Applying, AskAgain) => Then(state, Apply(state)),
            (_, ShardApplied applied) when applied.Version.Value <= state.Committed.Value => Drop(state, "version that all shards hold"),
            (_, AskAgain) => Then(state),
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

    private static (StepState, ImmutableArray<StepEffect>) Prepend((StepState State, ImmutableArray<StepEffect> Effects) result, StepEffect first) =>
        (result.State, result.Effects.Insert(0, first));
}
