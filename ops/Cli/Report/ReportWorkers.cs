using System.Globalization;
using System.Text;
using Cluster.Chaos;
using Cluster.Cli.Charts;
using Cluster.Cli.Display;

namespace Cluster.Cli.Report;

/// <summary>Who computed how much, and when.</summary>
internal static class ReportWorkers
{
    /// <summary>Rows of the table; more are summed up in a sentence.</summary>
    private const int MostRows = 64;

    public static void Append(StringBuilder page, RunRecord run)
    {
        var workers = run.Commits.Workers;
        if (workers.Count == 0) return;
        var total = workers.Sum(static w => w.Samples);
        page.Append("<section>\n<h2>Workers</h2>\n<p class=\"note\">By the leaves that counted, from the commit log. Images/s: over the steps in which a worker took part.");
        if (run.Commits.Terms > 1) page.Append($" The steps were decided in {run.Commits.Terms} terms.");
        if (run.Commits.Repeated > 0) page.Append($" {ReportPage.Number(run.Commits.Repeated)} {(run.Commits.Repeated == 1 ? "step was" : "steps were")} computed more than once.");
        if (run.Commits.Skipped > 0) page.Append($" {ReportPage.Number(run.Commits.Skipped)} {(run.Commits.Skipped == 1 ? "step was" : "steps were")} skipped for a gradient that is not finite.");
        page.Append("</p>\n");
        if (workers.Count > 1) page.Append(Shares(run.Commits));
        page.Append("<div class=\"wide\"><table class=\"cards\"><thead><tr><th>worker</th><th class=\"n\">images</th><th class=\"n\">share</th><th class=\"n\">images/s</th><th class=\"n\">steps</th><th class=\"n\">from</th><th class=\"n\">to</th></tr></thead><tbody>\n");
        foreach (var worker in workers.Take(MostRows))
        {
            page.Append($"<tr><td class=\"whole\"><span><i class=\"key {ChartSeries.StyleOf(Colour(worker.Worker))}\"></i>worker-{worker.Worker}</span></td>");
            Cell("images", ReportPage.Number(worker.Samples));
            Cell("share", Wording.Percent((double)worker.Samples / Math.Max(1, total)));
            Cell("images/s", worker.Milliseconds > 0 ? Html.Number(SamplesTimed(worker, run) / worker.Milliseconds * 1000, "#,0.#") : "-");
            Cell("steps", ReportPage.Number(worker.Steps));
            Cell("from", ReportPage.Number(worker.First));
            Cell("to", ReportPage.Number(worker.Last));
            page.Append("</tr>\n");
        }
        page.Append("</tbody></table></div>\n");
        if (workers.Count > MostRows) page.Append($"<p class=\"note\">And {workers.Count - MostRows} more.</p>\n");
        page.Append("</section>\n");

        void Cell(string name, string text) => page.Append($"<td class=\"n\" data-name=\"{name}\">{Html.Text(text)}</td>");
    }

    private static int Colour(int worker) => worker + 1;

    /// <summary>Without those of the first step, whose time is not counted either.</summary>
    private static double SamplesTimed(WorkerPart worker, RunRecord run) =>
        worker.First == 1 && worker.Steps > 1 && run.Commits.Steps.Count > 1 ? worker.Samples * (worker.Steps - 1.0) / worker.Steps : worker.Samples;

    /// <summary>Areas upon each other that fill the height: each worker's share of the images.</summary>
    private static string Shares(CommitHistory commits)
    {
        var rows = commits.Shares.Rows;
        var workers = commits.Workers.Select(static w => w.Worker).ToList();
        var (across, up) = (new Axis(1, Math.Max(2, commits.Steps[^1].Step + 1)), new Axis(0, 100));
        var below = new double[rows.Count];
        var drawing = new StringBuilder();
        foreach (var worker in workers)
        {
            var above = rows.Select((row, i) => below[i] + 100.0 * row.GetValueOrDefault(worker) / Math.Max(1, row.Values.Sum())).ToArray();
            drawing.Append($"<path class=\"{ChartSeries.StyleOf(Colour(worker))} area\" d=\"{Outline(below, above, commits, across, up)}\"><title>worker-{worker}</title></path>");
            below = above;
        }
        return $"<div class=\"charts one\">{PlotFrame.Write("Share of the images", new ChartAxis("step", "#,0"), new ChartAxis("%"), across, up, drawing.ToString())}</div>\n";
    }

    /// <summary>Steps like stairs along the upper edge, and back along the lower one.</summary>
    private static string Outline(double[] below, double[] above, CommitHistory commits, Axis across, Axis up)
    {
        var path = new StringBuilder();
        for (var i = 0; i < above.Length; i++) Stair(i, above[i], isForward: true);
        for (var i = below.Length - 1; i >= 0; i--) Stair(i, below[i], isForward: false);
        return path.Append('Z').ToString();

        void Stair(int row, double value, bool isForward)
        {
            var from = 1 + (long)row * commits.Shares.StepsPerRow;
            var to = Math.Min(from + commits.Shares.StepsPerRow, commits.Steps[^1].Step + 1);
            var (a, b) = isForward ? (from, to) : (to, from);
            path.Append(string.Create(CultureInfo.InvariantCulture, $"{(path.Length == 0 ? 'M' : 'L')}{1000 * across.At(a):0.#} {1000 * (1 - up.At(value)):0.#}H{1000 * across.At(b):0.#}"));
        }
    }
}
