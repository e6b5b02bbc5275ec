using Cluster.Cli.Configuration;
using Cluster.Cli.Hosting;

namespace Cluster.Cli.Display;

/// <summary>Lines for a pipe or a log file, a few of them about steps (<see cref="StepLines"/>). Every line is flushed, so a reader sees it at once.</summary>
public sealed class PlainDisplay(TextWriter output, TimeProvider clock) : IDisplay, ITrainingObserver
{
    private readonly Lock _lock = new();
    private readonly StepLines _lines = new(clock);

    public Task<TrainingSummary> ShowAsync(Func<ITrainingObserver, Task<TrainingSummary>> job) => job(this);

    public void Starting(ResolvedRun run, string description) => Line(description);

    public void Committed(TrainingProgress progress)
    {
        if (_lines.IsDue(progress)) Line(Wording.Step(progress));
    }

    public void Evaluated(EvaluationResult result) => Line(Wording.Test(result));

    public void Said(string sentence) => Line(sentence);

    public void Finished(TrainingSummary summary, string folder)
    {
        foreach (var line in Wording.Finish(summary, folder)) Line(line);
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
