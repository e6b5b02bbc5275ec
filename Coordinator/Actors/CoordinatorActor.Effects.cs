using System.Diagnostics;
using Akka.Actor;
using Cluster.Contracts;
using Cluster.Coordinator.Core;

namespace Cluster.Coordinator.Actors;

// Carries out what the protocol decided.
public sealed partial class CoordinatorActor
{
    private Activity? _stepSpan;
    private TraceContext _stepTrace;
    private Activity? _normSpan;
    private long _stepStarted;
    private long _lastFinish;
    private bool _diskWaits;
    private StepEffect.LoadVersion? _initializing;

    private void Run(StepEffect effect)
    {
        switch (effect)
        {
            case StepEffect.Grant grant:
                ToWorker(grant.Worker, new BeginStep(Step.Term, Step.Step, Step.Attempt, Step.Plan.LeafCount, grant.Leases, _stepTrace, Step.Audit?.Leaf));
                break;
            case StepEffect.Abandon abandon:
                Abandon(abandon);
                break;
            case StepEffect.StartBudget budget:
                Timers.StartSingleTimer("budget", new BudgetSpent(budget.Step, budget.Attempt), TimeSpan.FromMilliseconds(budget.Milliseconds));
                break;
            case StepEffect.AppendCommit append:
                EndNormRound();
                Commit(append.Record);
                break;
            case StepEffect.SendApply apply:
                foreach (var shard in apply.Shards) ToReplica(_run.Places[shard.Index].PrimaryReplica, new ApplyStep(Step.Term, apply.Record, apply.Sum, _stepTrace));
                break;
            case StepEffect.AskShards ask:
                foreach (var shard in ask.Shards) ToReplica(_run.Places[shard.Index].PrimaryReplica, new ReportAgain(ask.Sum, shard));
                foreach (var worker in Step.Workers.Keys) ToWorker(worker, new PushAgain(ask.Sum.Term, ask.Sum.Step, ask.Sum.Attempt, ask.Shards));
                break;
            case StepEffect.Finished finished:
                Finish(finished.Record, finished.Replayed);
                break;
            case StepEffect.StartGrace grace:
                Timers.StartSingleTimer("grace", new GraceSpent(), TimeSpan.FromMilliseconds(grace.Milliseconds));
                break;
            case StepEffect.WriteTerm write:
                WriteTerm(write);
                break;
            case StepEffect.ToReplica message:
                ToReplica(message.Replica, message.Message);
                break;
            case StepEffect.AdoptLog adopt:
                Adopt(adopt.Promised);
                break;
            case StepEffect.LoadVersion load:
                Load(load);
                break;
            case StepEffect.TellRoutes tell:
                ToWorker(tell.Worker, tell.Routes);
                break;
            case StepEffect.InForce:
                InForce();
                break;
            case StepEffect.OpenNext open:
                _next = open;
                BetweenSteps();
                break;
            case StepEffect.StepDown down:
                End(RunEnd.SteppedDown, down.Reason, null);
                break;
            case StepEffect.Drop drop:
                ClusterTelemetry.RefusedMessages.Add(1, new KeyValuePair<string, object?>(ClusterTelemetry.Tags.Reason, drop.Reason));
                break;
            case StepEffect.Say say:
                _listener.Said(say.Kind, say.Node, say.Sentence);
                break;
            case StepEffect.Replace replace:
                _listener.Stuck(replace.Worker, replace.Reason);
                break;
            case StepEffect.Halt halt:
                _stepSpan?.SetStatus(ActivityStatusCode.Error, halt.Reason).Dispose();
                _stepSpan = null;
                End(RunEnd.Failed, halt.Reason, null);
                break;
            default:
                throw new ClusterException($"no way to carry out {effect}");
        }
    }

    private void ToWorker(WorkerId worker, object message)
    {
        if (_workers.TryGetValue(worker, out var actor)) actor.Tell(message, Self);
    }

    private void ToReplica(ReplicaId replica, object message)
    {
        // A node that has just gone: its loss is in the mailbox already.
        if (_nodes.TryGetValue(replica.Node, out var slots)) slots[replica.Shard.Index].Tell(message, Self);
    }

    private void Abandon(StepEffect.Abandon abandon)
    {
        EndNormRound();
        var message = new StepAbandoned(Step.Term, abandon.Step, abandon.Attempt, abandon.Reason, _stepTrace);
        foreach (var place in _run.Places) ToReplica(place.PrimaryReplica, message);
        foreach (var worker in Step.Workers.Keys) ToWorker(worker, message);
    }

    /// <summary>The term survives a power loss before anybody hears of it.</summary>
    private void WriteTerm(StepEffect.WriteTerm write)
    {
        if (_run.Term != write.Term) return;
        if (_run.Phase == TermPhase.WritingTerm) EndStepSpan("a new term begins");
        try
        {
            if (_store.WriteTerm(write.Term, write.Known) is { } taken)
            {
                Feed(new TermTaken(taken));
                return;
            }
        }
        catch (IOException e)
        {
            Timers.StartSingleTimer("term", new RetryTerm(write), DiskRetry);
            Wait("term", $"Term {write.Term} waits: it cannot be written ({e.Message}). Make room on the disk; it is tried again every second.");
            return;
        }
        // A question alone writes nothing, and tells nothing about room.
        if (write.Term != write.Known) GoOnAfterDisk();
        Feed(new TermWritten(write.Term));
    }

    private void Adopt(IReadOnlyList<CommitRecord> promised)
    {
        LogAdopted? adopted;
        try
        {
            adopted = _store.AdoptLog(_run.Term, promised);
        }
        catch (IOException e)
        {
            Timers.StartSingleTimer("adopt", new RetryAdopt(_run.Term, promised), DiskRetry);
            Wait("log", $"Term {_run.Term} waits: the log cannot be copied ({e.Message}). Make room on the disk; it is tried again every second.");
            return;
        }
        GoOnAfterDisk();
        if (adopted is null)
        {
            Feed(new TermTaken(_store.ReadTerm()));
            return;
        }
        if (adopted.Last.Value > _plan.TotalSteps) throw new UserMistakeException($"{adopted.Last} steps are committed already; --steps {_plan.TotalSteps} would go back. Give at least {adopted.Last}.");
        Feed(adopted);
    }

    /// <summary>Gives every replica its part: from a checkpoint, or from a worker that makes the seeded first weights.</summary>
    private void Load(StepEffect.LoadVersion load)
    {
        if (_store.Load(load.Version) is { } state)
        {
            _initializing = null;
            Hand(load, state);
        }
        else
        {
            _initializing = load;
            if (Step.Workers.IsEmpty) _listener.Said("waiting", "coordinator", "The first weights wait for a worker to make them.");
            else ToWorker(Step.Workers.Keys.First(), new InitializeState(_run.Term, _plan.Seed));
        }
    }

    private void Initialized(InitialState initial)
    {
        if (_initializing is not { } load || initial.Term != _run.Term || _run.Phase != TermPhase.Loading)
        {
            initial.Buffer.Dispose();
            return;
        }
        _initializing = null;
        Hand(load, LoadShard.First(_run.Term, initial.Buffer, default));
    }

    private void Hand(StepEffect.LoadVersion load, LoadShard state)
    {
        // A trace of its own: the address of the step that made this version is taken by that step.
        var trace = StepTrace.StartRoot($"{_plan.RunId}/load-{_run.Term}", new StepId(state.Version.Value), ClusterTelemetry.Spans.Initialize);
        foreach (var replica in load.Replicas) ToReplica(replica, state.Share() with { Term = _run.Term, Trace = trace.Context });
        state.Release();
        trace.Span?.Dispose();
    }

    private void InForce()
    {
        if (_run.Step.Committed < _run.Logged)
            _listener.Said("replay", "coordinator", $"Steps {_run.Step.Committed.Next()} to {_run.Logged} are in the log but not in what the shards hold: they are replayed and must come out as recorded.");
        CancelSnapshots();
    }

    private void OpenStep(StepEffect.OpenNext next)
    {
        var plan = _plan.PlanOf(next.Step);
        // A replay has an address of its own: that of the step is taken.
        var address = next.Recorded is null ? _plan.RunId : $"{_plan.RunId}/replay-{_run.Term}";
        (_stepSpan, _stepTrace) = StepTrace.StartRoot(address, next.Step);
        _stepSpan?.SetTag(ClusterTelemetry.Tags.RunId, _plan.RunId).SetTag(ClusterTelemetry.Tags.Step, next.Step.Value)
            .SetTag(ClusterTelemetry.Tags.Term, _run.Term.Value)
            .SetTag(ClusterTelemetry.Tags.Epoch, plan.Epoch).SetTag(ClusterTelemetry.Tags.Samples, plan.SampleCount);
        _stepStarted = _time.GetTimestamp();
        Feed(new OpenStep(plan, _plan.Schedule.At(next.Step), next.Recorded) { Ahead = [.. next.Ahead], HaveSums = next.HaveSums });
        _listener.Begun(next.Step);
    }

    /// <summary>The commit point. A full disk makes the step wait, loudly, until there is room.</summary>
    private void Commit(CommitRecord record)
    {
        try
        {
            using var span = ClusterTelemetry.StartChild(ClusterTelemetry.Spans.Commit, _stepTrace);
            if (!_store.Append(CommitLog.Write(record, _time.GetElapsedTime(_lastFinish).TotalMilliseconds)))
            {
                // Nothing was sent, and nothing will be: the record is in no log.
                Feed(new TermTaken(_store.ReadTerm()));
                return;
            }
        }
        catch (IOException e)
        {
            Timers.StartSingleTimer("commit", new RetryCommit(record), DiskRetry);
            Wait("commit", $"Step {record.Step} waits: its record cannot be written ({e.Message}). Make room on the disk; it is tried again every second.");
            return;
        }
        GoOnAfterDisk();
        Feed(new CommitWritten(record.Step));
    }

    private void Wait(string what, string sentence)
    {
        if (!_diskWaits) _listener.Said(what + "-waits", "coordinator", sentence);
        _diskWaits = true;
    }

    private void GoOnAfterDisk()
    {
        if (_diskWaits) _listener.Said("commit-goes-on", "coordinator", "There is room on the disk again; the run goes on.");
        _diskWaits = false;
    }

    private void Finish(CommitRecord record, bool replayed)
    {
        _lastRecord = record;
        Timers.Cancel("budget");
        var now = _time.GetTimestamp();
        ClusterTelemetry.StepDuration.Record(_time.GetElapsedTime(_stepStarted, now).TotalSeconds);
        ClusterTelemetry.Samples.Add(record.Samples);
        _stepSpan?.SetTag(ClusterTelemetry.Tags.Attempt, record.Attempt).SetTag(ClusterTelemetry.Tags.Loss, record.Loss)
            .SetTag(ClusterTelemetry.Tags.Accuracy, record.Accuracy).SetTag(ClusterTelemetry.Tags.LearningRate, record.LearningRate)
            .SetTag(ClusterTelemetry.Tags.GradNorm, record.GradNorm).SetTag(ClusterTelemetry.Tags.Scale, record.Scale);
        _stepSpan?.Dispose();
        _stepSpan = null;
        _listener.Committed(record, _time.GetElapsedTime(_lastFinish, now), replayed);
        _lastFinish = now;
        if (!replayed) FlushLog(record.Step);
        Feed(new GoOn());
    }

    private void EndStepSpan(string reason)
    {
        EndNormRound();
        _stepSpan?.SetStatus(ActivityStatusCode.Error, reason).Dispose();
        _stepSpan = null;
    }

    private void EndNormRound()
    {
        _normSpan?.Dispose();
        _normSpan = null;
    }
}
