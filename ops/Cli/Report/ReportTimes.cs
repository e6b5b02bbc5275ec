using System.Globalization;
using System.Text;
using Cluster.Chaos;
using Cluster.Cli.Charts;

namespace Cluster.Cli.Report;

/// <summary>Where the time went: how long steps took, and the phases within them.</summary>
internal static class ReportTimes
{
    private const int MostPhases = 24;

    public static void Append(StringBuilder page, RunRecord run)
    {
        var times = run.Commits.Steps.Skip(1).Select(static s => s.Milliseconds).Where(static ms => ms > 0 && double.IsFinite(ms)).Order().ToArray();
        var phases = run.Phases.Phases.Where(static p => p.Value.Count > 0).OrderByDescending(static p => p.Value.Seconds).Take(MostPhases).ToList();
        if (times.Length == 0 && phases.Count == 0) return;
        page.Append("<section>\n<h2>Time</h2>\n");
        if (times.Length > 0)
        {
            page.Append("<p class=\"note\">From one committed step to the next, the first one and evaluations left out.</p>\n<div class=\"facts small\">\n");
            foreach (var (name, share) in ((string, double)[])[("median", 0.5), ("95 % are below", 0.95), ("99 % are below", 0.99), ("longest", 1)])
                page.Append($"<div class=\"fact\"><b>{Html.Text(Milliseconds(Quantile(times, share)))}</b><span>{name}</span></div>\n");
            page.Append("</div>\n");
        }
        if (phases.Count > 0)
        {
            page.Append($"<h3 class=\"below\">Phases</h3>\n<p class=\"note\">Traced in {ReportPage.Number(run.Phases.Steps)} steps, added up over all processes: what runs side by side counts each time, and a phase holds those within it.</p>\n");
            var steps = Math.Max(1, run.Phases.Steps);
            page.Append(BarChart.Write([("Milliseconds per step", [.. phases.Select((p, i) => new Bar(p.Key, 1, p.Value.Seconds / steps * 1000, $"{Milliseconds(p.Value.Seconds / steps * 1000)} in {(p.Value.Count / (double)steps).ToString("0.##", CultureInfo.InvariantCulture)} spans of {Milliseconds(p.Value.Seconds / p.Value.Count * 1000)}"))])]));
        }
        page.Append("</section>\n");
    }

    /// <summary>The smallest value that this share of all does not exceed.</summary>
    internal static double Quantile(double[] sorted, double share) => sorted[Math.Clamp((int)Math.Ceiling(share * sorted.Length) - 1, 0, sorted.Length - 1)];

    private static string Milliseconds(double milliseconds) => milliseconds < 100 ? $"{Html.Number(milliseconds, milliseconds < 10 ? "0.00" : "0.0")} ms" : Html.Duration(milliseconds);
}
