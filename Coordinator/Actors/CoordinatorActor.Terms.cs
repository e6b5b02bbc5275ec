using System.Diagnostics;
using Cluster.Contracts;
using Cluster.Coordinator.Core;

namespace Cluster.Coordinator.Actors;

// A term: on disk, the log taken over, every replica loaded.
public sealed partial class CoordinatorActor
{
    private StepEffect.LoadVersion? _initializing;
    private Activity? _termSpan;
    private bool _hadTerm;

    /// <summary>The term survives a power loss before anybody hears of it.</summary>
    private void WriteTerm(StepEffect.WriteTerm write)
    {
        if (_run.Term != write.Term) return;
        if (_run.Phase == TermPhase.WritingTerm)
        {
            EndStepSpan("a new term begins");
            BeginTermSpan(write);
        }
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
        _course = FirstCourse.Knowing(adopted.Evaluations);
        Feed(adopted);
    }

    /// <summary>Gives every replica its part: from a checkpoint, or from a worker that makes the seeded first weights.</summary>
    private void Load(StepEffect.LoadVersion load)
    {
        if (_store.Load(load.Version) is { } state)
        {
            _initializing = null;
            _kept = load.Version;       // it comes from the disk
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

    private void BeginTermSpan(StepEffect.WriteTerm write)
    {
        _termSpan?.Dispose();
        var name = !_hadTerm && write.Known.Value > 0 ? ClusterTelemetry.Spans.Takeover : ClusterTelemetry.Spans.Term;
        _hadTerm = true;
        _termSpan = StepTrace.StartRoot($"{_plan.RunId}/term-{write.Term}", _run.Logged, name).Span?.SetTag(ClusterTelemetry.Tags.Term, write.Term.Value);
    }

    private void InForce()
    {
        _termSpan?.Dispose();
        _termSpan = null;
        if (_run.Step.Committed < _run.Logged)
            _listener.Said("replay", "coordinator", $"Steps {_run.Step.Committed.Next()} to {_run.Logged} are in the log but not in what the shards hold: they are replayed and must come out as recorded.");
        CancelSnapshots();
    }
}
