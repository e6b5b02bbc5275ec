using System.Diagnostics;
using Akka.Actor;
using Cluster.Contracts;
using Cluster.Coordinator.Core;

namespace Cluster.Coordinator.Actors;

/// <summary>
/// Mailbox, timers and spans of a run's coordinator. <see cref="RunProtocol"/> makes every decision about terms and
/// steps, <see cref="EvaluationState"/> about an evaluation; this file takes messages in, the files beside it carry out
/// what was decided: Effects, BetweenSteps (evaluation, checkpoint, end).
/// </summary>
public sealed partial class CoordinatorActor : ReceiveActor, IWithTimers
{
    /// <summary>Host to coordinator: messages to this worker go there. It counts from its <see cref="WorkerReady"/> on.</summary>
    public sealed record WorkerAt(WorkerId Worker, IActorRef Actor);

    /// <summary>Host to coordinator: the worker is gone.</summary>
    public sealed record WorkerGone(WorkerId Worker, string Cause, bool IsPlanned);

    /// <summary>Host to coordinator: a node that can hold shards is here.</summary>
    /// <param name="Slots">By shard.</param>
    public sealed record NodeAt(NodeId Node, IReadOnlyList<IActorRef> Slots, string Host = "");

    /// <summary>Host to coordinator: the node is gone.</summary>
    public sealed record NodeGone(NodeId Node, string Cause);

    /// <summary>Host to coordinator: a connection was lost and is back; what was on its way is to be asked for again.</summary>
    public sealed record Reconnected;

    /// <summary>Host to coordinator: something that the run cannot do without has failed.</summary>
    public sealed record Broken(string Reason);

    private sealed record RetryCommit(CommitRecord Record);
    private sealed record RetryTerm(StepEffect.WriteTerm Effect);
    private sealed record RetryAdopt(Term Term, IReadOnlyList<CommitRecord> Promised);
    private sealed record SilenceOver;
    private sealed record Look;
    private sealed record Alone;
    private sealed record EnoughWaited;

    private static readonly TimeSpan DiskRetry = TimeSpan.FromSeconds(1);

    /// <summary>How often the clock is looked at when nothing comes in, and the longest time between two looks that counts as attention.</summary>
    private static readonly TimeSpan Attention = TimeSpan.FromMilliseconds(250), LongestGap = TimeSpan.FromMilliseconds(600);

    /// <summary>How often a coordinator without nodes asks the disk whether they are with another one: nobody else can tell it.</summary>
    private static readonly TimeSpan DiskQuestion = TimeSpan.FromSeconds(1);

    /// <summary>How long the first step waits for the workers that are still missing once one is ready.</summary>
    private static readonly TimeSpan AssemblyPatience = TimeSpan.FromSeconds(60);

    private readonly RunPlan _plan;
    private readonly IRunStore _store;
    private readonly IRunListener _listener;
    private readonly IActorRef _snapshots;
    private readonly TimeProvider _time;
    private long _lookedAt;
    private TimeSpan _attended;
    private bool _hasSlept;
    private readonly Dictionary<WorkerId, IActorRef> _workers = [];
    private readonly Dictionary<NodeId, IReadOnlyList<IActorRef>> _nodes = [];
    private RunState _run;
    private ShardWatch _shardWatch = ShardWatch.Nothing;
    private string? _stopping;
    private bool _heardSomething;
    private bool _ended;

    /// <param name="store">Owned by the host, used by this actor alone.</param>
    /// <param name="snapshots">The <see cref="SnapshotActor"/> of this run.</param>
    public CoordinatorActor(RunPlan plan, IRunStore store, IRunListener listener, IActorRef snapshots, TimeProvider time)
    {
        ArgumentNullException.ThrowIfNull(plan);
        ArgumentNullException.ThrowIfNull(store);
        ArgumentNullException.ThrowIfNull(time);
        _plan = plan;
        _store = store;
        _listener = listener;
        _snapshots = snapshots;
        _time = time;
        _course = FirstCourse;
        _lookedAt = _lastFinish = _lastCheckpoint = time.GetTimestamp();
        _run = RunState.Start(plan.Terms, plan.Rules, Random.Shared.NextInt64(1, long.MaxValue), store.ReadTerm());
        Become(ServingBehaviour);
    }

    public ITimerScheduler Timers { get; set; } = null!;

    public static Props Props(RunPlan plan, IRunStore store, IRunListener listener, IActorRef snapshots, TimeProvider time) =>
        Akka.Actor.Props.Create(() => new CoordinatorActor(plan, store, listener, snapshots, time));

    private StepState Step => _run.Step;

    /// <summary>
    /// Milliseconds during which this process was awake: what it slept through (stopped, starved) is nobody else's delay.
    /// </summary>
    private double Attend()
    {
        var now = _time.GetTimestamp();
        var gap = _time.GetElapsedTime(_lookedAt, now);
        _lookedAt = now;
        _attended += gap < LongestGap ? gap : LongestGap;
        _hasSlept |= gap >= LongestGap;
        return _attended.TotalMilliseconds;
    }

    /// <summary>Who has slept may have a successor, and asks the disk before it acts on anything that came in meanwhile.</summary>
    private void AskAfterSleep()
    {
        if (!_hasSlept) return;
        _hasSlept = false;
        try
        {
            if (_store.WriteTerm(_run.Term, _run.Term) is { } taken) Feed(new TermTaken(taken));
        }
        catch (IOException)
        {
            // It is asked again before the next term and the next record.
        }
    }

    protected override void PreStart()
    {
        base.PreStart();
        Timers.StartPeriodicTimer("silence", new SilenceOver(), _plan.Silence);
        Timers.StartPeriodicTimer("attention", new Look(), Attention);
        Timers.StartPeriodicTimer("alone", new Alone(), DiskQuestion);
    }

    private void ServingBehaviour()
    {
        Receive<WorkerAt>(at => _workers[at.Worker] = at.Actor);
        Receive<WorkerReady>(ready =>
        {
            Feed(new WorkerJoined(ready.Worker, Math.Clamp(ready.Devices, 1, Limits.DevicesPerWorker)));
            // One that is quarantined is here and takes no part.
            if (Step.Workers.ContainsKey(ready.Worker)) WorkerHere(ready.Worker);
            else BetweenSteps();
        });
        Receive<WorkerGone>(gone => LoseWorker(new WorkerLost(gone.Worker, gone.Cause, gone.IsPlanned)));
        Receive<WorkerFailed>(Failed);
        Receive<NodeAt>(at =>
        {
            _nodes[at.Node] = at.Slots;
            Feed(new NodeUp(at.Node, at.Host));
        });
        Receive<NodeGone>(gone =>
        {
            _nodes.Remove(gone.Node);
            Feed(new NodeLost(gone.Node, gone.Cause));
        });
        Receive<Broken>(broken => End(RunEnd.Failed, broken.Reason, null));
        Receive<Reconnected>(_ => Feed(new AskAgain()));
        Receive<Look>(_ =>
        {
            if (Step.Workers.Values.Any(static w => w.IsHung)) Feed(new LookForStuck());
            LookAtShards(Attend());
            AskAfterSleep();
        });
        Receive<Alone>(_ =>
        {
            if (_run.Phase == TermPhase.WaitingForNodes) Feed(new AskAgain());
        });
        Receive<SilenceOver>(_ =>
        {
            if (!_heardSomething) Feed(new AskAgain());
            _heardSomething = false;
        });
        Receive<RetryCommit>(retry =>
        {
            if (Step.Phase == StepPhase.Committing && ReferenceEquals(Step.Record, retry.Record)) Commit(retry.Record);
        });
        Receive<KeepBestAgain>(_ => BetweenSteps());
        Receive<CheckpointNow>(Asked);
        Receive<RetryTerm>(retry => WriteTerm(retry.Effect));
        Receive<RetryAdopt>(retry =>
        {
            if (_run.Phase == TermPhase.AdoptingLog && _run.Term == retry.Term) Adopt(retry.Promised);
        });
        Receive<InitialState>(Initialized);
        Receive<BatchEvaluated>(Evaluated);
        Receive<CheckpointWritten>(Written);
        Receive<CheckpointFailed>(NotWritten);
        Receive<StateHashed>(Hashed);
        Receive<EnoughWaited>(_ =>
        {
            _isAssembled = true;
            BetweenSteps();
        });
        Receive<StopRun>(stop =>
        {
            _stopping ??= stop.Reason;
            if (_run.Phase != TermPhase.Running && _run.Logged.Value == 0 || !_isAssembled) End(RunEnd.Stopped, stop.Reason, null);
            else BetweenSteps();
        });
        Receive<IStepInput>(input =>
        {
            _heardSomething = true;
            Feed(input);
        });
    }

    /// <summary>A worker that cannot go on. Where nobody restarts it, the run ends with the last one's cause.</summary>
    private void Failed(WorkerFailed failed)
    {
        if (failed.IsUserMistake && Step.Committed.Value == 0 || _plan.EndsWithLastWorker && Step.Workers.Keys.All(w => w == failed.Worker))
        {
            End(failed.IsUserMistake ? RunEnd.UserMistake : RunEnd.Failed,
                Step.Workers.ContainsKey(failed.Worker)
                    ? $"{failed.Worker}, the last worker, failed at step {Step.Committed.Next()}: {failed.Cause}"
                    : $"{failed.Worker} could not start: {failed.Cause}", null);
            return;
        }
        LoseWorker(new WorkerLost(failed.Worker, failed.Cause));
    }

    private void LoseWorker(WorkerLost lost)
    {
        _leases.Lost(lost.Worker, lost.Cause);
        Feed(lost);
        EvaluateWithout(lost.Worker);
    }

    private void Feed(IStepInput input)
    {
        // The norm round is what lies between the first shard's sum and the decision.
        if (input is ShardReduced && _normSpan is null && Step.Phase == StepPhase.Gathering)
            _normSpan = StepTrace.StartDetached(ClusterTelemetry.Spans.NormRound, _stepTrace);
        if (input is LeafDone done && done.Step == Step.Step) Reported(done);
        var now = Attend();
        AskAfterSleep();
        if (_ended) return;
        var (next, effects) = RunProtocol.Advance(_run, input, now);
        _run = next;
        LookAtShards(now);
        foreach (var effect in effects)
        {
            if (_ended) return;
            Run(effect);
        }
    }

    private void LookAtShards(double now)
    {
        (_shardWatch, var late) = ShardWatch.Look(_shardWatch, Step, _run.Places, now);
        foreach (var say in late) _listener.Said(say.Kind, say.Node, say.Sentence);
    }

    private void End(RunEnd end, string reason, string? hash, EarlyStop? early = null)
    {
        if (_ended) return;
        _ended = true;
        Become(EndedBehaviour);
        _listener.Ended(new RunOutcome(new StepId(Math.Max(_run.Logged.Value, Step.Committed.Value)), end, reason, hash) { Early = early });
    }

    /// <summary>The run is over; late messages are expected and ignored, whatever they are.</summary>
    private void EndedBehaviour() => ReceiveAny(message => (message as InitialState)?.Buffer.Dispose());

    protected override void PostStop()
    {
        _leases.End("the coordinator was stopped");
        EndNormRound();
        _stepSpan?.Dispose();
        _termSpan?.Dispose();
        End(RunEnd.Failed, "the coordinator was stopped", null);
        base.PostStop();
    }

    protected override void PreRestart(Exception reason, object message)
    {
        // Never restarted with its memory gone: the host's strategy stops it, and the cause is the run's end.
        ArgumentNullException.ThrowIfNull(reason);
        End(reason is UserMistakeException ? RunEnd.UserMistake : RunEnd.Failed, reason.Message, null);
        base.PreRestart(reason, message);
    }
}
