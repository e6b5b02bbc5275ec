using Cluster.Contracts;

namespace Cluster.Coordinator.Monitor.Live;

/// <summary>How far a run is. A value.</summary>
/// <param name="Last">The last committed step; 0 = none.</param>
/// <param name="Open">The step whose leases are out; not above <paramref name="Last"/> when none is.</param>
/// <param name="Timed">Steps that this process has committed, replayed ones left out.</param>
public sealed record LiveProgress(LiveState State, long Last, long Open, long Epoch, int Attempt, long Term, double ImagesPerSecond, double StepSeconds, long Timed, DateTimeOffset At)
{
    /// <summary>Steps that the mean of the step time looks back on.</summary>
    private const int Window = 20;

    /// <summary>How it ended, in words.</summary>
    public string? Reason { get; init; }

    public string? StateSha256 { get; init; }

    public static LiveProgress Of(CommitRecord? last, DateTimeOffset now) =>
        new(LiveState.Starting, last?.Step.Value ?? 0, 0, last?.Epoch ?? 0, 0, last?.Term.Value ?? 1, 0, 0, 0, now);

    public LiveProgress Begun(long step) => this with { State = LiveState.Running, Open = step };

    public LiveProgress Committed(CommittedStep step)
    {
        var record = step.Record;
        var next = this with { State = LiveState.Running, Last = Math.Max(Last, record.Step.Value), Epoch = record.Epoch, Attempt = record.Attempt, Term = record.Term.Value, At = step.At };
        if (step.IsReplayed) return next;
        var seconds = step.SincePrevious.TotalSeconds;
        if (Timed == 0 || seconds <= 0) return next with { Timed = Timed + 1 };
        var weight = Math.Max(1.0 / Timed, 1.0 / Window);
        return next with { Timed = Timed + 1, ImagesPerSecond = step.ImagesPerSecond, StepSeconds = StepSeconds + weight * (seconds - StepSeconds) };
    }

    public LiveProgress EndedWith(RunEnding ending, DateTimeOffset at)
    {
        ArgumentNullException.ThrowIfNull(ending);
        var state = ending.IsFinished ? LiveState.Finished : ending.StateSha256 is null && !ending.Reason.Contains("interrupt", StringComparison.Ordinal) ? LiveState.Failed : LiveState.Stopped;
        return this with { State = state, Reason = ending.Reason, StateSha256 = ending.StateSha256, At = at };
    }
}
