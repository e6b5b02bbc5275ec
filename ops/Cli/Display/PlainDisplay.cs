using Cluster.Cli.Configuration;
using Cluster.Cli.Hosting;

namespace Cluster.Cli.Display;

/// <summary>
/// Lines for a pipe or a log file: the first and the last step always, between them at most one line in five seconds, or one
/// in ten steps that took a second or more. Every line is flushed, so a reader sees it at once.
/// </summary>
public sealed class PlainDisplay(TextWriter output, TimeProvider clock) : IDisplay, ITrainingObserver
{
    private static readonly TimeSpan LongestSilence = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan ShortestSilence = TimeSpan.FromSeconds(1);
    private const int StepsBetweenLines = 10;

    private readonly Lock _lock = new();
    private long _lastLineAt;
    private long _lastLineStep = long.MinValue;

    public Task<TrainingSummary> ShowAsync(Func<ITrainingObserver, Task<TrainingSummary>> job) => job(this);

    public void Starting(ResolvedRun run, string description) => Line(description);

    public void Committed(TrainingProgress progress)
    {
        lock (_lock)
        {
            var silence = clock.GetElapsedTime(_lastLineAt);
            var due = _lastLineStep == long.MinValue
                || progress.Step >= progress.TotalSteps
                || silence >= LongestSilence
                || (progress.Step - _lastLineStep >= StepsBetweenLines && silence >= ShortestSilence);
            if (!due) return;
            _lastLineAt = clock.GetTimestamp();
            _lastLineStep = progress.Step;
            Line($"step {progress.Step}/{progress.TotalSteps}  epoch {progress.EpochFraction:0.00}  loss {progress.Loss:0.0000}  "
                + $"accuracy {Wording.Percent(progress.Accuracy)}  lr {Wording.LearningRate(progress.LearningRate)}  "
                + $"{Wording.Rate(progress.ImagesPerSecond)}  ETA {Wording.Duration(progress.Remaining)}");
        }
    }

    public void Evaluated(EvaluationResult result) =>
        Line($"test at step {result.Step}: accuracy {Wording.Percent(result.Accuracy)}  top-5 {Wording.Percent(result.Top5)}  loss {result.Loss:0.0000}  ({result.Samples} images)");

    public void Said(string sentence) => Line(sentence);

    public void Finished(TrainingSummary summary, string folder)
    {
        var test = summary.Test is { } result ? $", test accuracy {Wording.Percent(result.Accuracy)}" : "";
        Line($"{summary.Steps} steps ({summary.Epochs:0.##} epochs) in {Wording.Duration(summary.Elapsed)}, {Wording.Rate(summary.ImagesPerSecond)}{test}");
        if (summary.Early is { } early) Line($"stopped early: the result is the best version, step {early.BestStep}");
        if (summary.Clipping is { } clipping) Line(Wording.Clipped(clipping));
        Line($"run folder {folder}");
        Line(Wording.HashLine(summary));
    }

    private void Line(string text)
    {
        lock (_lock)
        {
            output.WriteLine(text.ReplaceLineEndings(" "));
            output.Flush();
        }
    }
}
