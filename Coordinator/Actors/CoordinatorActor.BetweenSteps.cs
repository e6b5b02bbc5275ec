using System.Diagnostics;
using Akka.Actor;
using Cluster.Contracts;
using Cluster.Coordinator.Core;

namespace Cluster.Coordinator.Actors;

// No step is open: what falls due on the version that all shards hold (evaluation, checkpoint, the end) comes before
// the next step. Asked again after every answer and every new term, so nothing is lost when the shards move in between.
public sealed partial class CoordinatorActor
{
    private StepEffect.OpenNext? _next;
    private bool _isAssembled;
    private CommitRecord? _lastRecord;
    private EvaluationState? _evaluation;
    private EvaluationTotals? _lastEvaluation;
    private TraceContext _evaluationTrace;
    private Activity? _evaluationSpan;
    private WeightsVersion? _writing;
    private WeightsVersion? _kept;
    private WeightsVersion? _hashing;
    private WeightsVersion? _looked;
    private long _lastCheckpoint;
    private readonly HashSet<int> _toldUndecoded = [];

    private void BetweenSteps()
    {
        if (_next is not { } next || !IsAssembled()) return;
        // A step that some shards have applied already is finished first.
        var isWhole = !next.HaveSums && !next.Ahead.Contains(true);
        if (isWhole && IsBusyWith(next.Step.Consumes)) return;
        _next = null;
        OpenStep(next);
    }

    /// <summary>The first step waits for all workers; later ones go on with whoever is there.</summary>
    private bool IsAssembled()
    {
        if (_isAssembled) return true;
        _isAssembled = Step.Workers.Count + Step.Quarantined.Count >= _plan.Workers;
        if (!_isAssembled && !Step.Workers.IsEmpty) Timers.StartSingleTimer("assembly", new EnoughWaited(), AssemblyPatience);
        return _isAssembled;
    }

    private void WorkerHere(WorkerId worker)
    {
        if (_initializing is { } load && _run.Phase == TermPhase.Loading) ToWorker(worker, new InitializeState(_run.Term, _plan.Seed));
        if (_evaluation is { } evaluation && Step.Workers.Count == 1)
        {
            (_evaluation, var grants) = evaluation.Lost(worker, [worker]);      // whatever it held, it starts anew
            Grant(grants);
        }
        BetweenSteps();
    }

    /// <summary>True while something has to be done on this version before the next step.</summary>
    private bool IsBusyWith(WeightsVersion version)
    {
        var isLast = version.Value >= _plan.TotalSteps;
        var isEvaluated = _lastEvaluation?.Version == version || _plan.TestBatches == 0 || _stopping is not null && _evaluation is null;
        if (!isEvaluated && (isLast || _plan.EvalEvery > 0 && version.Value > 0 && version.Value % _plan.EvalEvery == 0))
        {
            if (_evaluation is null) BeginEvaluation(version);
            return true;
        }
        if (IsKeepingBest(version) || IsEndingEarly(version)) return true;
        if (isLast || _stopping is not null) return IsEnding(version, isLast);
        if (_lastRecord is { } record && record.Step.Produces == version) CheckpointWhenDue(record);
        LookWhenDue(version);
        return false;
    }

    /// <summary>The last version goes to disk when checkpoints are wanted; then its hash ends the run.</summary>
    private bool IsEnding(WeightsVersion version, bool isLast)
    {
        if (_writing is not null || _hashing is not null) return true;
        var isNew = _lastRecord is not null;        // else nothing has moved since it was loaded
        if (_plan.Checkpoints.IsOn && isNew && _kept != version)
        {
            BeginCheckpoint(version);
            return true;
        }
        if (_plan.TotalSteps == 0 && !isNew || version.Value == 0)
        {
            End(isLast ? RunEnd.Finished : RunEnd.Stopped, _stopping ?? "there was nothing to do", null);
            return true;
        }
        _hashing = version;
        _snapshots.Tell(new HashDue(version, _run.Places.Length), Self);
        RequestSnapshots(version);
        return true;
    }

    private void Hashed(StateHashed hashed)
    {
        if (hashed.Version != _hashing) return;
        _hashing = null;
        var isLast = hashed.Version.Value >= _plan.TotalSteps;
        End(isLast ? RunEnd.Finished : RunEnd.Stopped, isLast ? "all steps are done" : _stopping ?? "stopped", hashed.Sha256);
    }

    private void RequestSnapshots(WeightsVersion version)
    {
        foreach (var place in _run.Places)
            if (_nodes.TryGetValue(place.Primary, out var slots)) slots[place.Shard.Index].Tell(new SnapshotShard(_run.Term, version), _snapshots);
    }

    /// <summary>Snapshots that a shard's move has made impossible are asked for anew, or given up.</summary>
    private void CancelSnapshots()
    {
        _hashing = null;
        if (_writing is not null) _snapshots.Tell(new CancelSnapshots(), Self);
        if (_evaluation is { } evaluation && evaluation.Version.Value > _run.Step.Committed.Value) EndEvaluation();
        else if (_evaluation is not null)
        {
            // Orders of the old term are void.
            (_evaluation, var grants) = EvaluationState.Begin(_evaluation.Version, _plan.TestBatches, [.. Step.Workers.Keys]);
            Grant(grants);
        }
    }

    private void CheckpointWhenDue(CommitRecord record)
    {
        if (_kept == record.Step.Produces || _writing == record.Step.Produces) return;
        if (!_isAsked && !_plan.Checkpoints.IsDue(record.Step, _time.GetElapsedTime(_lastCheckpoint).TotalSeconds)) return;
        if (_writing is { } writing)
        {
            if (_isAsked) return;
            _listener.Said("checkpoint-skipped", "coordinator", $"The checkpoint of step {record.Step} is skipped: that of step {writing} is still being written.");
            return;
        }
        BeginCheckpoint(record.Step.Produces);
    }

    /// <summary>Nobody waits for a look. While a checkpoint is being made there is none, unless it is of this version, which is shown then.</summary>
    private void LookWhenDue(WeightsVersion version)
    {
        if (_plan.LookEvery == 0 || version.Value == 0 || version.Value % _plan.LookEvery != 0 || _writing is not null || _looked == version) return;
        _looked = version;
        _snapshots.Tell(new LookDue(version, _run.Places.Length), Self);
        RequestSnapshots(version);
    }

    private void BeginCheckpoint(WeightsVersion version)
    {
        _writing = version;
        _isAsked = false;
        _lastCheckpoint = _time.GetTimestamp();
        var evaluation = _lastEvaluation?.Version == version ? _lastEvaluation : null;
        _snapshots.Tell(new CheckpointDue(version, _lastRecord, evaluation, _run.Places.Length) { Best = BestAt(version) }, Self);
        RequestSnapshots(version);
    }

    private void Written(CheckpointWritten written)
    {
        _writing = null;
        _kept = written.Version;
        if (BestAt(written.Version) == written.Version) GoOnAfterDisk();
        _listener.Checkpointed(written);
        ForgetRecords(written.Version);
        BetweenSteps();
    }

    private void NotWritten(CheckpointFailed failed)
    {
        _writing = null;
        if (MustBeKept(failed)) return;
        _kept = failed.Version;     // not tried again for this version
        _listener.Said("checkpoint-failed", "coordinator", $"The checkpoint of step {failed.Version} was not written: {failed.Reason.TrimEnd('.')}. Training goes on; older checkpoints are as they were.");
        BetweenSteps();
    }

    private void BeginEvaluation(WeightsVersion version)
    {
        (_evaluationSpan, _evaluationTrace) = StepTrace.StartRoot(_plan.RunId + "/evaluation", new StepId(version.Value), ClusterTelemetry.Spans.Evaluation);
        (_evaluation, var grants) = EvaluationState.Begin(version, _plan.TestBatches, [.. Step.Workers.Keys]);
        Grant(grants);
    }

    private void Evaluated(BatchEvaluated result)
    {
        if (_evaluation is null || result.Term != _run.Term) return;
        _evaluation = _evaluation.Advance(result);
        if (!_evaluation.IsComplete) return;
        _lastEvaluation = _evaluation.Totals();
        SayUndecoded(_evaluation);
        var predictions = _evaluation.Results.SelectMany(static r => r!.Predictions).ToArray();
        EndEvaluation();
        _listener.Evaluated(_lastEvaluation, predictions);
        _lastFinish = _time.GetTimestamp();     // the next step's time does not include the evaluation
        BetweenSteps();
    }

    /// <summary>Which test samples do not count, each once in the life of this process.</summary>
    private void SayUndecoded(EvaluationState evaluation)
    {
        var news = evaluation.Results.SelectMany(static r => (r!.Undecoded ?? []).Select(u => (r.Worker, Sample: u))).Where(u => _toldUndecoded.Add(u.Sample.Sample)).ToArray();
        foreach (var (worker, sample) in news.Take(Limits.ToldUndecoded))
            _listener.Said("test-sample-left-out", worker.ToString(), $"Sample {sample.Sample} of the test set does not count: {worker} cannot decode it ({sample.Reason.TrimEnd('.')}).");
        if (news.Length > Limits.ToldUndecoded)
            _listener.Said("test-sample-left-out", "coordinator", $"{news.Length - Limits.ToldUndecoded} more samples of the test set cannot be decoded and do not count; 'data check' names them.");
    }

    private void EndEvaluation()
    {
        _evaluation = null;
        _evaluationSpan?.Dispose();
        _evaluationSpan = null;
    }

    private void EvaluateWithout(WorkerId worker)
    {
        if (_ended || _evaluation is null) return;
        (_evaluation, var grants) = _evaluation.Lost(worker, [.. Step.Workers.Keys]);
        Grant(grants);
    }

    private void Grant(IEnumerable<(WorkerId Worker, IReadOnlyList<int> Batches)> grants)
    {
        foreach (var (worker, batches) in grants) ToWorker(worker, new EvaluateBatches(_run.Term, _evaluation!.Version, batches, _evaluationTrace, _plan.EvaluatesAverage));
    }
}
