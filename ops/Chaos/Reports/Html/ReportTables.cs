using System.Globalization;
using System.Text;
using Cluster.Contracts;

namespace Cluster.Chaos;

/// <summary>The faults one by one, by kind, and what was said in the run.</summary>
internal static class ReportTables
{
    public static void Faults(StringBuilder page, ChaosReport report, IReadOnlyList<NumberedFault> faults)
    {
        page.Append("<section class=\"long\">\n<h2>Faults</h2>\n<p class=\"note\">Recovery is the time from the strike to the next record in the log; the thin line is its share of the bound.");
        if (faults.Count < report.Faults.Count) page.Append($" The first {faults.Count} of {report.Faults.Count}; {ChaosRun.JsonName} has all.");
        page.Append("</p>\n<table class=\"cards\"><thead><tr><th></th><th>fault</th><th class=\"n\">step</th><th>noticed</th><th>done</th><th>recovery</th></tr></thead><tbody>\n");
        foreach (var (number, fault) in faults)
        {
            page.Append($"<tr><td data-name=\"number\"><span class=\"badge {faults[number - 1].Family}\"><b>{number}</b></span></td>");
            page.Append($"<td data-name=\"fault\"><div><code>{Html.Text(fault.Fault)}</code><br>{Outcome(fault)}</div></td><td class=\"n\" data-name=\"step\">{fault.Step}</td>");
            page.Append($"<td data-name=\"noticed\"><div>{(fault.Outcome != FaultOutcome.Struck ? $"<span class=\"soft\">{Html.Text(fault.Said)}</span>" : fault.Noticed is { } noticed ? Line(noticed) : "<span class=\"soft\">nobody had to</span>")}</div></td>");
            page.Append("<td data-name=\"done\"><ul class=\"done\">");
            foreach (var done in fault.Done) page.Append($"<li>{Line(done)}</li>");
            page.Append($"</ul></td><td data-name=\"recovery\"><div>{Recovery(fault)}</div></td></tr>\n");
        }
        page.Append("</tbody></table>\n</section>\n");
    }

    public static void Kinds(StringBuilder page, ChaosReport report)
    {
        if (report.Kinds.Count == 0) return;
        page.Append("<section>\n<h2>Recovery by kind</h2>\n<p class=\"note\">From the strike to the next record in the log.</p>\n<table><thead><tr><th>kind</th><th class=\"n\">struck</th><th class=\"n\">p50</th><th class=\"n\">p95</th><th class=\"n\">longest</th><th class=\"n\">over its bound</th></tr></thead><tbody>\n");
        foreach (var kind in report.Kinds)
            page.Append($"<tr><td>{Html.Text(kind.Kind)}</td><td class=\"n\">{kind.Struck}</td><td class=\"n\">{Html.Duration(kind.P50)}</td><td class=\"n\">{Html.Duration(kind.P95)}</td><td class=\"n\">{Html.Duration(kind.Max)}</td><td class=\"n\">{(kind.OverBound == 0 ? "–" : kind.OverBound)}</td></tr>\n");
        page.Append("</tbody></table>\n</section>\n");
    }

    public static void Events(StringBuilder page, ChaosReport report)
    {
        if (report.Events.Count == 0) return;
        var shown = report.Events.Take(Limits.ReportEventRows).ToList();
        page.Append($"<section class=\"long\">\n<details><summary>What was said in the run ({report.Events.Count} events)</summary>\n");
        if (shown.Count < report.Events.Count) page.Append($"<p class=\"note\">The first {shown.Count}; events.jsonl has all.</p>\n");
        page.Append("<input class=\"filter\" type=\"search\" placeholder=\"filter by node, kind or word\" aria-label=\"filter\" hidden>\n");
        page.Append("<table id=\"events\" class=\"cards\"><thead><tr><th>time</th><th>node</th><th>kind</th><th>what</th></tr></thead><tbody>\n");
        foreach (var row in shown)
        {
            page.Append($"<tr><td data-name=\"time\" class=\"after\">{row.Time.ToString("HH:mm:ss.fff", CultureInfo.InvariantCulture)}</td><td data-name=\"node\">{Html.Text(row.Node)}</td><td data-name=\"kind\">{Html.Text(row.Kind)}</td><td data-name=\"what\">{Html.Text(row.Sentence)}</td></tr>\n");
        }
        page.Append("</tbody></table></details>\n</section>\n");
    }

    private static string Outcome(FaultReport fault) => fault.Outcome switch
    {
        FaultOutcome.Struck when fault.IsWithinBound => "<span class=\"pill yes\">struck</span>",
        FaultOutcome.Struck => "<span class=\"pill so\">struck, late recovery</span>",
        FaultOutcome.Missed => "<span class=\"pill so\">missed</span>",
        _ => "<span class=\"pill so\">not told</span>",
    };

    private static string Line(Notice notice) => $"{Html.Text(notice.Sentence)} <span class=\"after\">{(notice.Milliseconds < 0 ? "at the strike" : $"+{Html.Duration(notice.Milliseconds)}")}</span>";

    private static string Recovery(FaultReport fault)
    {
        if (fault.RecoveryMilliseconds is not { } took) return "<span class=\"soft\">–</span>";
        var text = new StringBuilder($"<b>{Html.Duration(took)}</b>");
        if (fault.BoundMilliseconds is { } bound)
            text.Append($"<div class=\"meter{(took > bound ? " over" : "")}\"><i style=\"width:{Html.Percent(took / bound)}\"></i></div><span class=\"bound\">of {Html.Duration(bound)}: {Html.Text(fault.Bound)}</span>");
        else text.Append($"<br><span class=\"bound\">{Html.Text(fault.Bound)}</span>");
        if (fault.LongestWaitMilliseconds is { } longest && longest > took * 1.001) text.Append($"<br><span class=\"bound\">longest wait for a record until the next fault: {Html.Duration(longest)}</span>");
        return text.ToString();
    }
}
