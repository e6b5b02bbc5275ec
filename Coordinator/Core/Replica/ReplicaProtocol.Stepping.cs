using System.Collections.Immutable;
using Cluster.Contracts;

namespace Cluster.Coordinator.Core;

// Nodes in, sums out; records applied, first here, then on the standby, then shown.
public static partial class ReplicaProtocol
{
    private static (ReplicaState, ImmutableArray<ReplicaEffect>) Gather(ReplicaState state, GradientNode node)
    {
        if (state.Version is not { } version || node.Step.Consumes != version) return Refuse(state, "stale step");
        if (state.Sum is { } sum && sum.Term == node.Term && sum.Step == node.Step && node.Attempt <= sum.Attempt) return Refuse(state, "node of a reduced attempt");
        if (state.Gathering is { } open && open.Step == node.Step && node.Attempt < open.Attempt) return Refuse(state, "stale attempt");
        var isNext = state.Gathering != node.Sum;
        if (node.LeafCount < 1 || node.LeafCount > Limits.MaxMicrobatches || !TreeShape.IsPossible(node.LeafCount, node.EmptyLeaves) || !isNext && !state.Tree!.Shape.IsSame(node.LeafCount, node.EmptyLeaves))
            return Refuse(state, "another number of leaves");
        var tree = isNext ? new ReductionTree(node.LeafCount, node.EmptyLeaves) : state.Tree!.Copy();
        var offer = tree.Offer(node.Node);
        if (!offer.IsAccepted) return Refuse(state, RefusalOf(offer.Verdict));
        var effects = ImmutableArray.CreateBuilder<ReplicaEffect>();
        if (isNext && state.Gathering is not null) effects.Add(new ReplicaEffect.ReleaseNodes());
        effects.Add(new ReplicaEffect.Keep(node, offer.Superseded));
        var owners = (isNext ? ImmutableSortedDictionary<TreeNode, WorkerId>.Empty : state.Owners.RemoveRange(offer.Superseded)).Add(node.Node, node.Worker);
        if (!tree.IsComplete) return (state with { Gathering = node.Sum, Tree = tree, Owners = owners }, effects.ToImmutable());
        effects.Add(new ReplicaEffect.Reduce(node.Sum, tree.Program(), [.. owners.Select(static o => new Contribution(o.Key, o.Value))]));
        // On its way to the standby while the coordinator decides.
        if (state.Place!.Standby is not null) effects.Add(new ReplicaEffect.SendSum(node.Sum));
        return (Forget(state) with { Sum = node.Sum }, effects.ToImmutable());
    }

    private static string RefusalOf(NodeVerdict verdict) => verdict switch
    {
        NodeVerdict.Duplicate => "node duplicate",
        NodeVerdict.Covered => "node covered",
        NodeVerdict.Late => "node late",
        _ => "node that is not in the tree",
    };

    private static (ReplicaState, ImmutableArray<ReplicaEffect>) Abandon(ReplicaState state, StepAbandoned abandoned) =>
        state.Gathering is { } open && open.Step == abandoned.Step && open.Attempt <= abandoned.Attempt
            ? Then(Forget(state), new ReplicaEffect.ReleaseNodes())
            : Then(state);

    private static (ReplicaState, ImmutableArray<ReplicaEffect>) Apply(ReplicaState state, ApplyStep apply)
    {
        var record = apply.Record;
        if (state.Version is not { } version) return Refuse(state, "record for an empty shard");
        if (record.Step.Produces <= version)
        {
            // Redo of what is done: say so again, or ask the standby again.
            if (state.Confirmed >= record.Step.Produces) return Then(state, Applied(state, record.Step.Produces));
            return Then(state, new ReplicaEffect.ToStandby(state.LastApplied!));
        }
        if (record.Step.Consumes != version) throw new StepProtocolException($"{state.Id} holds version {version} and was told to apply step {record.Step}");
        if (record.Applied && state.Sum != apply.Sum) throw new StepProtocolException($"{state.Id} keeps the sum of {state.Sum?.ToString() ?? "nothing"} and was told to apply that of {apply.Sum}");
        var (next, effects) = Step(state, record, new StandbyApply(state.Promised, state.Id.Shard, record, apply.Sum, apply.Trace));
        if (state.Place!.Standby is not null) return (next, [.. effects, new ReplicaEffect.ToStandby(next.LastApplied!)]);
        next = next with { Confirmed = next.Version };
        return (next, [.. effects, new ReplicaEffect.Publish(record.Step.Produces), Applied(next, record.Step.Produces)]);
    }

    private static (ReplicaState, ImmutableArray<ReplicaEffect>) Step(ReplicaState state, CommitRecord record, StandbyApply applied)
    {
        var next = Forget(state) with
        {
            Version = record.Step.Produces,
            HasPrevious = true,
            AppliedSteps = state.AppliedSteps + (record.Applied ? 1 : 0),
            Records = state.Records.RemoveAll(r => r.Step >= record.Step).Add(record),
            LastApplied = applied,
        };
        return Then(next, new ReplicaEffect.ReleaseNodes(), new ReplicaEffect.Apply(record, state.AppliedSteps));
    }

    private static ReplicaEffect.Answer Applied(ReplicaState state, WeightsVersion version) =>
        new(new ShardApplied(state.Promised, version, state.Id.Shard, default));

    private static (ReplicaState, ImmutableArray<ReplicaEffect>) Confirm(ReplicaState state, StandbyApplied applied)
    {
        if (applied.Version != state.Version || state.Confirmed >= applied.Version) return Refuse(state, "version that is confirmed");
        var next = state with { Confirmed = applied.Version };
        return Then(next, new ReplicaEffect.Publish(applied.Version), Applied(next, applied.Version));
    }

    private static (ReplicaState, ImmutableArray<ReplicaEffect>) SendAgain(ReplicaState state, StandbyLacksSum lacks) =>
        lacks.Sum == state.Sum && state.LastApplied?.Sum == lacks.Sum
            ? Then(state, new ReplicaEffect.SendSum(lacks.Sum), new ReplicaEffect.ToStandby(state.LastApplied))
            : Refuse(state, "sum that is gone");

    private static (ReplicaState, ImmutableArray<ReplicaEffect>) TakeSum(ReplicaState state, StandbySum sum) =>
        state.Confirmed is null || state.Version is not { } version || sum.Sum.Step.Consumes != version ? Refuse(state, "stale step")
        : state.Sum == sum.Sum ? Refuse(state, "sum that is kept")
        : Then(state with { Sum = sum.Sum }, new ReplicaEffect.TakeSum(sum));

    private static (ReplicaState, ImmutableArray<ReplicaEffect>) Follow(ReplicaState state, StandbyApply apply)
    {
        var record = apply.Record;
        if (state.Confirmed is null || state.Version is not { } version) return Refuse(state, "record for an empty shard");
        if (record.Step.Produces <= version) return Then(state, new ReplicaEffect.ToPrimary(new StandbyApplied(apply.Term, apply.Shard, record.Step.Produces)));
        if (record.Step.Consumes != version) return Refuse(state, "record beyond the next");
        if (record.Applied && state.Sum != apply.Sum) return Then(state, new ReplicaEffect.ToPrimary(new StandbyLacksSum(apply.Term, apply.Shard, apply.Sum)));
        var (next, effects) = Step(state, record, apply);
        next = next with { Confirmed = next.Version };
        return (next, [.. effects, new ReplicaEffect.ToPrimary(new StandbyApplied(apply.Term, apply.Shard, record.Step.Produces))]);
    }

    /// <summary>Never shows a version that the standby lacks.</summary>
    private static (ReplicaState, ImmutableArray<ReplicaEffect>) Show(ReplicaState state, RequestWeights request)
    {
        if (state.Version is not { } version) return Refuse(state, "weights of an empty shard");
        // It moves on with every step: of an older version there is none any more.
        if (request.IsAverage)
            return request.Version == version && state.Confirmed >= version
                ? Then(state, new ReplicaEffect.SendAverage(request.Worker, version))
                : Refuse(state, "average that is not held");
        if (request.Version == version && state.Confirmed >= version) return Then(state, new ReplicaEffect.SendWeights(request.Worker, version, IsPrevious: false));
        if (request.Version.Value == version.Value - 1 && state.HasPrevious) return Then(state, new ReplicaEffect.SendWeights(request.Worker, request.Version, IsPrevious: true));
        return Refuse(state, "weights that are not held");
    }
}
