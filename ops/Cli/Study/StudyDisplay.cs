using Cluster.Cli.Configuration;
using Cluster.Cli.Display;
using Cluster.Cli.Hosting;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace Cluster.Cli.Study;

/// <summary>
/// Shows a study: on a terminal two bars, of the study and of the cell that is trained, and anywhere else lines. Either way
/// one line stays of every cell.
/// </summary>
/// <param name="console">Of a terminal; null = lines alone.</param>
internal sealed class StudyDisplay(TextWriter output, TimeProvider clock, IAnsiConsole? console = null)
{
    private static readonly TimeSpan Refresh = TimeSpan.FromMilliseconds(150);

    /// <summary>A line from within a long cell, on a pipe.</summary>
    private static readonly TimeSpan LongestSilence = TimeSpan.FromSeconds(30);

    private readonly Lock _lock = new();

    public static StudyDisplay ForThisProcess() => new(Console.Out, TimeProvider.System, Displays.IsTerminal ? Displays.CreateConsole() : null);

    public void Say(string sentence)
    {
        lock (_lock)
        {
            output.WriteLine(sentence.ReplaceLineEndings(" "));
            output.Flush();
        }
    }

    public void Begin(StudyState state)
    {
        var plan = state.Plan;
        var before = state.Done > 0 ? $"{state.Done} of {plan.Cells.Length} cells are done, going on" : $"{plan.Cells.Length} cells";
        var images = plan.Evaluated == plan.TestSamples ? $"all {plan.TestSamples:N0} test images" : $"{plan.Evaluated:N0} of {plan.TestSamples:N0} test images";
        Say($"study of {plan.Study}: {before}, {plan.Steps:N0} {(plan.Steps == 1 ? "step" : "steps")} of {plan.Base.Batch} each ({plan.Epochs:0.##} epochs), {images}{Left(state)}");
        if (!plan.LeftOut.IsEmpty) Say($"the time does not allow {string.Join(", ", plan.LeftOut)}: more --minutes, or name them with --variants");
    }

    /// <summary>Shows one cell while it is trained; hands its outcome or its exception on.</summary>
    public async Task<CellOutcome> ShowAsync(StudyState state, StudyCell cell, Func<ITrainingObserver, Task<CellOutcome>> train)
    {
        var news = new News();
        var running = Task.Run(() => train(news));
        if (console is not null)
        {
            await console.Live(Bars(state, cell, news)).AutoClear(true).StartAsync(async context =>
            {
                using var ticks = new PeriodicTimer(Refresh, clock);
                for (var tick = ticks.WaitForNextTickAsync().AsTask(); await Task.WhenAny(running, tick) == tick; tick = ticks.WaitForNextTickAsync().AsTask())
                    context.UpdateTarget(Bars(state, cell, news));
            });
            return await running;
        }
        using var silence = new PeriodicTimer(LongestSilence, clock);
        for (var tick = silence.WaitForNextTickAsync().AsTask(); await Task.WhenAny(running, tick) == tick; tick = silence.WaitForNextTickAsync().AsTask())
        {
            if (news.Latest is { } at) Say($"{cell.Name}: step {at.Step}/{at.TotalSteps}, loss {at.Loss:0.0000}{Left(state, news.Share)}");
        }
        return await running;
    }

    public void Ended(StudyState state, StudyCell cell, CellOutcome outcome)
    {
        var figures = outcome.Failure is { } failure
            ? $"{failure} behind step {outcome.Steps}"
            : $"train loss {outcome.TrainLoss:0.0000}, test accuracy {Wording.Percent(outcome.TestAccuracy ?? double.NaN)}, {Wording.Duration(TimeSpan.FromSeconds(outcome.Seconds))}";
        var count = $"{state.Plan.Cells.Length}";
        Say($"[{$"{state.Done}".PadLeft(count.Length)}/{count}] {cell.Model} {cell.Variant}: {figures}{Left(state)}");
    }

    private static string Left(StudyState state, double running = 0) =>
        !state.IsComplete && state.Remaining(running) is { } left ? $"; about {Wording.Duration(left)} left" : "";

    private static Rows Bars(StudyState state, StudyCell cell, News news)
    {
        var whole = (state.Done + news.Share) / state.Plan.Cells.Length;
        var at = news.Latest;
        return new Rows(
            Bar(whole, $"cell {state.Done + 1} of {state.Plan.Cells.Length}{Left(state, news.Share)}"),
            Bar(news.Share, $"{cell.Model} {cell.Variant}{(at is null ? ": starting" : $": step {at.Step}/{at.TotalSteps}  loss {at.Loss:0.0000}  {Wording.Rate(at.ImagesPerSecond)}")}"));
    }

    private static Markup Bar(double share, string tail)
    {
        const int width = 30;
        var filled = (int)Math.Round(Math.Clamp(share, 0, 1) * width);
        return new Markup($"[green]{new string('━', filled)}[/][grey]{new string('─', width - filled)}[/] {Markup.Escape(tail)}");
    }

    /// <summary>What the job's threads leave behind for the screen.</summary>
    private sealed class News : ITrainingObserver
    {
        private volatile TrainingProgress? _latest;

        public TrainingProgress? Latest => _latest;

        public double Share => _latest is { TotalSteps: > 0 } at ? (double)at.Step / at.TotalSteps : 0;

        public void Starting(ResolvedRun run, string description) { }

        public void Committed(TrainingProgress progress) => _latest = progress;

        public void Evaluated(EvaluationResult result) { }

        /// <summary>The course of a run is told in its own events.jsonl.</summary>
        public void Said(string sentence) { }
    }
}
