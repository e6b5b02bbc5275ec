using Akka.Actor;
using Cluster.Contracts;
using Cluster.Coordinator.Core;

namespace Cluster.Coordinator.Actors;

/// <summary>
/// Mailbox, timers and spans of a run. <see cref="StepProtocol"/> makes every decision about a step and
/// <see cref="EvaluationState"/> about an evaluation; this file carries the run from phase to phase, the files beside
/// it (Stepping, Evaluating, Checkpointing) hold one phase each.
/// </summary>
public sealed partial class CoordinatorActor : ReceiveActor, IWithTimers
{
    /// <summary>Who is who, sent once by the host before anything else.</summary>
    /// <param name="Workers">By worker index.</param>
    /// <param name="Shards">In shard order.</param>
    /// <param name="Checkpoints">Null when nothing is to be kept.</param>
    public sealed record Wiring(IReadOnlyList<IActorRef> Workers, IReadOnlyList<IActorRef> Shards, IActorRef? Checkpoints);

    private readonly RunPlan _plan;
    private readonly CommitLogFile _log;
    private readonly IRunListener _listener;
    private readonly TimeProvider _time;
    private readonly HashSet<WorkerId> _ready = [];
    private readonly Dictionary<StepId, CommitRecord> _recorded;
    private Wiring? _wiring;
    private StepState _state;
    private string? _stopping;
    private bool _ended;

    /// <param name="log">Owned by the host, written by this actor alone.</param>
    public CoordinatorActor(RunPlan plan, CommitLogFile log, IRunListener listener, TimeProvider time)
    {
        ArgumentNullException.ThrowIfNull(plan);
        ArgumentNullException.ThrowIfNull(time);
        _plan = plan;
        _log = log;
        _listener = listener;
        _time = time;
        _state = StepState.Start(plan.Rules, plan.Start?.Term ?? Term.First, new StepId(plan.Start?.Version.Value ?? 0));
        _recorded = plan.Start?.Recorded.ToDictionary(static r => r.Step) ?? [];
        _lastFinish = _lastCheckpoint = time.GetTimestamp();
        Become(AssemblingBehaviour);
    }

    public ITimerScheduler Timers { get; set; } = null!;

    public static Props Props(RunPlan plan, CommitLogFile log, IRunListener listener, TimeProvider time) =>
        Akka.Actor.Props.Create(() => new CoordinatorActor(plan, log, listener, time));

    private IActorRef Worker(WorkerId worker) => _wiring!.Workers[worker.Index];

    /// <summary>Waits until all workers are ready, then for the seeded weights of one of them.</summary>
    private void AssemblingBehaviour()
    {
        Receive<Wiring>(wiring => _wiring = wiring);
        Receive<WorkerReady>(ready =>
        {
            _ready.Add(ready.Worker);
            Join(ready.Worker);
            if (_ready.Count < _plan.Workers) return;
            if (_plan.Start?.State is { } loaded) Load(loaded);
            else Worker(_state.Workers.Keys.First()).Tell(new InitializeState(_state.Term, _plan.Seed));
        });
        Receive<InitialState>(initial =>
        {
            Load(LoadShard.First(_state.Term, initial.Buffer, default));
        });
        Receive<WorkerFailed>(failed => End(failed.IsUserMistake ? RunEnd.UserMistake : RunEnd.Failed, $"{failed.Worker} could not start: {failed.Cause}"));
        Receive<StopRun>(stop => End(RunEnd.Stopped, stop.Reason));
    }

    private void Join(WorkerId worker)
    {
        var (next, _) = StepProtocol.Advance(_state, new WorkerJoined(worker));
        _state = next;
    }

    /// <summary>Gives every shard its range of the first version.</summary>
    private void Load(LoadShard state)
    {
        // A trace of its own: the address of the step that made this version is taken by that step.
        var trace = StepTrace.StartRoot(_plan.RunId + "/initialize", new StepId(state.Version.Value), ClusterTelemetry.Spans.Initialize);
        foreach (var shard in _wiring!.Shards) shard.Tell(state.Share() with { Term = _state.Term, Trace = trace.Context });
        state.Release();
        trace.Span?.Dispose();
        if (_recorded.Count > 0)
            _listener.Said("replay", "coordinator", $"Steps {_recorded.Keys.Min()} to {_recorded.Keys.Max()} are in the log but in no checkpoint: they are replayed from step {_state.Committed} and must come out as recorded.");
        _lastFinish = _time.GetTimestamp();
        if (_state.Committed.Value >= _plan.TotalSteps && _plan.TestBatches > 0) BeginEvaluation(_state.Committed.Produces);
        else NextStep();
    }

    /// <summary>What follows a finished step: the next one, an evaluation, or the end.</summary>
    private void NextStep()
    {
        if (_stopping is { } reason) EndAfterCheckpoint(RunEnd.Stopped, reason);
        else if (_state.Committed.Value >= _plan.TotalSteps) EndAfterCheckpoint(RunEnd.Finished, "all steps are done");
        else OpenStep(_state.Committed.Next());
    }

    private void End(RunEnd end, string reason)
    {
        if (_ended) return;
        _ended = true;
        Become(EndedBehaviour);
        _listener.Ended(_state.Committed, end, reason);
    }

    /// <summary>The run is over; late messages of its last step are expected and ignored, whatever they are.</summary>
    private void EndedBehaviour() => ReceiveAny(message => (message as InitialState)?.Buffer.Dispose());

    protected override void PostStop()
    {
        _stepSpan?.Dispose();
        End(RunEnd.Failed, "the coordinator was stopped");
        base.PostStop();
    }

    protected override void PreRestart(Exception reason, object message)
    {
        // Never restarted with its memory gone: the host's strategy stops it, and the cause is the run's end.
        ArgumentNullException.ThrowIfNull(reason);
        End(RunEnd.Failed, reason.Message);
        base.PreRestart(reason, message);
    }
}
