using Cluster.Cli.Hosting;
using Spectre.Console;

namespace Cluster.Cli.Display;

/// <summary>Chooses how to show a run, and hands one job's news to several listeners.</summary>
public static class Displays
{
    /// <summary>Live on a terminal that can move its cursor, else plain. <c>NO_COLOR</c> (no-color.org) keeps the bar and drops the colours.</summary>
    /// <param name="form">A value of <c>--log</c>; null = auto.</param>
    public static IDisplay ForThisProcess(string? form = null) =>
        form == LogForm.Json ? new JsonDisplay(Console.Out, "coordinator", TimeProvider.System)
        : IsTerminal && form != LogForm.Text ? new TerminalDisplay(CreateConsole(), TimeProvider.System) : new PlainDisplay(Console.Out, TimeProvider.System);

    public static IAnsiConsole CreateConsole()
    {
        var colours = string.IsNullOrEmpty(Environment.GetEnvironmentVariable("NO_COLOR"));
        return AnsiConsole.Create(new AnsiConsoleSettings
        {
            Ansi = AnsiSupport.Yes,
            ColorSystem = colours ? ColorSystemSupport.Detect : ColorSystemSupport.NoColors,
            Out = new AnsiConsoleOutput(Console.Out),
        });
    }

    public static bool IsTerminal => !Console.IsOutputRedirected && Environment.GetEnvironmentVariable("TERM") is not (null or "" or "dumb");
}

/// <summary>Tells each observer in turn.</summary>
internal sealed class ObserverChain(params ITrainingObserver[] observers) : ITrainingObserver
{
    public void Starting(Configuration.ResolvedRun run, string description)
    {
        foreach (var observer in observers) observer.Starting(run, description);
    }

    public void Committed(TrainingProgress progress)
    {
        foreach (var observer in observers) observer.Committed(progress);
    }

    public void Evaluated(EvaluationResult result)
    {
        foreach (var observer in observers) observer.Evaluated(result);
    }

    public void Said(string sentence)
    {
        foreach (var observer in observers) observer.Said(sentence);
    }
}

/// <summary>
/// Writes start and evaluations into events.jsonl. Single steps are in commits.jsonl already, and whoever says a sentence
/// writes it down with its kind and node, which an observer does not know.
/// </summary>
internal sealed class EventObserver(Configuration.EventLog events) : ITrainingObserver
{
    public void Starting(Configuration.ResolvedRun run, string description) => events.Append("started", description, "coordinator");

    public void Committed(TrainingProgress progress) { }

    public void Evaluated(EvaluationResult result) =>
        events.Append("evaluated", $"test accuracy {Wording.Percent(result.Accuracy)}, loss {result.Loss:0.0000}, {result.Samples} images after step {result.Step}", "coordinator");

    public void Said(string sentence) { }
}
