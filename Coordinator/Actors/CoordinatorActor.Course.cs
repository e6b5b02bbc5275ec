using Cluster.Contracts;
using Cluster.Coordinator.Core;

namespace Cluster.Coordinator.Actors;

// What evaluations make of the run: the learning rate of a plateau, the version that is kept as the best, an early end.
public sealed partial class CoordinatorActor
{
    private sealed record KeepBestAgain;

    /// <summary>The fold over the evaluations that the log holds.</summary>
    private RunCourse _course;

    private RunCourse FirstCourse => new(_plan.Schedule, new EarlyStopping(_plan.EarlyStopping));

    /// <summary>What is known about a version and goes into the record of the step that begins with it.</summary>
    private EvaluationNote? NoteOf(WeightsVersion version) =>
        _lastEvaluation is { } last && last.Version == version ? new EvaluationNote(version, last.Loss, last.Accuracy) : null;

    /// <summary>The newest version has no step behind it yet whose record could hold what is known about it.</summary>
    private bool IsNewest(WeightsVersion version) => version.Value == _run.Logged.Value;

    private RunCourse CourseAt(WeightsVersion version) => IsNewest(version) && NoteOf(version) is { } note ? _course.Knowing(note) : _course;

    /// <summary>The version that is the run's result if none better comes; null when early stopping is off, or nothing was evaluated.</summary>
    private WeightsVersion? BestAt(WeightsVersion version) => CourseAt(version).Stopping is { IsOn: true, Best: { } best } ? best.Version : null;

    /// <summary>
    /// The best version so far is the run's result if none better comes: no step begins before its checkpoint is on disk.
    /// In a replay only the best of the whole log is kept again; those that it outdid are not.
    /// </summary>
    private bool IsKeepingBest(WeightsVersion version)
    {
        if (_stopping is not null || !_plan.Checkpoints.IsOn || _kept == version || BestAt(version) != version) return false;
        if (_writing is null && !Timers.IsTimerActive(nameof(KeepBestAgain))) BeginCheckpoint(version);
        return true;
    }

    /// <summary>A disk that has no room for the best version holds the run up, loudly, as it does for a record.</summary>
    /// <returns>False when the version can be done without.</returns>
    private bool MustBeKept(CheckpointFailed failed)
    {
        if (_stopping is not null || BestAt(failed.Version) != failed.Version) return false;
        Wait("checkpoint", $"Step {failed.Version.Value + 1} waits: version {failed.Version} is the best so far and its checkpoint cannot be written ({failed.Reason.TrimEnd('.')}). It is tried again every second.");
        Timers.StartSingleTimer(nameof(KeepBestAgain), new KeepBestAgain(), DiskRetry);
        return true;
    }

    /// <summary>Ends a run whose patience is spent: only at the newest version, for the log says that it went on from the others.</summary>
    private bool IsEndingEarly(WeightsVersion version)
    {
        if (!IsNewest(version) || CourseAt(version).Stopping is not { IsSpent: true, Best: { } best }) return false;
        if (_writing is not null) return true;
        var early = new EarlyStop(version, best, _plan.EarlyStopping);
        _listener.Said("stopped-early", "coordinator", early.Sentence);
        End(RunEnd.Finished, early.Sentence, null, early);
        return true;
    }
}
