using System.Globalization;
using System.Text;
using Cluster.Chaos;
using Cluster.Cli.Charts;
using Cluster.Cli.Configuration;
using Cluster.Cli.Display;
using Cluster.Cli.Hosting;
using Cluster.Contracts;

namespace Cluster.Cli.Report;

/// <summary>report.html: a run on one page. Pure.</summary>
internal static class ReportPage
{
    public static string Write(RunRecord run)
    {
        ArgumentNullException.ThrowIfNull(run);
        var page = new StringBuilder(1 << 16);
        Lead(page, run);
        Facts(page, run);
        ReportConfiguration.AppendGiven(page, run.Config);
        ReportCurves.Append(page, run);
        ReportClasses.Append(page, run.Evaluation);
        ReportTimes.Append(page, run);
        ReportWorkers.Append(page, run);
        ReportEvents.Append(page, run);
        ReportConfiguration.AppendRest(page, run);
        return ChartPage.Write($"{run.Name}: report", page.ToString(), "report.css");
    }

    private static void Lead(StringBuilder page, RunRecord run)
    {
        var options = run.Config.Options;
        var (word, style) = run.State switch
        {
            RunState.Finished => ("finished", "good"),
            RunState.Interrupted => ("interrupted", "warn"),
            RunState.Running => ("running", "calm"),
            RunState.Failed => ("failed", "bad"),
            _ => ("damaged", "bad"),
        };
        page.Append($"<section class=\"lead\">\n<h1>{Html.Text(run.Name)} <span class=\"state {style}\">{word}</span></h1>\n");
        page.Append($"<p>{Html.Whole(Sentence(run))}</p>\n");
        if (run.State == RunState.Failed && run.Events.LastOrDefault(static e => e.Kind == "failed") is { } failure) page.Append($"<p class=\"short\">{Html.Text(failure.Sentence)}</p>\n");
        if (run.State == RunState.Interrupted) page.Append($"<p class=\"note\"><code>./cluster train --resume --out {Html.Whole(run.Name)}</code> goes on from here.</p>\n");
        if (run.Commits.Trouble is { } trouble) page.Append($"<p class=\"short\">{Html.Text(Capital(trouble))}.</p>\n");
        if (run.Result.StateSha256 is { } hash) page.Append($"<dl class=\"hash\"><dt>state sha256</dt><dd><code>{Html.Text(hash)}</code></dd></dl>\n");
        page.Append($"<p class=\"note\">{Html.Text(options.Model)} on {Html.Text(options.Data)}, recipe {Html.Text(options.Recipe ?? "none")}, seed {options.Seed}");
        if (run.Config.Started is { } started) page.Append($", begun {started.UtcDateTime.ToString("yyyy-MM-dd HH:mm", CultureInfo.InvariantCulture)} UTC");
        page.Append("</p>\n</section>\n");
    }

    private static string Sentence(RunRecord run)
    {
        var steps = run.Commits.Steps.Count;
        if (steps == 0) return "The run has committed no step.";
        var total = run.Config.TotalSteps ?? run.Config.Options.Steps;
        var text = new StringBuilder($"{Number(steps)}{(total is { } all && all != steps ? $" of {Number(all)}" : "")} {(steps == 1 ? "step" : "steps")} of {Number(run.Config.Options.Batch)} images");
        if (run.Result.StopReason is { Length: > 0 } reason) text.Append($"; stopped early: {reason.TrimEnd('.')}, so step {run.Result.BestStep} is the result");
        if (Accuracy(run) is { } accuracy) text.Append($"; {Wording.Percent(accuracy)} of the test images right");
        var faults = run.Events.Count(static e => ReportEvents.IsTrouble(e.Kind));
        text.Append(faults == 0 ? "; nothing went wrong." : $"; {faults} {(faults == 1 ? "event tells" : "events tell")} of trouble on the way, listed below.");
        return text.ToString();
    }

    private static void Facts(StringBuilder page, RunRecord run)
    {
        var commits = run.Commits;
        if (commits.Steps.Count == 0) return;
        var last = commits.Steps[^1];
        page.Append("<div class=\"facts\">\n");
        if (Accuracy(run) is { } accuracy) Fact(Wording.Percent(accuracy), $"test accuracy{(run.Result.TestTop5 is { } top5 ? $"; top-5 {Wording.Percent(top5)}" : "")}");
        if ((run.Result.TestLoss ?? LastEvaluation(run)?.Loss) is { } testLoss) Fact(Html.Number(testLoss, "0.0000"), "test loss");
        Fact(Html.Number(last.Loss, "0.0000"), "training loss of the last step");
        Fact(Rate(commits) is var rate && double.IsFinite(rate) ? Html.Number(rate, "#,0") : "-", "images/s, over all steps but the first");
        Fact(Wording.Duration(TimeSpan.FromMilliseconds(commits.Steps.Sum(static s => double.IsFinite(s.Milliseconds) ? s.Milliseconds : 0))), "in steps, evaluations left out");
        Fact($"{commits.Workers.Count} + {run.Config.Options.Ps}", "workers that contributed, parameter shards");
        page.Append("</div>\n");

        void Fact(string figure, string words) => page.Append($"<div class=\"fact\"><b>{Html.Text(figure)}</b><span>{Html.Text(words)}</span></div>\n");
    }

    private static EvaluationResult? LastEvaluation(RunRecord run) => run.Evaluations.Count > 0 ? run.Evaluations[^1] : null;

    private static double? Accuracy(RunRecord run) => run.Result.TestAccuracy ?? LastEvaluation(run)?.Accuracy;

    /// <summary>The run's own figure is that of its last process alone; this one holds its interruptions too. NaN when there is none.</summary>
    private static double Rate(CommitHistory commits)
    {
        var (samples, milliseconds) = (0L, 0.0);
        foreach (var step in commits.Steps.Skip(1).Where(static s => s.Milliseconds > 0 && double.IsFinite(s.Milliseconds)))
        {
            samples += step.Samples;
            milliseconds += step.Milliseconds;
        }
        return samples / milliseconds * 1000;
    }

    internal static string Number(long value) => value.ToString("N0", CultureInfo.InvariantCulture);

    internal static string Capital(string sentence) => sentence.Length == 0 ? sentence : char.ToUpperInvariant(sentence[0]) + sentence[1..];
}
