using System.Collections.Immutable;
using Cluster.Contracts;

namespace Cluster.Coordinator.Core;

/// <summary>
/// A coordinator from its first claim to its last step (ops/decisions/0007). Start, resume, takeover, the loss of a
/// shard and a new standby are one path: a new term is written, claimed and promised by every replica; the longest log
/// is adopted; shards take their places, and load a checkpoint only if what they hold does not suffice. Pure;
/// <see cref="StepProtocol"/> has the steps in between.
/// </summary>
public static partial class RunProtocol
{
    /// <param name="now">Milliseconds on a clock that never goes back.</param>
    public static (RunState Next, ImmutableArray<StepEffect> Effects) Advance(RunState state, IStepInput input, double now)
    {
        ArgumentNullException.ThrowIfNull(state);
        ArgumentNullException.ThrowIfNull(input);
        return (state.Phase, input) switch
        {
            (TermPhase.SteppedDown, _) => Drop(state, "another coordinator acts"),
            (_, NodeUp up) => Up(state, up),
            (_, NodeLost lost) => Lost(state, lost),
            (_, GraceSpent) => WithoutTheRest(state),
            (_, WorkerJoined joined) => Joined(state, joined, now),
            (_, WorkerLost or LookForStuck) => OfStep(state, input, now),

            (TermPhase.WritingTerm, TermWritten written) when written.Term == state.Term => Claim(state),
            (_, TermWritten) => Drop(state, "stale term"),
            (_, TermTaken taken) => StepDown(state, taken.Term),
            (_, TermPromised promised) when promised.Term != state.Term || promised.Claimant != state.Claimant => Drop(state, "stale term"),
            (TermPhase.Claiming, TermPromised promised) => Promised(state, promised),
            (_, TermPromised) => Drop(state, "second promise"),
            (_, TermRefused refused) when refused.Asked != state.Term => Drop(state, "stale term"),
            // The disk says whether the refusal means another coordinator; what was claimed is claimed anew above it.
            (_, TermRefused refused) => BeginTerm(state, $"{refused.Replica} has promised term {refused.Promised} to somebody else", refused.Promised),
            (TermPhase.AdoptingLog, LogAdopted adopted) => Adopted(state, adopted),
            (_, LogAdopted) => Drop(state, "log of a term that is over"),
            (_, PlaceHeld held) when held.Term != state.Term => Drop(state, "stale term"),
            (TermPhase.Placing, PlaceHeld held) => Held(state, held, now),
            (_, PlaceHeld) => Drop(state, "place that is held"),
            (_, ShardLoaded loaded) when loaded.Term != state.Term => Drop(state, "stale term"),
            (TermPhase.Loading, ShardLoaded loaded) => Loaded(state, loaded, now),
            (_, ShardLoaded) => Drop(state, "version that is loaded"),

            (TermPhase.Running, GoOn) => Continue(state),
            (TermPhase.Running, AskAgain) => RepeatStep(state, now),
            (TermPhase.Running, _) => OfStep(state, input, now),
            (_, AskAgain) => Repeat(state),
            (_, LeafDone or LeafUnreadable or ShardReduced or ShardApplied or BudgetSpent or GoOn or CommitWritten) => Drop(state, "no step is open in this term"),
            _ => throw new StepProtocolException($"term {state.Term} in phase {state.Phase} has no answer to {input}"),
        };
    }

    private static (RunState, ImmutableArray<StepEffect>) Then(RunState next, params ReadOnlySpan<StepEffect> effects) => (next, [.. effects]);

    private static (RunState, ImmutableArray<StepEffect>) Drop(RunState state, string reason) => Then(state, new StepEffect.Drop(reason));

    private static (RunState, ImmutableArray<StepEffect>) OfStep(RunState state, IStepInput input, double now)
    {
        var (step, effects) = StepProtocol.Advance(state.Step, input, now);
        var next = state with { Step = step };
        // The log has grown by the step that is applied now.
        if (step.Phase == StepPhase.Applying && step.Step > state.Logged) next = next with { Logged = step.Step };
        // Written again after a term has begun over it.
        if (effects.Any(static e => e is StepEffect.Finished)) next = next with { Recorded = next.Recorded.Remove(step.Step) };
        return (next, effects);
    }

    private static (RunState, ImmutableArray<StepEffect>) Joined(RunState state, WorkerJoined joined, double now)
    {
        var (next, effects) = OfStep(state, joined, now);
        if (state.Phase != TermPhase.Running) return (next, effects);
        return (next, effects.Insert(0, new StepEffect.TellRoutes(joined.Worker, new Routes(state.Term, state.Places))));
    }

    /// <summary>Opens the next step, or begins a new term first when the shards are to be housed otherwise.</summary>
    private static (RunState, ImmutableArray<StepEffect>) Continue(RunState state)
    {
        if (state.Step.Phase != StepPhase.Idle) return Drop(state, "the step is open");
        return state.RehouseReason is { } reason ? BeginTerm(state, reason, state.Term) : OpenNext(state);
    }

    private static (RunState, ImmutableArray<StepEffect>) OpenNext(RunState state)
    {
        var step = state.Step.Committed.Next();
        return Then(state, new StepEffect.OpenNext(step, state.Recorded.GetValueOrDefault(step), [], HaveSums: false));
    }

    private static (RunState, ImmutableArray<StepEffect>) StepDown(RunState state, Term other)
    {
        var reason = $"another coordinator has begun term {other}; this one had term {state.Term} and steps down";
        return Then(state with { Phase = TermPhase.SteppedDown }, new StepEffect.Say("stepped-down", "coordinator", char.ToUpperInvariant(reason[0]) + reason[1..] + "."), new StepEffect.StepDown(reason));
    }

    /// <summary>
    /// What the step waits for; before that, what a worker must know to take part, and two questions whose answers tell a
    /// coordinator that another one acts while nobody answers it: to every primary (which may have promised another), and
    /// to the disk (the primaries may all be on its own side of a split, and the workers on the other).
    /// </summary>
    private static (RunState, ImmutableArray<StepEffect>) RepeatStep(RunState state, double now)
    {
        var (next, effects) = OfStep(state, new AskAgain(), now);
        var routes = state.Step.Workers.Keys.Select(w => (StepEffect)new StepEffect.TellRoutes(w, new Routes(state.Term, state.Places)));
        var places = state.Places.Select(p => (StepEffect)new StepEffect.ToReplica(p.PrimaryReplica, new HoldPlace(state.Term, p, Seed: false)));
        return (next, [new StepEffect.WriteTerm(state.Term, state.Term), .. routes, .. places, .. effects]);
    }

    /// <summary>
    /// Sends again what the missing answers wait for, and asks the disk as in <see cref="RepeatStep"/>: all nodes may be with
    /// another coordinator, and nobody but the disk is left to tell this one.
    /// </summary>
    private static (RunState, ImmutableArray<StepEffect>) Repeat(RunState state) => state.Phase switch
    {
        TermPhase.WaitingForNodes => Then(state, new StepEffect.WriteTerm(state.Term, state.Term)),
        TermPhase.Claiming => (state, [new StepEffect.WriteTerm(state.Term, state.Term), .. Claims(state, state.Awaited)]),
        TermPhase.Placing => (state, [new StepEffect.WriteTerm(state.Term, state.Term), .. PlacesFor(state, state.Awaited)]),
        TermPhase.Loading => Then(state, new StepEffect.WriteTerm(state.Term, state.Term), new StepEffect.LoadVersion(state.Loading!.Value, [.. state.Awaited])),
        _ => Then(state),
    };
}
