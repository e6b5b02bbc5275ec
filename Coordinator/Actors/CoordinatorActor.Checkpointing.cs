using Akka.Actor;
using Cluster.Contracts;
using Cluster.Coordinator.Core;

namespace Cluster.Coordinator.Actors;

// Checkpoints are written while training goes on; at the end of a run the last one is waited for.
public sealed partial class CoordinatorActor
{
    private WeightsVersion? _writing;
    private WeightsVersion? _written;
    private long _lastCheckpoint;
    private (RunEnd End, string Reason)? _ending;

    private void ReceiveCheckpoints()
    {
        Receive<CheckpointWritten>(written =>
        {
            _writing = null;
            _written = written.Version;
            _listener.Checkpointed(written);
            FinishEnding();
        });
        Receive<CheckpointFailed>(failed =>
        {
            _writing = null;
            _listener.Said("checkpoint-failed", "coordinator", $"The checkpoint of step {failed.Version} was not written: {failed.Reason} Training goes on; older checkpoints are as they were.");
            if (_ending is { } ending && failed.Version.Value == _state.Committed.Value) End(ending.End, ending.Reason);
            else FinishEnding();
        });
    }

    private void CheckpointWhenDue(CommitRecord record)
    {
        if (!_plan.Checkpoints.IsDue(record.Step, _time.GetElapsedTime(_lastCheckpoint).TotalSeconds)) return;
        if (_writing is { } writing)
        {
            _listener.Said("checkpoint-skipped", "coordinator", $"The checkpoint of step {record.Step} is skipped: that of step {writing} is still being written.");
            return;
        }
        BeginCheckpoint(record.Step.Produces);
    }

    private void BeginCheckpoint(WeightsVersion version)
    {
        _writing = version;
        _lastCheckpoint = _time.GetTimestamp();
        var evaluation = _lastEvaluation?.Version == version ? _lastEvaluation : null;
        _wiring!.Checkpoints!.Tell(new CheckpointDue(version, _lastRecord, evaluation, _wiring.Shards.Count));
        foreach (var shard in _wiring.Shards) shard.Tell(new SnapshotShard(_state.Term, version), _wiring.Checkpoints);
    }

    /// <summary>Ends the run once its last version is on disk, when checkpoints are wanted.</summary>
    private void EndAfterCheckpoint(RunEnd end, string reason)
    {
        _ending = (end, reason);
        Become(EndingBehaviour);
        FinishEnding();
    }

    /// <summary>No step is open; waits for the last checkpoint. Late copies of the last step's messages are expected.</summary>
    private void EndingBehaviour()
    {
        ReceiveCheckpoints();
        ReceiveLate();
        Receive<WorkerFailed>(failed => _listener.Said("worker-lost", failed.Worker.ToString(), $"{failed.Worker} is lost after the last step: {failed.Cause}"));
        Receive<WorkerReady>(ready => Feed(new WorkerJoined(ready.Worker)));
        Receive<StopRun>(_ => { });
    }

    private void FinishEnding()
    {
        if (_ending is not { } ending || _writing is not null) return;
        var version = _state.Committed.Produces;
        // Nothing to keep when the run has not moved since it was loaded, or checkpoints are off.
        if (_wiring!.Checkpoints is null || !_plan.Checkpoints.IsOn || _written == version || _plan.Start?.Version == version) End(ending.End, ending.Reason);
        else BeginCheckpoint(version);
    }
}
