using Cluster.Cli.Configuration;
using Cluster.Cli.Hosting;
using Cluster.Contracts;

namespace Cluster.Cli.Display;

/// <summary>A JSON log of a run, with as many lines as <see cref="PlainDisplay"/> has. A line about a step leads to the step's trace.</summary>
public sealed class JsonDisplay : IDisplay, ITrainingObserver
{
    private readonly TextWriter _output;
    private readonly string _node;
    private readonly TimeProvider _clock;
    private readonly StepLines _lines;
    private readonly Lock _lock = new();
    private string _runId = "";

    public JsonDisplay(TextWriter output, string node, TimeProvider clock)
    {
        _output = output;
        _node = node;
        _clock = clock;
        _lines = new StepLines(clock);
    }

    public Task<TrainingSummary> ShowAsync(Func<ITrainingObserver, Task<TrainingSummary>> job)
    {
        ArgumentNullException.ThrowIfNull(job);
        return job(this);
    }

    public void Starting(ResolvedRun run, string description)
    {
        ArgumentNullException.ThrowIfNull(run);
        _runId = run.RunId;
        Line(description);
    }

    public void Committed(TrainingProgress progress)
    {
        ArgumentNullException.ThrowIfNull(progress);
        if (_lines.IsDue(progress)) Line(Wording.Step(progress), progress.Step);
    }

    public void Evaluated(EvaluationResult result)
    {
        ArgumentNullException.ThrowIfNull(result);
        Line(Wording.Test(result), result.Step);
    }

    public void Said(string sentence) => Line(sentence);

    public void Finished(TrainingSummary summary, string folder)
    {
        foreach (var line in Wording.Finish(summary, folder)) Line(line);
    }

    private void Line(string message, long? step = null)
    {
        var trace = step is > 0 ? StepTrace.IdOf(_runId, new StepId(step.Value)).ToHexString() : null;
        var line = JsonLine.Write(_clock.GetUtcNow(), JsonLine.Info, _node, message.ReplaceLineEndings(" "), step, trace);
        lock (_lock)
        {
            _output.WriteLine(line);
            _output.Flush();
        }
    }
}
