using Akka.Actor;
using Cluster.Contracts;
using Cluster.Workers.Data;

namespace Cluster.Workers.Actors;

/// <summary>
/// A worker's mailbox: weights in, leases in, leaves and nodes out. It knows what it holds and what it was last told;
/// the computing itself is <see cref="WorkerCompute"/> on a <see cref="ComputeThread"/> of its own.
/// </summary>
public sealed class WorkerActor : ReceiveActor
{
    /// <summary>Who is who, sent once by the host before anything else.</summary>
    /// <param name="Shards">In shard order.</param>
    public sealed record Wiring(IActorRef Coordinator, IReadOnlyList<IActorRef> Shards);

    private sealed record EngineBuilt(WorkerCompute Compute);

    private sealed record ComputeFailed(Exception Cause);

    private readonly WorkerSettings _settings;
    private readonly Func<IGradientEngine> _engine;
    private readonly Func<LeafPrefetcher> _prefetcher;
    private readonly Func<EvaluationBatches?> _evaluation;
    private readonly ComputeThread _thread;
    private readonly List<WeightsPart> _parts = [];
    private readonly List<BeginStep> _waiting = [];
    private readonly List<EvaluateBatches> _waitingEvaluations = [];
    private Wiring? _wiring;
    private WorkerCompute? _compute;
    private WeightsVersion? _held;
    private volatile BeginStep? _current;

    /// <param name="settings">Configuration of the run.</param>
    /// <param name="engine">Builds the engine; called once, on the compute thread. The actor disposes it.</param>
    /// <param name="prefetcher">Builds the prefetcher; called once. The actor disposes it.</param>
    /// <param name="evaluation">Builds the reader of the test split, null when there is none; called once. The actor disposes it.</param>
    public WorkerActor(WorkerSettings settings, Func<IGradientEngine> engine, Func<LeafPrefetcher> prefetcher, Func<EvaluationBatches?> evaluation)
    {
        ArgumentNullException.ThrowIfNull(settings);
        _settings = settings;
        _engine = engine;
        _prefetcher = prefetcher;
        _evaluation = evaluation;
        _thread = new ComputeThread(settings.Worker.ToString());
        Become(StartingBehaviour);
    }

    public static Props Props(WorkerSettings settings, Func<IGradientEngine> engine, Func<LeafPrefetcher> prefetcher, Func<EvaluationBatches?> evaluation) =>
        Akka.Actor.Props.Create(() => new WorkerActor(settings, engine, prefetcher, evaluation));

    /// <summary>Waits for the wiring, then for the engine. Nothing else is legal: the coordinator grants after <see cref="WorkerReady"/>.</summary>
    private void StartingBehaviour()
    {
        Receive<Wiring>(wiring =>
        {
            _wiring = wiring;
            var self = Self;
            Post(() => self.Tell(new EngineBuilt(new WorkerCompute(_settings, _engine(), _prefetcher(), _evaluation()))));
        });
        Receive<EngineBuilt>(built =>
        {
            _compute = built.Compute;
            Become(ReadyBehaviour);
            _wiring!.Coordinator.Tell(new WorkerReady(_settings.Worker));
        });
        Receive<ComputeFailed>(Fail);
    }

    /// <summary>Computes what it is told, once the weights for it are here.</summary>
    private void ReadyBehaviour()
    {
        Receive<InitializeState>(message =>
        {
            var coordinator = _wiring!.Coordinator;
            Post(() => coordinator.Tell(new InitialState(message.Term, _settings.Worker, _compute!.Initialize(message.Seed))));
        });
        Receive<WeightsPart>(Take);
        Receive<BeginStep>(Begin);
        Receive<StepAbandoned>(abandoned =>
        {
            if (_current is { } current && current.Step == abandoned.Step && current.Attempt <= abandoned.Attempt) _current = null;
            _waiting.RemoveAll(b => b.Step == abandoned.Step && b.Attempt <= abandoned.Attempt);
        });
        Receive<EvaluateBatches>(request =>
        {
            // The coordinator's request may overtake the shards' weights: right after a state was loaded, always.
            if (_held is { } held && request.Version <= held) Evaluate(request);
            else _waitingEvaluations.Add(request);
        });
        Receive<ComputeFailed>(Fail);
    }

    private void Take(WeightsPart part)
    {
        if (_held is { } held && part.Version <= held)
        {
            part.Buffer.Dispose();
            ClusterTelemetry.RefusedMessages.Add(1, new KeyValuePair<string, object?>(ClusterTelemetry.Tags.Reason, "old weights"));
            return;
        }
        // A mix of versions is refused: parts of an older one can only be leftovers.
        foreach (var old in _parts.Where(p => p.Version < part.Version)) old.Buffer.Dispose();
        _parts.RemoveAll(p => p.Version < part.Version);
        _parts.Add(part);
        if (_parts.Count < _wiring!.Shards.Count) return;
        var parts = _parts.ToArray();
        _parts.Clear();
        _held = part.Version;
        Post(() => _compute!.Load(parts, part.Trace));
        foreach (var begin in _waiting.Where(b => b.Step.Consumes == part.Version).ToArray()) Start(begin);
        _waiting.RemoveAll(b => b.Step.Consumes <= part.Version);
        foreach (var request in _waitingEvaluations.Where(e => e.Version == part.Version).ToArray()) Evaluate(request);
        _waitingEvaluations.RemoveAll(e => e.Version <= part.Version);
    }

    private void Evaluate(EvaluateBatches request)
    {
        var coordinator = _wiring!.Coordinator;
        Post(() => _compute!.Evaluate(request, coordinator.Tell));
    }

    private void Begin(BeginStep begin)
    {
        _current = begin;
        if (begin.Leases.Count == 0) return;
        if (_held == begin.Step.Consumes) Start(begin);
        else _waiting.Add(begin);
    }

    private void Start(BeginStep begin)
    {
        var wiring = _wiring!;
        Post(() => _compute!.Compute(
            begin,
            isCurrent: () => _current is { } current && current.Term == begin.Term && current.Step == begin.Step && current.Attempt == begin.Attempt,
            leafDone: wiring.Coordinator.Tell,
            push: (node, buffer, trace) =>
            {
                foreach (var shard in wiring.Shards)
                    shard.Tell(new GradientNode(begin.Term, begin.Step, begin.Attempt, node, begin.LeafCount, _settings.Worker, buffer.Share(), trace));
            }));
    }

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
        _wiring!.Coordinator.Tell(new WorkerFailed(_settings.Worker, failed.Cause.Message, failed.Cause is UserMistakeException));
        Context.Stop(Self);
    }

    protected override void PostStop()
    {
        _current = null;
        foreach (var part in _parts) part.Buffer.Dispose();
        if (_compute is { } compute) _thread.Post(compute.Dispose);
        _thread.Dispose();
        base.PostStop();
    }
}
