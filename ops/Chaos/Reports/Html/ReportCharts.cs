using System.Text;
using Cluster.Contracts;

namespace Cluster.Chaos;

/// <summary>The loss curve and the time of each step, with the undisturbed run's behind and a mark for each fault.</summary>
internal static class ReportCharts
{
    /// <summary>Marks closer than this share of the width go into the next row, of which there are so many.</summary>
    private const double MarkWidth = 0.022;

    private const int MarkRows = 4, MarkRowPixels = 23;

    public static void Append(StringBuilder page, ChaosReport report, IReadOnlyList<NumberedFault> faults)
    {
        if (report.Steps.Count == 0) return;
        var x = new Axis(1, Math.Max(2, report.Run.Steps));
        var calm = report.Undisturbed;
        var same = calm.Count > 0 && calm.Count == report.Steps.Count && calm.Zip(report.Steps).All(static p => p.First.Loss.Equals(p.Second.Loss));
        var differs = calm.Zip(report.Steps).FirstOrDefault(static p => !p.First.Loss.Equals(p.Second.Loss)).First?.Step;
        page.Append("<section>\n<h2>Training loss</h2>\n<p class=\"note\">");
        page.Append(calm.Count == 0 ? "The expected hash was given, so there is no undisturbed curve to compare with."
            : same ? "Both curves are drawn, the undisturbed one wide and pale behind the other. They coincide in every step, to the last digit."
            : differs is { } step ? $"The curves part at step {step}." : "The curves agree as far as both go.");
        page.Append("</p>\n");
        Legend(page, faults, calm.Count > 0);
        Chart(page, "loss", "", x, Axis.Around(report.Steps.Select(static s => s.Loss).Concat(calm.Select(static s => s.Loss))), static value => Html.Number(value),
            [.. calm.Select(static s => new CurvePoint(s.Step, s.Loss))], [.. report.Steps.Select(static s => new CurvePoint(s.Step, s.Loss))], faults);
        page.Append("</section>\n<section>\n<h2>Time per step</h2>\n<p class=\"note\">From one record in the log to the next, in ms on a logarithmic scale. A peak is a recovery; the first step holds the start of the run.</p>\n");
        Chart(page, "wait", " ms", x, Axis.Logarithmic(report.Steps.Select(static s => s.WaitMilliseconds).Concat(calm.Select(static s => s.Milliseconds))), static value => Html.Number(value, "#,0.##"),
            [.. calm.Select(static s => new CurvePoint(s.Step, s.Milliseconds))], [.. report.Steps.Select(static s => new CurvePoint(s.Step, Math.Max(0.001, s.WaitMilliseconds)))], faults);
        page.Append("</section>\n");
    }

    private static void Legend(StringBuilder page, IReadOnlyList<NumberedFault> faults, bool hasCalm)
    {
        page.Append("<div class=\"legend\">");
        if (hasCalm) page.Append("<span><i class=\"thick\" style=\"border-color:var(--calm)\"></i>undisturbed</span>");
        page.Append("<span><i style=\"border-color:var(--storm)\"></i>disturbed</span>");
        foreach (var (family, words) in (ReadOnlySpan<(string, string)>)[("process", "process"), ("inside", "inside a node"), ("network", "network"), ("run", "whole run")])
            if (faults.Any(f => f.Family == family)) page.Append($"<span><i class=\"dot {family}\"></i>{words}</span>");
        page.Append("<span class=\"n\">A mark tells its fault when pointed at, tapped or focused.</span></div>\n");
    }

    private static void Chart(StringBuilder page, string series, string unit, Axis x, Axis y, Func<double, string> format, IReadOnlyList<CurvePoint> calm, IReadOnlyList<CurvePoint> storm, IReadOnlyList<NumberedFault> faults)
    {
        var (marks, rows) = Rows(faults.Where(static f => f.Fault.Outcome == FaultOutcome.Struck), f => x.At(f.Fault.Step));
        page.Append($"<div class=\"marks\" style=\"height:{rows * MarkRowPixels + 4}px\">");
        foreach (var (fault, at, row) in marks) page.Append(fault.Mark(at, $";top:{row * MarkRowPixels}px"));
        page.Append($"</div>\n<div class=\"chart\"><div class=\"plot\" data-series=\"{series}\" data-unit=\"{unit}\">");
        foreach (var tick in y.Ticks())
        {
            var top = Html.Percent(1 - y.At(tick));
            page.Append($"<div class=\"grid\" style=\"top:{top}\"></div><div class=\"ylabel\" style=\"top:{top}\">{format(tick)}</div>");
        }
        foreach (var tick in x.Ticks().Where(static t => t >= 1 && t == Math.Floor(t))) page.Append($"<div class=\"xlabel\" style=\"left:{Html.Percent(x.At(tick))}\">{Html.Number(tick, "#,0")}</div>");
        foreach (var (fault, at, _) in marks) page.Append($"<div class=\"rule {fault.Family}\" style=\"left:{Html.Percent(at)}\"></div>");
        page.Append($"<svg viewBox=\"0 0 1000 1000\" preserveAspectRatio=\"none\" role=\"img\" aria-label=\"{series} by step\">");
        if (calm.Count > 0) page.Append($"<path class=\"calm\" d=\"{Curve.Path(Curve.Thin(calm, Limits.ReportCurvePoints), x, y)}\"/>");
        page.Append($"<path class=\"storm\" d=\"{Curve.Path(Curve.Thin(storm, Limits.ReportCurvePoints), x, y)}\"/></svg>");
        page.Append("<div class=\"cursor\"></div><div class=\"readout\"></div></div></div>\n");
    }

    /// <summary>Puts marks that would lie upon one another into rows.</summary>
    internal static (IReadOnlyList<(NumberedFault Fault, double At, int Row)> Marks, int Rows) Rows(IEnumerable<NumberedFault> faults, Func<NumberedFault, double> placeOf)
    {
        var ends = new double[MarkRows];
        Array.Fill(ends, double.NegativeInfinity);
        var marks = new List<(NumberedFault, double, int)>();
        var used = 0;
        foreach (var (fault, at) in faults.Select(f => (f, placeOf(f))).OrderBy(static p => p.Item2))
        {
            var row = Array.FindIndex(ends, end => end <= at);
            if (row < 0) row = Array.IndexOf(ends, ends.Min());
            ends[row] = at + MarkWidth;
            used = Math.Max(used, row + 1);
            marks.Add((fault, at, row));
        }
        return (marks, used);
    }
}
