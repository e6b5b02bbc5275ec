using System.Collections.Immutable;
using Cluster.Contracts;

namespace Cluster.Coordinator.Core;

/// <summary>
/// Decides what one message means for a copy of a shard. Pure: tensors and arithmetic are its actor's.
/// Nothing of another term than the promised one has an effect.
/// </summary>
public static partial class ReplicaProtocol
{
    public static (ReplicaState Next, ImmutableArray<ReplicaEffect> Effects) Advance(ReplicaState state, IReplicaInput input)
    {
        ArgumentNullException.ThrowIfNull(state);
        ArgumentNullException.ThrowIfNull(input);
        if (input is ClaimTerm claim) return Claimed(state, claim);
        var term = input.Term;
        if (term != state.Promised || state.Claimant == 0)
        {
            // Whoever orders is told; a coordinator that lives on after another has come learns of it here.
            return input is HoldPlace or LoadShard or ApplyStep or SnapshotShard or ReportAgain && term <= state.Promised
                ? Then(state, new ReplicaEffect.Refuse("stale term"), new ReplicaEffect.Answer(new TermRefused(term, state.Promised, state.Id)))
                : Refuse(state, term < state.Promised ? "stale term" : "term that was not promised");
        }
        return (state.Role, input) switch
        {
            (_, HoldPlace hold) => Hold(state, hold),
            (ReplicaRole.None, _) => Refuse(state, "no place in this term"),
            (_, LoadShard load) => Load(state, load),
            (_, SnapshotShard request) => request.Version == state.Version ? Then(state, new ReplicaEffect.Snapshot(request)) : Refuse(state, "snapshot of another version"),
            (_, ForgetRecords forget) => Then(state with { Records = state.Records.RemoveAll(r => r.Step.Produces <= forget.Version) }),
            (_, StepAbandoned abandoned) => Abandon(state, abandoned),

            (ReplicaRole.Primary, GradientNode node) => Gather(state, node),
            (ReplicaRole.Primary, ReportAgain report) => report.Sum == state.Sum ? Then(state, new ReplicaEffect.ReportSum(report.Sum)) : Then(state),
            (ReplicaRole.Primary, ApplyStep apply) => Apply(state, apply),
            (ReplicaRole.Primary, StandbyApplied applied) => Confirm(state, applied),
            (ReplicaRole.Primary, StandbyLacksSum lacks) => SendAgain(state, lacks),
            (ReplicaRole.Primary, RequestWeights request) => Show(state, request),

            (ReplicaRole.Standby, SeedStandby seed) => Seed(state, seed),
            (ReplicaRole.Standby, StandbySum sum) => TakeSum(state, sum),
            (ReplicaRole.Standby, StandbyApply apply) => Follow(state, apply),
            _ => Refuse(state, $"not for a {(state.Role == ReplicaRole.Primary ? "primary" : "standby")}"),
        };
    }

    private static (ReplicaState, ImmutableArray<ReplicaEffect>) Then(ReplicaState next, params ReadOnlySpan<ReplicaEffect> effects) => (next, [.. effects]);

    private static (ReplicaState, ImmutableArray<ReplicaEffect>) Refuse(ReplicaState state, string reason) => Then(state, new ReplicaEffect.Refuse(reason));

    /// <summary>A term is promised once, to one claimant; whatever was being gathered for an older one is void.</summary>
    private static (ReplicaState, ImmutableArray<ReplicaEffect>) Claimed(ReplicaState state, ClaimTerm claim)
    {
        if (claim.Term < state.Promised || claim.Term == state.Promised && claim.Claimant != state.Claimant)
            return Then(state, new ReplicaEffect.Refuse("stale term"), new ReplicaEffect.Answer(new TermRefused(claim.Term, state.Promised, state.Id)));
        var isNew = claim.Term > state.Promised;
        var next = !isNew ? state : Forget(state) with
        {
            Promised = claim.Term,
            Claimant = claim.Claimant,
            Place = null,
            WasPrimary = state.Place is null ? state.WasPrimary : state.Role == ReplicaRole.Primary,
        };
        var report = new ReplicaReport(next.Version, next.HasPrevious, next.Sum, next.WasPrimary, next.Records);
        var promised = new ReplicaEffect.Answer(new TermPromised(claim.Term, claim.Claimant, state.Id, report));
        // A claim that comes twice may come when the term's steps are under way: their nodes stay.
        return isNew ? Then(next, new ReplicaEffect.ReleaseNodes(), promised) : Then(next, promised);
    }

    private static (ReplicaState, ImmutableArray<ReplicaEffect>) Hold(ReplicaState state, HoldPlace hold)
    {
        // Repeated when an answer was lost: the place itself never changes within a term.
        var isNew = state.Place is null;
        var next = isNew ? state with { Place = hold.Place, Confirmed = state.Version } : state;
        var held = new ReplicaEffect.Answer(new PlaceHeld(hold.Term, state.Id));
        return next.Role switch
        {
            ReplicaRole.Primary when hold.Seed => Then(next, new ReplicaEffect.SendState(), held),
            ReplicaRole.Primary => Then(next, held),
            // The state follows on another connection; without it there is nothing to say yet.
            ReplicaRole.Standby when hold.Seed => next.Confirmed is not null && !isNew ? Then(next, held) : Then(next with { Confirmed = null }),
            ReplicaRole.Standby => Then(next, held),
            _ => Refuse(state, "place of somebody else"),
        };
    }

    private static (ReplicaState, ImmutableArray<ReplicaEffect>) Load(ReplicaState state, LoadShard load)
    {
        var done = new ReplicaEffect.Answer(new ShardLoaded(load.Term, load.Version, state.Id));
        // Once per term: a repetition may come when nodes of the first step are kept, or reduced already.
        if (state.LoadedIn == load.Term) return Then(state, new ReplicaEffect.Refuse("version that is loaded"), done);
        var next = Forget(state) with
        {
            LoadedIn = load.Term,
            Version = load.Version,
            Confirmed = load.Version,
            HasPrevious = false,
            AppliedSteps = load.AppliedSteps,
            Sum = null,
            LastApplied = null,
            // What lies beyond the loaded version is in the log and comes again as it is replayed.
            Records = state.Records.RemoveAll(r => r.Step.Produces > load.Version),
        };
        return Then(next, new ReplicaEffect.ReleaseNodes(), new ReplicaEffect.TakeState(load), done);
    }

    private static (ReplicaState, ImmutableArray<ReplicaEffect>) Seed(ReplicaState state, SeedStandby seed)
    {
        if (state.Confirmed is not null) return Refuse(state, "state of a standby that has one");
        var next = Forget(state) with
        {
            Version = seed.Version,
            Confirmed = seed.Version,
            HasPrevious = seed.Previous is not null,
            AppliedSteps = seed.AppliedSteps,
            Sum = null,
            LastApplied = null,
            Records = [.. seed.Records],
        };
        return Then(next, new ReplicaEffect.TakeState(seed), new ReplicaEffect.Answer(new PlaceHeld(seed.Term, state.Id)));
    }

    private static ReplicaState Forget(ReplicaState state) => state with { Gathering = null, Tree = null, Owners = ImmutableSortedDictionary<TreeNode, WorkerId>.Empty };
}
