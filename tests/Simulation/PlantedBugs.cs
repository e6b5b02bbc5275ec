using System.Collections.Immutable;
using Cluster.Contracts;
using Cluster.Coordinator.Core;

namespace Cluster.Simulation;

/// <summary>Shards and the coordinator take the word of any term: it is rewritten to theirs before they see it.</summary>
internal sealed class SkipTermCheck : Plant
{
    public override string Name => "skip the term check";

    public override IReplicaInput ToReplica(ReplicaState state, IReplicaInput message) => MessageTerms.InTerm(message, state.Promised);

    public override IStepInput ToCoordinator(RunState state, IStepInput message) => message switch
    {
        LeafDone m => m with { Term = state.Term },
        ShardReduced m => m with { Term = state.Term },
        ShardApplied m => m with { Term = state.Term },
        _ => message,
    };
}

/// <summary>Shards and the coordinator take leaves, nodes and sums of any attempt at the step.</summary>
internal sealed class SkipAttemptCheck : Plant
{
    public override string Name => "skip the attempt check";

    public override IReplicaInput ToReplica(ReplicaState state, IReplicaInput message) =>
        message is GradientNode node && state.Gathering is { } open && open.Term == node.Term && open.Step == node.Step ? node with { Attempt = open.Attempt } : message;

    public override IStepInput ToCoordinator(RunState state, IStepInput message) => message switch
    {
        LeafDone m when m.Step == state.Step.Step => m with { Attempt = state.Step.Attempt },
        ShardReduced m when m.Step == state.Step.Step => m with { Attempt = state.Step.Attempt },
        _ => message,
    };
}

/// <summary>Nobody asks on which machine a node is.</summary>
internal sealed class ForgetHosts : Plant
{
    public override string Name => "forget the hosts";

    public override string HostOf(NodeId node) => "";
}

/// <summary>Nodes that an accepted one covers, or that it supersedes, are added as well.</summary>
internal sealed class CountOverlapTwice : Plant
{
    private readonly Dictionary<ReplicaId, (SumKey Sum, List<float[]> Values)> _covered = [];

    public override string Name => "count an overlapped node twice";

    public override void Refused(ShardSlot slot, GradientNode node, string reason, float[] value)
    {
        if (reason != "node covered") return;
        if (!_covered.TryGetValue(slot.State.Id, out var kept) || kept.Sum != node.Sum) _covered[slot.State.Id] = kept = (node.Sum, []);
        kept.Values.Add(value);
    }

    public override float[] Reduce(ShardSlot slot, ReductionProgram program)
    {
        var sum = base.Reduce(slot, program);
        foreach (var (_, value) in slot.Arrived.Where(a => !slot.Nodes.ContainsKey(a.Node))) sum = Arithmetic.Add(sum, value);
        if (_covered.TryGetValue(slot.State.Id, out var kept) && kept.Sum == slot.State.Sum)
            foreach (var value in kept.Values) sum = Arithmetic.Add(sum, value);
        return sum;
    }
}

/// <summary>Nodes are added as they come, not in the order of the tree.</summary>
internal sealed class AddInArrivalOrder : Plant
{
    public override string Name => "add in arrival order";

    public override float[] Reduce(ShardSlot slot, ReductionProgram program) =>
        slot.Arrived.Where(a => slot.Nodes.ContainsKey(a.Node)).Select(static a => a.Value).Aggregate(Arithmetic.Add);
}

/// <summary>Leaves that are leased again are never granted to whom they are leased.</summary>
internal sealed class ForgetLease : Plant
{
    private readonly HashSet<(Term, StepId, int Attempt, WorkerId, LeafRange)> _forgotten = [];

    public override string Name => "forget a lease";

    public override IReadOnlyList<StepEffect> Effects(RunState state, ImmutableArray<StepEffect> effects)
    {
        var kept = new List<StepEffect>();
        for (var i = 0; i < effects.Length; i++)
        {
            if (effects[i] is not StepEffect.Grant grant)
            {
                kept.Add(effects[i]);
                continue;
            }
            if (i > 0 && effects[i - 1] is StepEffect.Say { Kind: "leased-again" })
                foreach (var lease in grant.Leases) _forgotten.Add(Key(grant, lease));
            kept.Add(grant with { Leases = [.. grant.Leases.Where(lease => !_forgotten.Contains(Key(grant, lease)))] });
        }
        return kept;

        (Term, StepId, int, WorkerId, LeafRange) Key(StepEffect.Grant grant, LeafRange lease) => (state.Term, state.Step.Step, state.Step.Attempt, grant.Worker, lease);
    }
}

/// <summary>Shards are told to apply a step before its record is written.</summary>
internal sealed class ApplyBeforeRecord : Plant
{
    public override string Name => "apply before the record";

    public override IReadOnlyList<StepEffect> Effects(RunState state, ImmutableArray<StepEffect> effects) =>
        [.. effects.SelectMany(effect => effect is StepEffect.AppendCommit append
            ? [new StepEffect.SendApply(append.Record, state.Step.Sum, [.. Enumerable.Range(0, state.Shards).Select(static p => new ShardId(p))]), append]
            : new[] { effect })];
}

/// <summary>The first promise of a term counts as everybody's.</summary>
internal sealed class ActBeforeAllPromised : Plant
{
    public override string Name => "act before all shards promised";

    public override IEnumerable<IStepInput> AlsoFeed(RunState state, IStepInput input) =>
        input is not TermPromised || state.Phase != TermPhase.Claiming ? []
        : [.. state.Awaited.Select(replica => new TermPromised(state.Term, state.Claimant, replica, new ReplicaReport(null, false, null, false, [])))];
}

/// <summary>A coordinator does not look whether the log that it wrote to is still the log.</summary>
internal sealed class WriteToMovedLog : Plant
{
    public override string Name => "write to a log that was moved away";
    public override bool IgnoresMovedLog => true;
}

/// <summary>A leaf without samples counts as zeros in the sum.</summary>
internal sealed class AddZerosForEmptyLeaf : Plant
{
    public override string Name => "add zeros for an empty leaf";
    public override float[] PassThrough(float[] value) => Arithmetic.Add(value, new float[value.Length]);
}

/// <summary>The record of a step does not name what was left out of it.</summary>
internal sealed class ForgetLeftOut : Plant
{
    public override string Name => "forget what was left out";

    public override IReadOnlyList<StepEffect> Effects(RunState state, ImmutableArray<StepEffect> effects) =>
        [.. effects.Select(static effect => effect is StepEffect.AppendCommit append ? new StepEffect.AppendCommit(append.Record with { LeftOut = null }) : effect)];
}
