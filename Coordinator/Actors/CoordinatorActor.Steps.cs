using System.Diagnostics;
using Cluster.Contracts;
using Cluster.Coordinator.Core;

namespace Cluster.Coordinator.Actors;

// A step: opened, its record written, finished; the disk that it waits for, and its spans.
public sealed partial class CoordinatorActor
{
    private Activity? _stepSpan;
    private TraceContext _stepTrace;
    private Activity? _normSpan;
    private readonly LeaseSpans _leases = new();
    private int _leased;
    private (double Waited, double Computed) _spent;
    private long _lastFinish;
    private bool _diskWaits;

    private void OpenStep(StepEffect.OpenNext next)
    {
        var plan = _plan.PlanOf(next.Step);
        // A replay has an address of its own: that of the step is taken.
        var address = next.Recorded is null ? _plan.RunId : $"{_plan.RunId}/replay-{_run.Term}";
        (_stepSpan, _stepTrace) = StepTrace.StartRoot(address, next.Step);
        _stepSpan?.SetTag(ClusterTelemetry.Tags.RunId, _plan.RunId).SetTag(ClusterTelemetry.Tags.Term, _run.Term.Value)
            .SetTag(ClusterTelemetry.Tags.Epoch, plan.Epoch).SetTag(ClusterTelemetry.Tags.Samples, plan.SampleCount);
        _leases.Clear();
        _spent = default;
        var rate = next.Recorded?.LearningRate ?? CourseAt(next.Step.Consumes).Schedule.At(next.Step);
        Feed(new OpenStep(plan, rate, next.Recorded) { Evaluation = NoteOf(next.Step.Consumes), Ahead = [.. next.Ahead], HaveSums = next.HaveSums });
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
        if (record.Evaluation is { } evaluation) _course = _course.Knowing(evaluation);
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
        if (_leased > record.Leaves.Count) ClusterTelemetry.RecomputedLeaves.Add(_leased - record.Leaves.Count);
        _leased = 0;
        _stepSpan?.SetTag(ClusterTelemetry.Tags.Attempt, record.Attempt).SetTag(ClusterTelemetry.Tags.Loss, record.Loss)
            .SetTag(ClusterTelemetry.Tags.Accuracy, record.Accuracy).SetTag(ClusterTelemetry.Tags.LearningRate, record.LearningRate)
            .SetTag(ClusterTelemetry.Tags.GradNorm, record.GradNorm).SetTag(ClusterTelemetry.Tags.Scale, record.Scale);
        _stepSpan?.Dispose();
        _stepSpan = null;
        if (_spent != default) _listener.Worked(record.Step, TimeSpan.FromMilliseconds(_spent.Waited), TimeSpan.FromMilliseconds(_spent.Computed));
        _listener.Committed(record, _time.GetElapsedTime(_lastFinish, now), replayed);
        _lastFinish = now;
        if (!replayed) FlushLog(record.Step);
        Feed(new GoOn());
    }

    /// <summary>A report of the open step. What devices waited for data and what they computed counts in copies and void attempts as well.</summary>
    private void Reported(LeafDone done)
    {
        _leases.Reported(done);
        // A number of somebody else's: not to be trusted with the sum.
        if (done.WaitedMilliseconds is >= 0 and < float.MaxValue && done.ComputedMilliseconds is >= 0 and < float.MaxValue)
            _spent = (_spent.Waited + done.WaitedMilliseconds, _spent.Computed + done.ComputedMilliseconds);
    }

    private void EndStepSpan(string reason)
    {
        EndNormRound();
        _leases.End(reason);
        _stepSpan?.SetStatus(ActivityStatusCode.Error, reason).Dispose();
        _stepSpan = null;
    }

    private void EndNormRound()
    {
        _normSpan?.Dispose();
        _normSpan = null;
    }

    /// <summary>Records that survive a power loss need not be remembered by the shards as well.</summary>
    private void ForgetRecords(WeightsVersion version)
    {
        foreach (var place in _run.Places)
        {
            ToReplica(place.PrimaryReplica, new ForgetRecords(_run.Term, version, place.Shard));
            if (place.StandbyReplica is { } standby) ToReplica(standby, new ForgetRecords(_run.Term, version, place.Shard));
        }
    }

    /// <summary>Between checkpoints, and in a run without any, the log is flushed now and then: else the shards' memory of it would grow for ever.</summary>
    private void FlushLog(StepId step)
    {
        if (step.Value % Limits.FlushedSteps != 0) return;
        try
        {
            _store.Flush();
            ForgetRecords(step.Produces);
        }
        catch (IOException)
        {
            // The shards remember on; the next append says what is wrong with the disk.
        }
    }
}
