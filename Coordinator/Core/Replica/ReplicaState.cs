using System.Collections.Immutable;
using Cluster.Contracts;

namespace Cluster.Coordinator.Core;

/// <summary>What a slot of a shard is in the current term.</summary>
public enum ReplicaRole
{
    /// <summary>Nothing: it keeps what it holds, for a later term to ask for.</summary>
    None,
    Primary,
    Standby,
}

/// <summary>The whole state of one copy of a shard, tensors apart: a value. See <see cref="ReplicaProtocol"/>.</summary>
public sealed record ReplicaState
{
    public required ReplicaId Id { get; init; }

    /// <summary>Nobody below is obeyed.</summary>
    public required Term Promised { get; init; }

    /// <summary>Who has the promise; 0 = nobody: a higher term is needed.</summary>
    public long Claimant { get; init; }

    /// <summary>Of the promised term; null until the coordinator has said so.</summary>
    public ShardPlace? Place { get; init; }

    /// <summary>It was the primary in the last term that placed it.</summary>
    public bool WasPrimary { get; init; }

    /// <summary>The last term that had it load a version.</summary>
    public Term? LoadedIn { get; init; }

    /// <summary>Null = empty.</summary>
    public WeightsVersion? Version { get; init; }

    /// <summary>The highest version that may be shown: the standby holds it too.</summary>
    public WeightsVersion? Confirmed { get; init; }

    /// <summary>The version before is still there.</summary>
    public bool HasPrevious { get; init; }

    /// <summary>Steps that were applied, not skipped, up to this version.</summary>
    public long AppliedSteps { get; init; }

    /// <summary>The reduced gradient that is kept.</summary>
    public SumKey? Sum { get; init; }

    /// <summary>The sum that is being gathered, and the nodes that it has.</summary>
    public SumKey? Gathering { get; init; }
    public ReductionTree? Tree { get; init; }

    /// <summary>Whose copies the nodes of <see cref="Tree"/> are.</summary>
    public ImmutableSortedDictionary<TreeNode, WorkerId> Owners { get; init; } = ImmutableSortedDictionary<TreeNode, WorkerId>.Empty;

    /// <summary>The record that made <see cref="Version"/>, and the sum that it was applied to: for a standby that missed it.</summary>
    public StandbyApply? LastApplied { get; init; }

    /// <summary>Since the oldest checkpoint that can be restored, in step order.</summary>
    public ImmutableArray<CommitRecord> Records { get; init; } = [];

    /// <param name="floor">The term file in the run folder, or the peers' highest promise: an empty replica obeys nobody up to it.</param>
    public static ReplicaState Empty(ReplicaId id, Term floor) => new() { Id = id, Promised = floor };

    public ReplicaRole Role => Place is null ? ReplicaRole.None
        : Place.Primary == Id.Node ? ReplicaRole.Primary
        : Place.Standby == Id.Node ? ReplicaRole.Standby
        : ReplicaRole.None;
}

/// <summary>What the shard's actor is to do, in order.</summary>
public abstract record ReplicaEffect
{
    private ReplicaEffect() { }

    /// <summary>Send this to the coordinator whose message is answered.</summary>
    public sealed record Answer(IStepInput Message) : ReplicaEffect;

    /// <summary>Send this to the primary, from its standby.</summary>
    public sealed record ToPrimary(IReplicaInput Message) : ReplicaEffect;

    /// <summary>Send this to the standby, from its primary.</summary>
    public sealed record ToStandby(IReplicaInput Message) : ReplicaEffect;

    /// <summary>Keep the node's tensor until it is released; let go of those that it supersedes.</summary>
    public sealed record Keep(GradientNode Node, IReadOnlyList<TreeNode> Superseded) : ReplicaEffect;

    /// <summary>Let go of all kept nodes.</summary>
    public sealed record ReleaseNodes : ReplicaEffect;

    /// <summary>Complete the tree, keep the sum, let go of the nodes, and tell the coordinator (<see cref="ShardReduced"/>).</summary>
    public sealed record Reduce(SumKey Sum, ReductionProgram Program, IReadOnlyList<Contribution> Contributors) : ReplicaEffect;

    /// <summary>Tell the coordinator of the kept sum again.</summary>
    public sealed record ReportSum(SumKey Sum) : ReplicaEffect;

    /// <summary>Send the kept sum to the standby.</summary>
    public sealed record SendSum(SumKey Sum) : ReplicaEffect;

    /// <summary>Keep the sum that came from the primary.</summary>
    public sealed record TakeSum(StandbySum Sum) : ReplicaEffect;

    /// <summary>Hold this state instead of whatever was held.</summary>
    public sealed record TakeState(IReplicaInput State) : ReplicaEffect;

    /// <summary>Send everything held to the standby.</summary>
    public sealed record SendState : ReplicaEffect;

    /// <summary>Make the record's version out of the one before; that one stays as the previous.</summary>
    /// <param name="AppliedSteps">Steps that were applied (not skipped) before.</param>
    public sealed record Apply(CommitRecord Record, long AppliedSteps) : ReplicaEffect;

    /// <summary>Send the version to all workers.</summary>
    public sealed record Publish(WeightsVersion Version) : ReplicaEffect;

    /// <summary>Send this version, the current or the previous one, to a worker that lacks it.</summary>
    public sealed record SendWeights(WorkerId Worker, WeightsVersion Version, bool IsPrevious) : ReplicaEffect;

    /// <summary>Send the average of the weights up to this version, the current one, to a worker that evaluates it.</summary>
    public sealed record SendAverage(WorkerId Worker, WeightsVersion Version) : ReplicaEffect;

    /// <summary>Hand the version to whoever asked.</summary>
    public sealed record Snapshot(SnapshotShard Request) : ReplicaEffect;

    /// <summary>The input had no effect; counted by reason. A tensor that came with it is released.</summary>
    public sealed record Refuse(string Reason) : ReplicaEffect;
}
