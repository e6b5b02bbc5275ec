using Cluster.Contracts;
using Cluster.Coordinator.Core;

namespace Cluster.Simulation;

/// <summary>A process that holds shards: a slot for each, most of them empty. Carries out what <see cref="ReplicaProtocol"/> decides.</summary>
internal sealed class PsNode : Process
{
    private readonly ShardSlot[] _slots;
    private readonly Dictionary<long, Process> _claimants = [];

    public PsNode(World world, int index, long incarnation, Term floor) : base(world, $"ps-{index}.{incarnation}", index, incarnation)
    {
        Id = new NodeId(index, incarnation);
        _slots = [.. Enumerable.Range(0, world.Scenario.Shards).Select(p => new ShardSlot(ReplicaState.Empty(new ReplicaId(new ShardId(p), Id), floor)))];
    }

    public NodeId Id { get; }
    public ShardSlot Slot(ShardId shard) => _slots[shard.Index];

    public override void Receive(Process from, object message, object? tensors)
    {
        var (shard, sent) = (ToSlot)message;
        var slot = _slots[shard.Index];
        if (World.IsTracing) World.Say(this, $"from {from}: {EventText.Of(message)}");
        var input = World.Plant.ToReplica(slot.State, sent);
        if (input is ClaimTerm { } asked) _claimants[asked.Claimant] = from;
        var (next, effects) = ReplicaProtocol.Advance(slot.State, input);
        if (next.Promised != slot.State.Promised && input is ClaimTerm claim)
        {
            World.Invariants.Promised(next.Id, claim);
            World.Faults.Passes(FaultPoint.Promise, this);
            if (!IsAlive) return;
        }
        slot.State = next;
        foreach (var effect in effects)
        {
            if (!IsAlive) return;
            Run(slot, effect, from, sent, tensors);
        }
    }

    private void Run(ShardSlot slot, ReplicaEffect effect, Process from, IReplicaInput sent, object? tensors)
    {
        var shard = slot.State.Id.Shard;
        switch (effect)
        {
            case ReplicaEffect.Answer answer:
                Tell(slot, from, answer.Message);
                break;
            case ReplicaEffect.ToPrimary message:
                ToNode(slot.State.Place!.Primary, shard, message.Message);
                break;
            case ReplicaEffect.ToStandby message:
                ToNode(slot.State.Place!.Standby!.Value, shard, message.Message);
                World.Faults.Passes(FaultPoint.SentToStandby, this);
                break;
            case ReplicaEffect.Keep keep:
                World.Invariants.Obeys(slot.State.Id, sent, "kept a node");
                slot.Nodes[keep.Node.Node] = Arithmetic.Slice((float[])tensors!, shard.Index, World.Scenario.Shards);
                slot.Arrived.Add((keep.Node.Node, slot.Nodes[keep.Node.Node]));
                foreach (var node in keep.Superseded) slot.Nodes.Remove(node);
                World.Faults.Passes(FaultPoint.NodeKept, this);
                break;
            case ReplicaEffect.ReleaseNodes:
                slot.Nodes.Clear();
                slot.Arrived.Clear();
                break;
            case ReplicaEffect.Reduce reduce:
                World.Invariants.Obeys(slot.State.Id, sent, "reduced");
                slot.Sum = World.Plant.Reduce(slot, reduce.Program);
                slot.Contributors = reduce.Contributors;
                slot.PieceSums = Arithmetic.PieceSumsOf(World.Scenario.Rule, FirstFloatOf(shard), slot.Sum, slot.Weights);
                slot.Nodes.Clear();
                slot.Arrived.Clear();
                World.Faults.Passes(FaultPoint.Reduced, this);
                TellSum(slot, from, reduce.Sum);
                break;
            case ReplicaEffect.ReportSum report:
                TellSum(slot, from, report.Sum);
                break;
            case ReplicaEffect.SendSum send:
                ToNode(slot.State.Place!.Standby!.Value, shard, new StandbySum(slot.State.Promised, shard, send.Sum, null!), slot.Sum);
                break;
            case ReplicaEffect.TakeSum:
                World.Invariants.Obeys(slot.State.Id, sent, "took a sum");
                slot.Sum = (float[])tensors!;
                slot.PieceSums = null;
                break;
            case ReplicaEffect.TakeState:
                World.Invariants.Obeys(slot.State.Id, sent, "took a state");
                var taken = (ShardTensors)tensors!;
                (slot.Weights, slot.Previous, slot.Momentum) = (taken.Weights, taken.Previous, taken.Momentum);
                World.Invariants.Holds(slot);
                World.Faults.Passes(FaultPoint.StateTaken, this);
                break;
            case ReplicaEffect.SendState:
                // A snapshot of this moment: arrays are never written again once they are made.
                var state = slot.State;
                if (state.Version is not { } held) throw new InvariantViolation(InvariantNames.NeverStuck, $"{state.Id} is to send its standby a state and has none");
                ToNode(state.Place!.Standby!.Value, shard, new SeedStandby(state.Promised, shard, held, state.AppliedSteps, state.Records, null!, null, NoSlots),
                    new ShardTensors(slot.Weights, slot.Previous, slot.Momentum));
                World.Faults.Passes(FaultPoint.StateSent, this);
                break;
            case ReplicaEffect.Apply apply:
                Apply(slot, apply, sent);
                break;
            case ReplicaEffect.Publish publish:
                World.Invariants.Shows(slot.State, publish.Version);
                foreach (var worker in World.Supervisor.Workers) SendWeights(slot, worker, publish.Version, slot.Weights);
                World.Faults.Passes(FaultPoint.Published, this);
                break;
            case ReplicaEffect.SendWeights send:
                World.Invariants.Shows(slot.State, send.Version);
                if (World.Supervisor.Worker(send.Worker) is { } asker) SendWeights(slot, asker, send.Version, send.IsPrevious ? slot.Previous! : slot.Weights);
                break;
            case ReplicaEffect.Snapshot request:
                World.Network.Send(this, from, new SlotSnapshot(request.Request.Term, request.Request.Version, shard, slot.State.AppliedSteps), new ShardTensors(slot.Weights, null, slot.Momentum));
                World.Faults.Passes(FaultPoint.Snapshot, this);
                break;
            case ReplicaEffect.Refuse refuse:
                World.Count("refused, " + refuse.Reason);
                if (sent is GradientNode refused) World.Plant.Refused(slot, refused, refuse.Reason, Arithmetic.Slice((float[])tensors!, shard.Index, World.Scenario.Shards));
                break;
            default: throw new InvariantViolation(InvariantNames.NeverStuck, $"a shard has no way to {effect}");
        }
    }

    private static readonly Dictionary<string, NativeBuffer> NoSlots = [];

    private void Apply(ShardSlot slot, ReplicaEffect.Apply apply, IReplicaInput sent)
    {
        World.Invariants.Obeys(slot.State.Id, sent, "applied a record");
        World.Invariants.Applies(slot.State.Id, apply.Record);
        slot.Previous = slot.Weights;
        if (apply.Record.Applied) (slot.Weights, slot.Momentum) = Arithmetic.Update(World.Scenario.Rule, FirstFloatOf(slot.State.Id.Shard), slot.Weights, slot.Momentum, slot.Sum, apply.Record, apply.AppliedSteps == 0);
        World.Count("records applied");
        World.Invariants.Holds(slot);
        World.Faults.Passes(slot.State.Role == ReplicaRole.Primary ? FaultPoint.PrimaryApplied : FaultPoint.StandbyApplied, this);
    }

    /// <summary>To whoever is answered, or to the coordinator that has the promise.</summary>
    private void Tell(ShardSlot slot, Process from, object message)
    {
        var to = from is CoordinatorProcess ? from : _claimants.GetValueOrDefault(slot.State.Claimant);
        if (to is not null) World.Network.Send(this, to, message);
    }

    private void TellSum(ShardSlot slot, Process from, SumKey sum) =>
        Tell(slot, from, new ShardReduced(sum.Term, sum.Step, sum.Attempt, slot.State.Id.Shard, Arithmetic.ChunksOf(slot.State.Id.Shard.Index, World.Scenario.Shards).First, Arithmetic.SquaredNorms(slot.Sum), slot.Contributors, default, slot.PieceSums));

    private int FirstFloatOf(ShardId shard) => Arithmetic.ChunksOf(shard.Index, World.Scenario.Shards).First * Arithmetic.ChunkFloats;

    private void SendWeights(ShardSlot slot, Process worker, WeightsVersion version, float[] weights) =>
        World.Network.Send(this, worker, new WeightsPart(slot.State.Promised, version, slot.State.Id.Shard, 0, null!, default), weights);

    private void ToNode(NodeId node, ShardId shard, IReplicaInput message, object? tensors = null)
    {
        if (World.Supervisor.Node(node) is { } process) World.Network.Send(this, process, new ToSlot(shard, message), tensors);
    }
}
