using System.Collections.Immutable;
using Cluster.Contracts;
using Cluster.Coordinator.Core;

namespace Cluster.Simulation;

/// <summary>Where a bug can be planted: at the boundary around the unchanged core. This one plants none.</summary>
internal class Plant
{
    public static readonly Plant None = new();

    public virtual string Name => "none";

    /// <summary>The log's name is not looked at after a write.</summary>
    public virtual bool IgnoresMovedLog => false;

    public virtual IReplicaInput ToReplica(ReplicaState state, IReplicaInput message) => message;
    public virtual IStepInput? ToCoordinator(RunState state, IStepInput message) => message;
    public virtual IWorkerInput ToWorker(WorkerState state, IWorkerInput message) => message;

    /// <summary>The loss of a worker, on its way to the coordinator; null = it is not told.</summary>
    public virtual WorkerLost? Lost(WorkerLost lost) => lost;

    /// <summary>What a node with shards says that its machine is.</summary>
    public virtual string HostOf(NodeId node) => Scenario.HostOf(node);

    public virtual IReadOnlyList<StepEffect> Effects(RunState state, ImmutableArray<StepEffect> effects) => effects;

    /// <summary>What else is fed to a coordinator after an input.</summary>
    public virtual IEnumerable<IStepInput> AlsoFeed(RunState state, IStepInput input) => [];

    public virtual float[] Reduce(ShardSlot slot, ReductionProgram program) => Arithmetic.Run(program, node => slot.Nodes[node]);

    /// <summary>What a worker makes of a node whose sibling has no sample.</summary>
    public virtual float[] PassThrough(float[] value) => value;

    /// <summary>A node had no effect on a shard.</summary>
    public virtual void Refused(ShardSlot slot, GradientNode node, string reason, float[] value) { }
}
