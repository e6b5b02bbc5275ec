using System.Globalization;
using System.Text;
using Cluster.Contracts;

namespace Cluster.Chaos;

/// <summary>The processes over time: a lane each, a bar while one lives, and the commits below.</summary>
internal static class ReportLanes
{
    public static void Append(StringBuilder page, ChaosReport report, IReadOnlyList<NumberedFault> faults)
    {
        var events = report.Events;
        if (events.Count == 0 || report.Steps.Count == 0) return;
        var first = events[0].Time;
        var last = events[^1].Time > report.Steps[^1].Time ? events[^1].Time : report.Steps[^1].Time;
        var x = new Axis(0, Math.Max(0.001, (last - first).TotalSeconds));
        double At(DateTimeOffset time) => x.At((time - first).TotalSeconds);
        var deaths = faults.Where(static f => f.Family == "run" && f.Fault.StruckAt is not null).Select(static f => f.Fault.StruckAt!.Value).Distinct().Order().ToList();
        var nodes = events.Where(static e => e.Kind == "process-started").Select(static e => e.Node).Distinct(StringComparer.Ordinal).Order(NodeOrder.Instance).Take(Limits.ReportLanes).ToList();

        page.Append("<section>\n<h2>Processes over time</h2>\n<p class=\"note\">A bar while a process lives, faults where they struck it, and a stroke for each committed step. Seconds since the start of the disturbed run.</p>\n<div class=\"lanes\">\n");
        foreach (var node in nodes)
        {
            page.Append($"<div class=\"name\">{Html.Text(node)}</div><div class=\"lane\">");
            foreach (var (from, to) in Lives(node, events, deaths, last)) page.Append($"<div class=\"up\" style=\"left:{Html.Percent(At(from))};width:{Html.Percent(At(to) - At(from))}\"></div>");
            foreach (var fault in faults.Where(f => f.Fault.Node == node && f.Fault.StruckAt is not null)) page.Append(fault.Mark(At(fault.Fault.StruckAt!.Value)));
            page.Append("</div>\n");
        }
        if (deaths.Count > 0)
        {
            page.Append("<div class=\"name\">supervisor</div><div class=\"lane\">");
            foreach (var group in faults.Where(static f => f.Family == "run" && f.Fault.StruckAt is not null).GroupBy(static f => f.Fault.StruckAt!.Value)) page.Append(group.First().Mark(At(group.Key)));
            page.Append("</div>\n");
        }
        page.Append($"<div class=\"name\">commits</div><div class=\"lane\"><svg viewBox=\"0 0 1000 1000\" preserveAspectRatio=\"none\" aria-hidden=\"true\"><path d=\"{Curve.Strokes(Commits(report, At))}\"/></svg></div>\n");
        page.Append("<div class=\"name\">s</div><div class=\"lane axis\">");
        foreach (var tick in x.Ticks()) page.Append($"<div class=\"xlabel\" style=\"left:{Html.Percent(x.At(tick))}\">{Html.Number(tick, "0.##")}</div>");
        page.Append("</div>\n</div>\n</section>\n");
    }

    /// <summary>One place for commits that would fall upon the same pixel.</summary>
    private static IEnumerable<double> Commits(ChaosReport report, Func<DateTimeOffset, double> at) =>
        report.Steps.Select(s => Math.Round(at(s.Time) * Limits.ReportCurvePoints) / Limits.ReportCurvePoints).Distinct();

    /// <summary>When processes of this node ran: from its start to its end, to the supervisor's death, or to the next start.</summary>
    internal static IEnumerable<(DateTimeOffset From, DateTimeOffset To)> Lives(string node, IEnumerable<EventRow> events, IReadOnlyList<DateTimeOffset> deaths, DateTimeOffset last)
    {
        DateTimeOffset? from = null;
        foreach (var row in events.Where(e => e.Node == node && e.Kind is "process-started" or "process-ended"))
        {
            if (from is { } begun)
            {
                var end = deaths.Where(d => d > begun && d < row.Time).DefaultIfEmpty(row.Time).First();
                yield return (begun, end);
                from = null;
            }
            if (row.Kind == "process-started") from = row.Time;
        }
        if (from is { } open) yield return (open, deaths.Where(d => d > open).DefaultIfEmpty(last).First());
    }

    /// <summary>Coordinator, shards, workers; each by number.</summary>
    private sealed class NodeOrder : IComparer<string>
    {
        public static readonly NodeOrder Instance = new();

        public int Compare(string? x, string? y) => Key(x!).CompareTo(Key(y!));

        private static (int Role, int Number, string Name) Key(string node)
        {
            var dash = node.LastIndexOf('-');
            var number = dash >= 0 && int.TryParse(node[(dash + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out var value) ? value : 0;
            return (node.StartsWith("coordinator", StringComparison.Ordinal) ? 0 : node.StartsWith("ps", StringComparison.Ordinal) ? 1 : 2, number, node);
        }
    }
}
