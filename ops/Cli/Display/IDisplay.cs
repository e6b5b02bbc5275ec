using Cluster.Cli.Hosting;

namespace Cluster.Cli.Display;

/// <summary>Shows a running job: a live bar on a terminal, plain lines anywhere else.</summary>
public interface IDisplay
{
    /// <summary>Runs <paramref name="job"/> and shows what it reports; hands its outcome or its exception on.</summary>
    Task<TrainingSummary> ShowAsync(Func<ITrainingObserver, Task<TrainingSummary>> job);

    /// <summary>The last words about a run that was finished; the very last line is <c>state sha256 HEX</c>.</summary>
    void Finished(TrainingSummary summary, string folder);
}

/// <summary>Numbers as people read them; one place, so that both displays agree.</summary>
internal static class Wording
{
    public static string Percent(double fraction) => double.IsFinite(fraction) ? $"{fraction * 100:0.00} %" : "-";

    public static string Duration(TimeSpan time) => time switch
    {
        _ when time < TimeSpan.Zero || time > TimeSpan.FromDays(999) => "-",
        { TotalHours: >= 24 } => $"{(int)time.TotalDays} d {time.Hours} h",
        { TotalHours: >= 1 } => $"{(int)time.TotalHours}:{time.Minutes:00}:{time.Seconds:00}",
        _ => $"{time.Minutes}:{time.Seconds:00}",
    };

    public static string Rate(double imagesPerSecond) => imagesPerSecond switch
    {
        >= 100 => $"{imagesPerSecond:0} images/s",
        > 0 => $"{imagesPerSecond:0.0} images/s",
        _ => "- images/s",
    };

    public static string LearningRate(double rate) => rate is 0 or >= 1e-3 ? $"{rate:0.0000}" : $"{rate:0.00e+0}";

    public static string Clipped(ClippingShare clipping) => $"clipped {clipping.Clipped} of {clipping.Steps} steps";

    /// <summary>A line about a step.</summary>
    public static string Step(TrainingProgress progress) =>
        $"step {progress.Step}/{progress.TotalSteps}  epoch {progress.EpochFraction:0.00}  loss {progress.Loss:0.0000}  "
        + $"accuracy {Percent(progress.Accuracy)}  lr {LearningRate(progress.LearningRate)}  "
        + $"{Rate(progress.ImagesPerSecond)}  ETA {Duration(progress.Remaining)}";

    /// <summary>A line about an evaluation.</summary>
    public static string Test(EvaluationResult result) =>
        $"test at step {result.Step}: accuracy {Percent(result.Accuracy)}  top-5 {Percent(result.Top5)}  loss {result.Loss:0.0000}  ({result.Samples} images)";

    /// <summary>The last lines about a run that was finished.</summary>
    public static IEnumerable<string> Finish(TrainingSummary summary, string folder)
    {
        var test = summary.Test is { } result ? $", test accuracy {Percent(result.Accuracy)}" : "";
        yield return $"{summary.Steps} steps ({summary.Epochs:0.##} epochs) in {Duration(summary.Elapsed)}, {Rate(summary.ImagesPerSecond)}{test}";
        if (summary.Early is { } early) yield return $"stopped early: the result is the best version, step {early.BestStep}";
        if (summary.Clipping is { } clipping) yield return Clipped(clipping);
        yield return $"run folder {folder}";
        yield return HashLine(summary);
    }

    public static string HashLine(TrainingSummary summary) => $"state sha256 {summary.StateSha256}";
}
