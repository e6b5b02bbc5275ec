using System.Collections.Concurrent;
using Cluster.Cli.Configuration;
using Cluster.Cli.Hosting;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace Cluster.Cli.Display;

/// <summary>
/// A bar and a line of figures that stay at the bottom of the terminal; what is said scrolls above them. One loop owns the
/// screen: the job's threads only leave their news behind, and never wait for a slow terminal.
/// </summary>
public sealed class TerminalDisplay(IAnsiConsole console, TimeProvider clock) : IDisplay, ITrainingObserver
{
    private static readonly TimeSpan Refresh = TimeSpan.FromMilliseconds(150);

    private readonly ConcurrentQueue<string> _sentences = new();
    private volatile Snapshot? _latest;

    private sealed record Snapshot(TrainingProgress Progress, long At);

    public async Task<TrainingSummary> ShowAsync(Func<ITrainingObserver, Task<TrainingSummary>> job) =>
        await console.Live(Render()).AutoClear(false).StartAsync(async context =>
        {
            var running = Task.Run(() => job(this));
            using var ticks = new PeriodicTimer(Refresh, clock);
            Task<bool> tick = ticks.WaitForNextTickAsync().AsTask();
            while (await Task.WhenAny(running, tick) == tick)
            {
                Draw(context);
                tick = ticks.WaitForNextTickAsync().AsTask();
            }
            Draw(context);
            return await running;
        });

    public void Starting(ResolvedRun run, string description) => _sentences.Enqueue(description);

    public void Committed(TrainingProgress progress) => _latest = new Snapshot(progress, clock.GetTimestamp());

    public void Evaluated(EvaluationResult result) =>
        _sentences.Enqueue($"test at step {result.Step}: accuracy {Wording.Percent(result.Accuracy)}, loss {result.Loss:0.0000}");

    public void Said(string sentence) => _sentences.Enqueue(sentence);

    public void Finished(TrainingSummary summary, string folder)
    {
        var table = new Table().Border(TableBorder.Rounded).HideHeaders().AddColumn("what").AddColumn("figure");
        void Row(string what, string figure) => table.AddRow(new Text(what), new Text(figure));
        Row("steps", $"{summary.Steps} ({summary.Epochs:0.##} epochs)");
        if (summary.Early is { } early) Row("stopped early", $"the result is the best version, step {early.BestStep}");
        Row("time", Wording.Duration(summary.Elapsed));
        Row("speed", Wording.Rate(summary.ImagesPerSecond));
        Row("training loss", $"{summary.TrainLoss:0.0000}");
        if (summary.Test is { } test)
        {
            Row("test loss", $"{test.Loss:0.0000}");
            Row("test accuracy", $"{Wording.Percent(test.Accuracy)} of {test.Samples} images");
            Row("test top-5", Wording.Percent(test.Top5));
        }
        if (summary.Clipping is { } clipping) Row("clipping", Wording.Clipped(clipping));
        if (summary.DataWait is >= 0.02 and var wait) Row("waited for images", $"{Wording.Percent(wait)} of the workers' time");
        Row("folder", folder);
        console.Write(table);
        // Not through the console: it would break a long line at the edge of a narrow terminal.
        console.Profile.Out.Writer.WriteLine(Wording.HashLine(summary));
        console.Profile.Out.Writer.Flush();
    }

    private void Draw(LiveDisplayContext context)
    {
        while (_sentences.TryDequeue(out var sentence)) console.Write(new Sentence(sentence.ReplaceLineEndings(" ")));
        context.UpdateTarget(Render());
    }

    private IRenderable Render()
    {
        if (_latest is not { } latest) return new Text("waiting for the first step");
        var progress = latest.Progress;
        var remaining = progress.Remaining - clock.GetElapsedTime(latest.At);
        if (remaining < TimeSpan.Zero) remaining = TimeSpan.Zero;
        var share = progress.TotalSteps == 0 ? 1 : Math.Clamp((double)progress.Step / progress.TotalSteps, 0, 1);
        var tail = $" {share * 100,3:0} %  step {progress.Step}/{progress.TotalSteps}  ETA {Wording.Duration(remaining)}";
        var width = Math.Clamp(console.Profile.Width - tail.Length - 1, 8, 60);
        var filled = (int)Math.Round(share * width);
        return new Rows(
            new Markup($"[green]{new string('━', filled)}[/][grey]{new string('─', width - filled)}[/]{Markup.Escape(tail)}"),
            new Markup(Markup.Escape($"epoch {progress.EpochFraction:0.00}  loss {progress.Loss:0.0000}  accuracy {Wording.Percent(progress.Accuracy)}  "
                + $"lr {Wording.LearningRate(progress.LearningRate)}  {Wording.Rate(progress.ImagesPerSecond)}")));
    }

    /// <summary>A line in the place of the bar, which is drawn again below it: what is left of the bar has to be erased first.</summary>
    private sealed class Sentence(string text) : IRenderable
    {
        private const string EraseToEndOfScreen = "\u001b[J";

        private readonly IRenderable _text = new Text(text);

        public Measurement Measure(RenderOptions options, int maxWidth) => _text.Measure(options, maxWidth);

        public IEnumerable<Segment> Render(RenderOptions options, int maxWidth) =>
            _text.Render(options, maxWidth).Prepend(Segment.Control(EraseToEndOfScreen)).Append(Segment.LineBreak);
    }
}
