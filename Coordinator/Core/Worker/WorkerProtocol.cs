using System.Collections.Immutable;
using Cluster.Contracts;

namespace Cluster.Coordinator.Core;

/// <summary>A shard's node is reachable again: what was asked of it, or was on its way, may be lost.</summary>
public sealed record AskForWeights : IWorkerInput;

/// <summary>The whole state of a worker, tensors apart: a value. See <see cref="WorkerProtocol"/>.</summary>
public sealed record WorkerState
{
    public required WorkerId Worker { get; init; }

    /// <summary>P.</summary>
    public required int Shards { get; init; }

    /// <summary>The highest term heard of.</summary>
    public Term Term { get; init; }

    /// <summary>Of <see cref="Term"/>; null until they are told.</summary>
    public Routes? Routes { get; init; }

    /// <summary>The version that the device holds, null = none.</summary>
    public WeightsVersion? Held { get; init; }

    /// <summary>What the device holds is the average up to that version: to evaluate with, never to compute a step with.</summary>
    public bool HoldsAverage { get; init; }

    /// <summary>Parts of other versions, and of averages, that have come so far.</summary>
    public ImmutableSortedSet<(WeightsVersion Version, bool IsAverage, ShardId Shard)> Parts { get; init; } = [];

    /// <summary>The newest order; its leases are those of the last message.</summary>
    public BeginStep? Begin { get; init; }

    /// <summary>All leaves of this attempt that were ever leased to this worker.</summary>
    public ImmutableSortedSet<int> Assigned { get; init; } = [];

    /// <summary>Leases that wait for weights.</summary>
    public ImmutableArray<LeafRange> Waiting { get; init; } = [];

    /// <summary>Evaluations that wait for weights.</summary>
    public ImmutableArray<EvaluateBatches> Evaluations { get; init; } = [];

    public bool Holds(WeightsVersion version, bool isAverage) => Held == version && HoldsAverage == isAverage;

    public bool IsCurrent(Term term, StepId step, int attempt) => Begin is { } b && b.Term == term && b.Step == step && b.Attempt == attempt;
}

/// <summary>What the worker's actor is to do, in order.</summary>
public abstract record WorkerEffect
{
    private WorkerEffect() { }

    /// <summary>
    /// Compute these leaves on the device; replaces whatever was asked for in another attempt. Report every leaf; push the
    /// nodes of every lease as they are complete, but none with a leaf that is not finite: its report may be lost, and
    /// another worker's copy be counted instead, while the node is in a shard's sum.
    /// </summary>
    public sealed record Compute(BeginStep Begin, IReadOnlyList<LeafRange> Leases) : WorkerEffect;

    /// <summary>Report these leaves again as far as they are done.</summary>
    public sealed record ReportAgain(IReadOnlyList<int> Leaves) : WorkerEffect;

    /// <summary>Push the kept nodes of the current attempt to these shards again.</summary>
    public sealed record Push(IReadOnlyList<ShardId> Shards) : WorkerEffect;

    /// <summary>Keep this part until the version is whole.</summary>
    public sealed record Keep(WeightsPart Part) : WorkerEffect;

    /// <summary>Bring the version (or its average), whose parts are all here, onto the device; let go of the kept parts that are of no use then.</summary>
    public sealed record Load(WeightsVersion Version, bool IsAverage = false) : WorkerEffect
    {
        /// <summary>True for parts up to this version; those of its average may be waited for while the version itself is loaded.</summary>
        public bool EndsUseOf(WeightsVersion version, bool isAverage) => version < Version || version == Version && (IsAverage || !isAverage);
    }

    /// <summary>Ask the shard's primary for its part.</summary>
    public sealed record Ask(ShardPlace Place, RequestWeights Message) : WorkerEffect;

    public sealed record Evaluate(EvaluateBatches Request) : WorkerEffect;

    /// <summary>The input had no effect; counted by reason. A tensor that came with it is released.</summary>
    public sealed record Refuse(string Reason) : WorkerEffect;
}

/// <summary>
/// Decides what one message means for a worker: computes the newest order once the weights for it
/// are whole, refuses what is older, repeats what it is asked for again. Pure.
/// </summary>
public static class WorkerProtocol
{
    public static (WorkerState Next, ImmutableArray<WorkerEffect> Effects) Advance(WorkerState state, IWorkerInput input)
    {
        ArgumentNullException.ThrowIfNull(state);
        return input switch
        {
            Routes routes => Take(state, routes),
            BeginStep begin => Take(state, begin),
            StepAbandoned abandoned => Abandon(state, abandoned),
            WeightsPart part => Take(state, part),
            PushAgain push => state.IsCurrent(push.Term, push.Step, push.Attempt) ? Then(state, new WorkerEffect.Push(push.Shards)) : Refuse(state, "stale attempt"),
            EvaluateBatches request => Take(state, request),
            AskForWeights => Wanted(state) is { } wanted && !state.Holds(wanted.Version, wanted.IsAverage) ? Go(state, mayAsk: true) : Then(state),
            _ => throw new StepProtocolException($"a worker has no answer to {input}"),
        };
    }

    private static (WorkerState, ImmutableArray<WorkerEffect>) Then(WorkerState next, params ReadOnlySpan<WorkerEffect> effects) => (next, [.. effects]);

    private static (WorkerState, ImmutableArray<WorkerEffect>) Refuse(WorkerState state, string reason) => Then(state, new WorkerEffect.Refuse(reason));

    private static WorkerState InTerm(WorkerState state, Term term) => term <= state.Term
        ? state
        : state with { Term = term, Routes = null, Begin = null, Assigned = [], Waiting = [], Evaluations = [] };

    private static (WorkerState, ImmutableArray<WorkerEffect>) Take(WorkerState state, Routes routes)
    {
        if (routes.Term < state.Term) return Refuse(state, "stale term");
        var next = InTerm(state, routes.Term) with { Routes = routes };
        // The order may have come first.
        return next.Waiting.IsEmpty && next.Evaluations.IsEmpty ? Then(next) : Go(next, mayAsk: true);
    }

    private static (WorkerState, ImmutableArray<WorkerEffect>) Take(WorkerState state, BeginStep begin)
    {
        if (begin.Term < state.Term) return Refuse(state, "stale term");
        var next = InTerm(state, begin.Term);
        if (next.Begin is { } current && (begin.Step < current.Step || begin.Step == current.Step && begin.Attempt < current.Attempt)) return Refuse(next, "stale attempt");
        var isRepeated = next.IsCurrent(begin.Term, begin.Step, begin.Attempt);
        if (!isRepeated) next = next with { Assigned = [], Waiting = [] };
        // The step would not be open if the evaluation of its weights were not over, and the average is gone with it.
        next = next with { Evaluations = next.Evaluations.RemoveAll(e => e.OfAverage && e.Version <= begin.Step.Consumes) };
        var asked = begin.Leases.SelectMany(static r => Enumerable.Range(r.First, r.Count)).ToArray();
        var again = asked.Where(next.Assigned.Contains).ToArray();
        // Lease by lease: neighbours that were leased apart are not merged, since the coordinator counts on their nodes.
        var fresh = begin.Leases.SelectMany(r => Leases.Runs(Enumerable.Range(r.First, r.Count).Where(leaf => !next.Assigned.Contains(leaf))));
        // In the usual course the weights are on their way: every shard sends them before the coordinator can open the
        // step. They are asked for when that cannot be: with the first order of a term (a shard that was ahead sent them in
        // an earlier one), and when the order comes a second time.
        var isFirst = next.Begin is null;
        next = next with { Begin = begin, Assigned = next.Assigned.Union(asked), Waiting = next.Waiting.AddRange(fresh) };
        var isUsual = !isFirst && next.Held is { } held && held.Value == begin.Step.Consumes.Value - 1;
        var (went, effects) = Go(next, mayAsk: isRepeated || !isUsual);
        return again.Length == 0 ? (went, effects) : (went, effects.Insert(0, new WorkerEffect.ReportAgain(again)));
    }

    private static (WorkerState, ImmutableArray<WorkerEffect>) Take(WorkerState state, EvaluateBatches request)
    {
        if (request.Term < state.Term) return Refuse(state, "stale term");
        var next = InTerm(state, request.Term);
        // An average never comes by itself.
        var isUsual = !request.OfAverage && next.Begin is not null && next.Held is { } held && held.Value == request.Version.Value - 1;
        return Go(next with { Evaluations = next.Evaluations.Add(request) }, mayAsk: !isUsual);
    }

    private static (WorkerState, ImmutableArray<WorkerEffect>) Abandon(WorkerState state, StepAbandoned abandoned) =>
        state.Begin is { } begin && begin.Term == abandoned.Term && begin.Step == abandoned.Step && begin.Attempt <= abandoned.Attempt
            ? Then(state with { Begin = null, Assigned = [], Waiting = [] })
            : Refuse(state, "stale attempt");

    private static (WorkerState, ImmutableArray<WorkerEffect>) Take(WorkerState state, WeightsPart part)
    {
        if (part.Term < state.Term) return Refuse(state, "stale term");
        var next = InTerm(state, part.Term);
        var isWanted = Wanted(next) == (part.Version, part.IsAverage);
        // A mix of versions is refused: parts of an older one can only be leftovers, unless it is asked for (a replay).
        if (!isWanted && (part.IsAverage || next.Held is { } held && part.Version <= held) || next.Holds(part.Version, part.IsAverage)) return Refuse(next, "old weights");
        if (next.Parts.Contains((part.Version, part.IsAverage, part.Shard))) return Refuse(next, "second copy of weights");
        next = next with { Parts = next.Parts.Add((part.Version, part.IsAverage, part.Shard)) };
        var keep = new WorkerEffect.Keep(part);
        if (next.Parts.Count(p => p.Version == part.Version && p.IsAverage == part.IsAverage) < state.Shards) return Then(next, keep);
        var load = new WorkerEffect.Load(part.Version, part.IsAverage);
        next = next with { Held = part.Version, HoldsAverage = part.IsAverage, Parts = [.. next.Parts.Where(p => !load.EndsUseOf(p.Version, p.IsAverage))] };
        var (went, effects) = Go(next, mayAsk: false);
        return (went, [keep, load, .. effects]);
    }

    private static (WeightsVersion Version, bool IsAverage)? Wanted(WorkerState state) =>
        !state.Evaluations.IsEmpty ? (state.Evaluations[0].Version, state.Evaluations[0].OfAverage)
        : state.Begin is { } begin ? (begin.Step.Consumes, false)
        : null;

    /// <summary>Does what waits if the weights for it are here; else asks for them where that makes sense.</summary>
    private static (WorkerState, ImmutableArray<WorkerEffect>) Go(WorkerState state, bool mayAsk)
    {
        if (state.Routes is not { } routes || Wanted(state) is not { } wanted) return Then(state);
        var (version, isAverage) = wanted;
        if (!state.Holds(version, isAverage))
        {
            if (!mayAsk) return Then(state);
            return (state,
            [
                .. routes.Places.Where(p => !state.Parts.Contains((version, isAverage, p.Shard)))
                    .Select(p => new WorkerEffect.Ask(p, new RequestWeights(state.Term, version, p.Shard, state.Worker, isAverage))),
            ]);
        }
        var effects = ImmutableArray.CreateBuilder<WorkerEffect>();
        var next = state;
        foreach (var request in state.Evaluations.Where(e => e.Version == version && e.OfAverage == isAverage)) effects.Add(new WorkerEffect.Evaluate(request));
        next = next with { Evaluations = next.Evaluations.RemoveAll(e => e.Version <= version) };
        if (!isAverage && !next.Waiting.IsEmpty && next.Begin!.Step.Consumes == version)
        {
            effects.Add(new WorkerEffect.Compute(next.Begin, next.Waiting));
            next = next with { Waiting = [] };
        }
        return (next, effects.ToImmutable());
    }
}
