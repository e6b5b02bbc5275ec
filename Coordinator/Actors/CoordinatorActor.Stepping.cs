using System.Diagnostics;
using Akka.Actor;
using Cluster.Contracts;
using Cluster.Coordinator.Core;

namespace Cluster.Coordinator.Actors;

// Phase Stepping: one step is open; its messages go to the protocol, its effects come back.
public sealed partial class CoordinatorActor
{
    private static readonly TimeSpan CommitRetry = TimeSpan.FromSeconds(1);

    private sealed record RetryCommit(CommitRecord Record);

    private Activity? _stepSpan;
    private TraceContext _stepTrace;
    private Activity? _normSpan;
    private long _stepStarted;
    private long _lastFinish;
    private CommitRecord? _lastRecord;
    private bool _commitWaits;

    private void SteppingBehaviour()
    {
        Receive<LeafDone>(Feed);
        Receive<ShardReduced>(Feed);
        Receive<ShardApplied>(Feed);
        Receive<BudgetSpent>(Feed);
        Receive<RetryCommit>(retry => Commit(retry.Record));
        Receive<WorkerFailed>(Lose);
        Receive<WorkerReady>(ready => Feed(new WorkerJoined(ready.Worker)));
        Receive<StopRun>(stop => _stopping = stop.Reason);
        ReceiveCheckpoints();
    }

    private void OpenStep(StepId step)
    {
        var plan = _plan.PlanOf(step);
        (_stepSpan, _stepTrace) = StepTrace.StartRoot(_plan.RunId, step);
        _stepSpan?.SetTag(ClusterTelemetry.Tags.RunId, _plan.RunId).SetTag(ClusterTelemetry.Tags.Step, step.Value)
            .SetTag(ClusterTelemetry.Tags.Epoch, plan.Epoch).SetTag(ClusterTelemetry.Tags.Samples, plan.SampleCount);
        _stepStarted = _time.GetTimestamp();
        Become(SteppingBehaviour);
        Feed(new OpenStep(plan, _plan.Schedule.At(step), _recorded.GetValueOrDefault(step)));
    }

    private void Feed(IStepInput input)
    {
        // The norm round is what lies between the first shard's sum and the decision.
        if (input is ShardReduced && _normSpan is null && _state.Phase == StepPhase.Gathering)
            _normSpan = StepTrace.StartDetached(ClusterTelemetry.Spans.NormRound, _stepTrace);
        var (next, effects) = StepProtocol.Advance(_state, input);
        _state = next;
        foreach (var effect in effects) Run(effect);
    }

    private void Run(StepEffect effect)
    {
        switch (effect)
        {
            case StepEffect.Grant grant:
                Worker(grant.Worker).Tell(new BeginStep(
                    _state.Term, _state.Step, _state.Attempt, _state.Plan.LeafCount, grant.Leases, _state.Rules.LeafBudgetMilliseconds, _stepTrace));
                break;
            case StepEffect.Abandon abandon:
                EndNormRound();
                var message = new StepAbandoned(_state.Term, abandon.Step, abandon.Attempt, abandon.Reason, _stepTrace);
                foreach (var shard in _wiring!.Shards) shard.Tell(message);
                foreach (var worker in _state.Workers.Keys) Worker(worker).Tell(message);
                break;
            case StepEffect.StartBudget budget:
                Timers.StartSingleTimer("budget", new BudgetSpent(budget.Step, budget.Attempt), TimeSpan.FromMilliseconds(budget.Milliseconds));
                break;
            case StepEffect.AppendCommit append:
                EndNormRound();
                Commit(append.Record);
                break;
            case StepEffect.SendApply apply:
                foreach (var shard in _wiring!.Shards) shard.Tell(new ApplyStep(_state.Term, apply.Record, apply.Attempt, _stepTrace));
                break;
            case StepEffect.Finished finished:
                Finish(finished.Record, finished.Replayed);
                break;
            case StepEffect.Drop drop:
                ClusterTelemetry.RefusedMessages.Add(1, new KeyValuePair<string, object?>(ClusterTelemetry.Tags.Reason, drop.Reason));
                break;
            case StepEffect.Say say:
                _listener.Said(say.Kind, say.Node, say.Sentence);
                break;
            case StepEffect.Halt halt:
                _stepSpan?.SetStatus(ActivityStatusCode.Error, halt.Reason).Dispose();
                _stepSpan = null;
                End(RunEnd.Failed, halt.Reason);
                break;
            default:
                throw new ClusterException($"no way to carry out {effect}");
        }
    }

    /// <summary>The commit point. A full disk makes the step wait, loudly, until there is room.</summary>
    private void Commit(CommitRecord record)
    {
        try
        {
            using var span = ClusterTelemetry.StartChild(ClusterTelemetry.Spans.Commit, _stepTrace);
            _log.Append(CommitLog.Write(record, _time.GetElapsedTime(_lastFinish).TotalMilliseconds));
        }
        catch (IOException e)
        {
            if (!_commitWaits) _listener.Said("commit-waits", "coordinator", $"Step {record.Step} waits: its record cannot be written ({e.Message}). Make room on the disk; it is tried again every second.");
            _commitWaits = true;
            Timers.StartSingleTimer("commit", new RetryCommit(record), CommitRetry);
            return;
        }
        if (_commitWaits) _listener.Said("commit-goes-on", "coordinator", $"The record of step {record.Step} is written; the run goes on.");
        _commitWaits = false;
        Feed(new CommitWritten(record.Step));
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
        var last = record.Step.Value >= _plan.TotalSteps;
        var due = last || _plan.EvalEvery > 0 && record.Step.Value % _plan.EvalEvery == 0;
        if (due && _plan.TestBatches > 0 && _stopping is null)
        {
            BeginEvaluation(record.Step.Produces);      // then the checkpoint, which keeps what was found
            return;
        }
        if (!last) CheckpointWhenDue(record);
        NextStep();
    }

    private void EndNormRound()
    {
        _normSpan?.Dispose();
        _normSpan = null;
    }

    /// <summary>A worker that cannot go on; without any other the run ends with its cause.</summary>
    private void Lose(WorkerFailed failed)
    {
        if (_state.Workers.Count == 1 && _state.Workers.ContainsKey(failed.Worker))
        {
            End(failed.IsUserMistake ? RunEnd.UserMistake : RunEnd.Failed, $"{failed.Worker}, the last worker, failed at step {_state.Committed.Next()}: {failed.Cause}");
            return;
        }
        Feed(new WorkerLost(failed.Worker, failed.Cause));
    }
}
