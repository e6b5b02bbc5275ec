using Cluster.Cli.Hosting;

namespace Cluster.Cli.Display;

/// <summary>
/// Which steps a log has a line about: the first and the last always, between them at most one line in five seconds, or one in
/// ten steps that took a second or more. Any thread.
/// </summary>
internal sealed class StepLines(TimeProvider clock)
{
    private static readonly TimeSpan LongestSilence = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan ShortestSilence = TimeSpan.FromSeconds(1);
    private const int StepsBetweenLines = 10;

    private readonly Lock _lock = new();
    private long _lastAt;
    private long _lastStep = long.MinValue;

    /// <summary>True once for a step that gets a line.</summary>
    public bool IsDue(TrainingProgress progress)
    {
        lock (_lock)
        {
            var silence = clock.GetElapsedTime(_lastAt);
            var due = _lastStep == long.MinValue
                || progress.Step >= progress.TotalSteps
                || silence >= LongestSilence
                || (progress.Step - _lastStep >= StepsBetweenLines && silence >= ShortestSilence);
            if (!due) return false;
            _lastAt = clock.GetTimestamp();
            _lastStep = progress.Step;
            return true;
        }
    }
}
