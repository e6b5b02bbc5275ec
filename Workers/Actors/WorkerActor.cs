using System.Collections.Concurrent;
using Akka.Actor;
using Cluster.Contracts;
using Cluster.Coordinator.Core;
using Cluster.Workers.Data;

namespace Cluster.Workers.Actors;

/// <summary>Whom a worker talks to. The host keeps them up to date.</summary>
/// <param name="Coordinator">Whoever is the coordinator now; null while there is none. Any thread.</param>
/// <param name="Replica">A copy of a shard; null when its node is not connected. Returns at once.</param>
/// <param name="Await">The same on the compute thread, which may wait a moment for a node that is just being connected.</param>
public sealed record WorkerPeers(Func<IActorRef?> Coordinator, Func<ReplicaId, IActorRef?> Replica, Func<ReplicaId, IActorRef?> Await);

/// <summary>
/// Mailbox of one worker: <see cref="WorkerProtocol"/> decides when an order and its weights are both here;
/// the computing itself is <see cref="WorkerCompute"/> on a <see cref="ComputeThread"/> of its own.
/// </summary>
public sealed class WorkerActor : ReceiveActor
{
    /// <summary>Host to worker: (another) coordinator is there; tell it that this worker is ready, now or as soon as it is.</summary>
    public sealed record Announce;

    /// <summary>Host to worker: a node that holds shards is (again) connected; what was on its way is asked for and pushed again.</summary>
    public sealed record PeerUp;

    /// <summary>Host to worker: finish what was begun, begin nothing more, then tell the sender (<see cref="Drained"/>).</summary>
    public sealed record Drain;

    /// <summary>Nothing of this worker is on its way any more.</summary>
    public sealed record Drained;

    private sealed record EngineBuilt;

    private sealed record ComputeFailed(Exception Cause);

    private readonly WorkerSettings _settings;
    private readonly WorkerPeers _peers;
    private readonly Func<int, IGradientEngine> _engine;
    private readonly Func<LeafPrefetcher> _prefetcher;
    private readonly Func<EvaluationBatches?> _evaluation;
    private readonly ComputeThread _thread;
    private readonly List<WeightsPart> _parts = [];
    private readonly ConcurrentDictionary<int, IStepInput> _done = new();
    private volatile WorkerCompute? _compute;     // made on the compute thread
    private volatile WorkerState _state;
    private volatile bool _isStopped;
    private bool _isDraining;

    /// <param name="settings">Configuration of the run.</param>
    /// <param name="engine">Builds the engine of a device (0, 1, … of this worker); called once each, on the device's thread. The actor disposes it.</param>
    /// <param name="prefetcher">Builds the prefetcher; called once. The actor disposes it.</param>
    /// <param name="evaluation">Builds the reader of the test split for a device, null when there is none; called as <paramref name="engine"/> is. The actor disposes it.</param>
    public WorkerActor(WorkerSettings settings, WorkerPeers peers, Func<int, IGradientEngine> engine, Func<LeafPrefetcher> prefetcher, Func<EvaluationBatches?> evaluation)
    {
        ArgumentNullException.ThrowIfNull(settings);
        _settings = settings;
        _peers = peers;
        _engine = engine;
        _prefetcher = prefetcher;
        _evaluation = evaluation;
        _state = new WorkerState { Worker = settings.Worker, Shards = settings.Shards };
        _thread = new ComputeThread(settings.Worker.ToString());
        Become(StartingBehaviour);
    }

    public static Props Props(WorkerSettings settings, WorkerPeers peers, Func<int, IGradientEngine> engine, Func<LeafPrefetcher> prefetcher, Func<EvaluationBatches?> evaluation) =>
        Akka.Actor.Props.Create(() => new WorkerActor(settings, peers, engine, prefetcher, evaluation));

    protected override void PreStart()
    {
        base.PreStart();
        var self = Self;
        Post(() =>
        {
            var prefetcher = _prefetcher();
            try
            {
                var crew = new DeviceCrew(_settings.Worker.ToString(), _settings.Devices, device => new WorkerDevice(device, _engine(device), _evaluation()));
                _compute = new WorkerCompute(_settings, crew, prefetcher);
            }
            catch
            {
                // Its threads would read samples for nobody.
                prefetcher.Dispose();
                throw;
            }
            self.Tell(new EngineBuilt());
        });
    }

    /// <summary>Waits for the engine. Nothing else is legal: the coordinator grants after <see cref="WorkerReady"/>.</summary>
    private void StartingBehaviour()
    {
        Receive<EngineBuilt>(_ =>
        {
            Become(ReadyBehaviour);
            if (!_isDraining) ToCoordinator(new WorkerReady(_settings.Worker, _settings.Devices));
        });
        Receive<Announce>(_ => { });        // it is told when the engine is built
        Receive<PeerUp>(_ => { });
        Receive<Drain>(_ =>
        {
            _isDraining = true;
            Sender.Tell(new Drained(), Self);
        });
        // Weights of a run that goes on while this worker is getting ready; it asks for them when it has its first order.
        Receive<WeightsPart>(part => part.Buffer.Dispose());
        Receive<IWorkerInput>(_ => Refuse("worker that is not ready"));
        Receive<ComputeFailed>(Fail);
    }

    /// <summary>Computes what it is told, once the weights for it are here.</summary>
    private void ReadyBehaviour()
    {
        Receive<InitializeState>(message => Post(() => Send(new InitialState(message.Term, _settings.Worker, _compute!.Initialize(message.Seed)))));
        Receive<IWorkerInput>(Handle);
        Receive<Announce>(_ =>
        {
            if (!_isDraining) ToCoordinator(new WorkerReady(_settings.Worker, _settings.Devices));
        });
        Receive<Drain>(_ =>
        {
            _isDraining = true;
            var (sender, self) = (Sender, Self);
            Post(() => sender.Tell(new Drained(), self));       // behind whatever was begun
        });
        Receive<PeerUp>(_ =>
        {
            Handle(new AskForWeights());
            if (_state.Begin is not null && _state.Routes is { } routes) PushAgain([.. routes.Places.Select(static p => p.Shard)], routes.Places);
        });
        Receive<ComputeFailed>(Fail);
    }

    private void Handle(IWorkerInput input)
    {
        var before = _state.Begin;
        if (_isDraining && input is BeginStep begin && !_state.IsCurrent(begin.Term, begin.Step, begin.Attempt)) return;
        var (next, effects) = WorkerProtocol.Advance(_state, input);
        _state = next;
        if (next.Begin is null || before is null || !next.IsCurrent(before.Term, before.Step, before.Attempt)) _done.Clear();
        foreach (var effect in effects) Run(effect, input);
    }

    private void Run(WorkerEffect effect, IWorkerInput input)
    {
        switch (effect)
        {
            // Leased but not begun: whoever hears that this worker is gone leases it to others.
            case WorkerEffect.Compute or WorkerEffect.Evaluate when _isDraining:
                Refuse("order to a worker that leaves");
                break;
            case WorkerEffect.Compute compute:
                Compute(compute.Begin with { Leases = compute.Leases }, _state.Routes!.Places);
                break;
            case WorkerEffect.ReportAgain again:
                foreach (var leaf in again.Leaves)
                    if (_done.TryGetValue(leaf, out var done)) ToCoordinator(done);
                break;
            case WorkerEffect.Push push:
                PushAgain(push.Shards, _state.Routes!.Places);
                break;
            case WorkerEffect.Keep keep:
                _parts.Add(keep.Part);
                break;
            case WorkerEffect.Load load:
                Load(load);
                break;
            case WorkerEffect.Ask ask:
                _peers.Replica(ask.Place.PrimaryReplica)?.Tell(ask.Message, Self);
                break;
            case WorkerEffect.Evaluate evaluate:
                Post(() => _compute!.Evaluate(evaluate.Request, Send));
                break;
            case WorkerEffect.Refuse refuse:
                if (input is WeightsPart part) part.Buffer.Dispose();
                Refuse(refuse.Reason);
                break;
            default:
                throw new ClusterException($"no way to carry out {effect}");
        }
    }

    private void Load(WorkerEffect.Load load)
    {
        var parts = _parts.Where(p => p.Version == load.Version && p.IsAverage == load.IsAverage).OrderBy(static p => p.Shard).ToArray();
        foreach (var old in _parts.Where(p => load.EndsUseOf(p.Version, p.IsAverage)).Except(parts)) old.Buffer.Dispose();
        _parts.RemoveAll(p => load.EndsUseOf(p.Version, p.IsAverage));
        Post(() => _compute!.Load(parts, parts[^1].Trace));
    }

    private void Compute(BeginStep begin, IReadOnlyList<ShardPlace> places) => Post(() => _compute!.Compute(
        begin,
        isCurrent: () => !_isStopped && _state.IsCurrent(begin.Term, begin.Step, begin.Attempt),
        report: (leaf, done) =>
        {
            if (_state.IsCurrent(begin.Term, begin.Step, begin.Attempt)) _done[leaf] = done;
            Send(done);
        },
        push: (node, buffer, trace) => Push(places, begin, node, buffer, trace)));

    private void Push(IReadOnlyList<ShardPlace> places, BeginStep begin, TreeNode node, NativeBuffer buffer, TraceContext trace)
    {
        foreach (var place in places)
            if (_peers.Await(place.PrimaryReplica) is { } shard)
                shard.Tell(new GradientNode(begin.Term, begin.Step, begin.Attempt, node, begin.LeafCount, _settings.Worker, 0, buffer.Share(), trace) { EmptyLeaves = begin.EmptyLeaves }, ActorRefs.NoSender);
    }

    private void PushAgain(IReadOnlyList<ShardId> shards, IReadOnlyList<ShardPlace> places)
    {
        var begin = _state.Begin!;
        var missing = places.Where(p => shards.Contains(p.Shard)).ToArray();
        Post(() => _compute!.PushAgain(new SumKey(begin.Term, begin.Step, begin.Attempt), (node, buffer, trace) => Push(missing, begin, node, buffer, trace)));
    }

    private void Send(object message) => _peers.Coordinator()?.Tell(message, ActorRefs.NoSender);

    private void ToCoordinator(object message) => _peers.Coordinator()?.Tell(message, Self);

    private static void Refuse(string reason) =>
        ClusterTelemetry.RefusedMessages.Add(1, new KeyValuePair<string, object?>(ClusterTelemetry.Tags.Reason, reason));

    private void Post(Action job)
    {
        var self = Self;
        _thread.Post(() =>
        {
            try
            {
                job();
            }
            catch (Exception e)
            {
                self.Tell(new ComputeFailed(e));
            }
        });
    }

    private void Fail(ComputeFailed failed)
    {
        ToCoordinator(new WorkerFailed(_settings.Worker, failed.Cause.Message, failed.Cause is UserMistakeException));
        Context.Stop(Self);
    }

    protected override void PostStop()
    {
        _isStopped = true;
        foreach (var part in _parts) part.Buffer.Dispose();
        // Behind the job that makes it, if that still runs.
        _thread.Post(() => _compute?.Dispose());
        _thread.Dispose();
        base.PostStop();
    }
}
