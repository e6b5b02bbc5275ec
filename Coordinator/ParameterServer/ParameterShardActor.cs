using System.Collections.Immutable;
using System.Diagnostics;
using Akka.Actor;
using Cluster.Contracts;
using Cluster.Coordinator.Core;

namespace Cluster.Coordinator.ParameterServer;

/// <summary>What of the run's configuration a shard works with.</summary>
public sealed record ShardSettings(ShardId Shard, ParameterLayout Layout, ShardRange Range, OptimizerOptions Optimizer)
{
    /// <summary>Where the memory of weights, sums and optimizer state comes from: they are sent to workers and standbys.</summary>
    public IBufferMemory Memory { get; init; } = PrivateMemory.Instance;

    /// <summary>Samples of the training set: the n of a penalty λ/n. 0 where no penalty needs it.</summary>
    public long TrainingSamples { get; init; }
}

/// <summary>Whom a shard's copy talks to. Called on the actor's thread; the host keeps them up to date.</summary>
/// <param name="Workers">Everybody that weights are sent to.</param>
/// <param name="Worker">One of them; null when it is not connected.</param>
/// <param name="Replica">Another copy; null when its node is not connected.</param>
/// <param name="Broken">The actor has failed and what it held is gone: the host ends the run, or the process.</param>
public sealed record ShardPeers(
    Func<IReadOnlyCollection<IActorRef>> Workers, Func<WorkerId, IActorRef?> Worker, Func<ReplicaId, IActorRef?> Replica, Action<Exception> Broken);

/// <summary>
/// A copy of a shard: the slot of one shard on one node. Mailbox and tensors; <see cref="ReplicaProtocol"/> decides,
/// <see cref="ShardTensors"/> computes.
/// </summary>
public sealed class ParameterShardActor : ReceiveActor
{
    private readonly ShardPeers _peers;
    private readonly ShardTensors _tensors;
    private ReplicaState _state;
    private IActorRef _coordinator = ActorRefs.Nobody;
    private TraceContext _trace;
    private Activity? _replicate;
    private SeedStandby? _early;

    public ParameterShardActor(ReplicaId id, Term floor, ShardSettings settings, ShardPeers peers)
    {
        _peers = peers;
        _state = ReplicaState.Empty(id, floor);
        _tensors = new ShardTensors(settings);
        Receive<IReplicaInput>(Handle);
    }

    /// <param name="floor">Nobody at or below this term is obeyed while the slot is empty.</param>
    public static Props Props(ReplicaId id, Term floor, ShardSettings settings, ShardPeers peers) =>
        Akka.Actor.Props.Create(() => new ParameterShardActor(id, floor, settings, peers));

    private void Handle(IReplicaInput input)
    {
        if (!_tensors.Fits(input))
        {
            ClusterTelemetry.RefusedMessages.Add(1, new KeyValuePair<string, object?>(ClusterTelemetry.Tags.Reason, "tensor of another length"));
            Release(input);
            return;
        }
        if (input is SeedStandby seed && seed.Term == _state.Promised && _state.Place is null)
        {
            // The primary's state came before the coordinator's word that this is the standby: they are on two connections.
            _early?.Release();
            _early = seed;
            return;
        }
        Decide(input);
        if (_early is not { } early || _state.Place is null) return;
        _early = null;
        Decide(early);
    }

    private void Decide(IReplicaInput input)
    {
        var (next, effects) = ReplicaProtocol.Advance(_state, input);
        if (next.Claimant != _state.Claimant || next.Promised != _state.Promised) _coordinator = Sender;
        _state = next;
        _trace = TraceOf(input) ?? _trace;
        var isTaken = false;
        foreach (var effect in effects)
        {
            isTaken |= effect is ReplicaEffect.Keep or ReplicaEffect.TakeSum or ReplicaEffect.TakeState;
            Run(effect);
        }
        if (!isTaken) Release(input);
    }

    private void Run(ReplicaEffect effect)
    {
        switch (effect)
        {
            case ReplicaEffect.Keep keep:
                _tensors.Keep(keep.Node, keep.Superseded);
                break;
            case ReplicaEffect.ReleaseNodes:
                _tensors.ReleaseNodes();
                break;
            case ReplicaEffect.Reduce reduce:
                _coordinator.Tell(_tensors.Reduce(reduce, _trace), Self);
                break;
            case ReplicaEffect.ReportSum report:
                if (_tensors.Report(report.Sum, _trace) is { } reduced) _coordinator.Tell(reduced, Self);
                break;
            case ReplicaEffect.SendSum send:
                Standby()?.Tell(_tensors.ShareSum(send.Sum, _state.Promised), Self);
                break;
            case ReplicaEffect.TakeSum take:
                _tensors.TakeSum(take.Sum);
                break;
            case ReplicaEffect.TakeState take:
                _tensors.Take(take.State);
                break;
            case ReplicaEffect.SendState:
                Standby()?.Tell(_tensors.ShareState(_state), Self);
                break;
            case ReplicaEffect.Apply apply:
                _tensors.Apply(apply, _trace);
                break;
            case ReplicaEffect.Publish publish:
                _replicate?.Dispose();
                _replicate = null;
                Publish(publish.Version);
                break;
            case ReplicaEffect.SendWeights send:
                _peers.Worker(send.Worker)?.Tell(_tensors.ShareWeights(_state.Promised, send.Version, send.IsPrevious, _trace), Self);
                break;
            case ReplicaEffect.SendAverage send:
                if (_peers.Worker(send.Worker) is { } evaluating) evaluating.Tell(_tensors.ShareAverage(_state.Promised, send.Version, _trace), Self);
                break;
            case ReplicaEffect.Snapshot snapshot:
                Sender.Tell(_tensors.Snapshot(snapshot.Request, _state.AppliedSteps), Self);
                break;
            case ReplicaEffect.Answer answer:
                Answer(answer.Message);
                break;
            case ReplicaEffect.ToStandby message:
                if (message.Message is StandbyApply && _replicate is null)
                    _replicate = StepTrace.StartDetached(ClusterTelemetry.Spans.Replicate, _trace)?.SetTag(ClusterTelemetry.Tags.Shard, _state.Id.Shard.ToString());
                Standby()?.Tell(message.Message, Self);
                break;
            case ReplicaEffect.ToPrimary message:
                _peers.Replica(_state.Place!.PrimaryReplica)?.Tell(message.Message, Self);
                break;
            case ReplicaEffect.Refuse refuse:
                ClusterTelemetry.RefusedMessages.Add(1, new KeyValuePair<string, object?>(ClusterTelemetry.Tags.Reason, refuse.Reason));
                break;
            default:
                throw new ClusterException($"no way to carry out {effect}");
        }
    }

    private void Answer(IStepInput message)
    {
        // A refusal goes to whoever gave the order; everything else to whoever has the promise.
        if (message is TermRefused) Sender.Tell(message, Self);
        else _coordinator.Tell(message is ShardApplied applied ? applied with { Trace = _trace } : message, Self);
    }

    private IActorRef? Standby() => _state.Place?.StandbyReplica is { } standby ? _peers.Replica(standby) : null;

    private void Publish(WeightsVersion version)
    {
        using var span = ClusterTelemetry.StartChild(ClusterTelemetry.Spans.Broadcast, _trace);
        span?.SetTag(ClusterTelemetry.Tags.Shard, _state.Id.Shard.ToString()).SetTag(ClusterTelemetry.Tags.Version, version.Value);
        var context = ClusterTelemetry.ContextFor(span, _trace);
        foreach (var worker in _peers.Workers()) worker.Tell(_tensors.ShareWeights(_state.Promised, version, isPrevious: false, context), Self);
    }

    /// <summary>What a shard does lies below the step itself, whoever's message it was: that one may be lost with its process.</summary>
    private static TraceContext? TraceOf(IReplicaInput input) => input switch
    {
        GradientNode m => StepTrace.RootOf(m.Trace),
        ApplyStep m => StepTrace.RootOf(m.Trace),
        LoadShard m => StepTrace.RootOf(m.Trace),
        StandbyApply m => StepTrace.RootOf(m.Trace),
        _ => null,
    };

    private static void Release(IReplicaInput input)
    {
        switch (input)
        {
            case GradientNode node: node.Buffer.Dispose(); break;
            case StandbySum sum: sum.Buffer.Dispose(); break;
            case LoadShard load: load.Release(); break;
            case SeedStandby seed: seed.Release(); break;
        }
    }

    protected override void PreRestart(Exception reason, object message)
    {
        // A restarted actor would be an empty shard under an old promise: nothing goes on with it.
        _peers.Broken(reason);
        base.PreRestart(reason, message);
    }

    protected override void PostStop()
    {
        _early?.Release();
        _tensors.Dispose();
        base.PostStop();
    }
}
