using System.Globalization;
using System.Text;
using Cluster.Chaos;
using Cluster.Cli.Configuration;

namespace Cluster.Cli.Report;

/// <summary>What happened, in the run's own sentences, and the checkpoints that are left.</summary>
internal static class ReportEvents
{
    /// <summary>Rows of a list: the first half and the last are shown of a longer one.</summary>
    private const int MostRows = 400;

    /// <summary>Something went wrong, or was made to.</summary>
    private static readonly HashSet<string> Trouble = new(StringComparer.Ordinal)
    {
        "fault", "failed", "worker-lost", "worker-hung", "worker-late", "shard-lost", "shard-late", "non-finite", "unvouched", "audit-dispute", "worker-quarantined",
        "took-over", "stepped-down", "coordinator-paused", "log-cut", "checkpoint-passed-over", "checkpoint-failed", "checkpoint-waits", "commit-waits", "term-waits", "log-waits",
        "link-lost", "node-refused", "node-unfit", "sample-left-out", "sample-unreadable", "test-sample-left-out",
    };

    /// <summary>What the run did about it, and what ended it.</summary>
    private static readonly HashSet<string> Answers = new(StringComparer.Ordinal)
    {
        "waiting", "standby-same-host", "resumed", "restored", "replay", "term", "leased-again", "commit-goes-on", "checkpoint-skipped", "checkpoint-asked", "worker-left", "stopped-early", "interrupted", "finished", "imported", "process-ended",
    };

    /// <summary>Whether a kind of event tells of something that should not be.</summary>
    public static bool IsTrouble(string kind) => Trouble.Contains(kind);

    public static void Append(StringBuilder page, RunRecord run)
    {
        var events = run.Events;
        if (events.Count > 0)
        {
            var begin = events[0].Time;
            var notable = events.Where(static e => Trouble.Contains(e.Kind) || Answers.Contains(e.Kind)).ToList();
            page.Append("<section>\n<h2>Faults and what was done about them</h2>\n");
            if (!notable.Exists(static e => Trouble.Contains(e.Kind))) page.Append("<p class=\"note\">Nothing went wrong.</p>\n");
            Timeline(page, events, begin);
            Table(page, notable, begin);
            page.Append($"<details><summary>All {ReportPage.Number(events.Count)} events</summary>\n");
            Table(page, events, begin);
            page.Append("</details>\n</section>\n");
        }
        Checkpoints(page, run);
    }

    /// <summary>Where in time trouble lies.</summary>
    private static void Timeline(StringBuilder page, IReadOnlyList<EventRow> events, DateTimeOffset begin)
    {
        var seconds = (events[^1].Time - begin).TotalSeconds;
        if (seconds <= 0) return;
        var x = new Axis(0, seconds);
        page.Append("<div class=\"timeline\">");
        // One mark per place: more would lie upon one another.
        foreach (var place in events.Where(static e => Trouble.Contains(e.Kind)).GroupBy(e => Math.Round(200 * x.At((e.Time - begin).TotalSeconds))).Take(MostRows))
            page.Append($"<i class=\"{StyleOf(place.First().Kind)}\" style=\"left:{Html.Percent(place.Key / 200)}\" title=\"{Html.Text(string.Join('\n', place.Take(5).Select(static e => e.Sentence)))}\"></i>");
        foreach (var tick in x.Ticks()) page.Append($"<span style=\"left:{Html.Percent(x.At(tick))}\">{Html.Number(tick, "#,0.##")} s</span>");
        page.Append("</div>\n");
    }

    private static void Table(StringBuilder page, IReadOnlyList<EventRow> events, DateTimeOffset begin)
    {
        if (events.Count == 0) return;
        var isLong = events.Count > MostRows;
        page.Append("<div class=\"wide\"><table class=\"events\"><tbody>\n");
        foreach (var e in isLong ? events.Take(MostRows / 2) : events) Row(page, e, begin);
        if (isLong)
        {
            page.Append($"<tr><td></td><td colspan=\"3\" class=\"soft\">{ReportPage.Number(events.Count - MostRows)} more: {RunFolder.EventsName} has them all</td></tr>\n");
            foreach (var e in events.Skip(events.Count - MostRows / 2)) Row(page, e, begin);
        }
        page.Append("</tbody></table></div>\n");
    }

    private static void Row(StringBuilder page, EventRow e, DateTimeOffset begin) =>
        page.Append($"<tr><td class=\"n\">{(e.Time - begin).TotalSeconds.ToString("0.0", CultureInfo.InvariantCulture)} s</td><td><span class=\"badge {StyleOf(e.Kind)}\">{Html.Text(e.Kind)}</span></td><td class=\"soft\">{Html.Text(e.Node)}</td><td>{Html.Text(e.Sentence)}</td></tr>\n");

    private static string StyleOf(string kind) => kind switch
    {
        "fault" => "fault",
        "finished" or "commit-goes-on" => "good",
        _ when Trouble.Contains(kind) => "bad",
        _ => "calm",
    };

    private static void Checkpoints(StringBuilder page, RunRecord run)
    {
        if (run.Checkpoints.Count == 0) return;
        page.Append($"<section>\n<h2>Checkpoints</h2>\n<p class=\"note\">In the folder when this page was made; {ReportPage.Number(run.Events.Count(static e => e.Kind == "checkpoint"))} were written in all.</p>\n<table class=\"narrow\"><thead><tr><th>checkpoint</th><th class=\"n\">MiB</th><th class=\"n\">written (UTC)</th></tr></thead><tbody>\n");
        foreach (var checkpoint in run.Checkpoints)
            page.Append($"<tr><td><code>{Html.Text(checkpoint.Name)}</code></td><td class=\"n\">{Html.Number(checkpoint.Bytes / 1048576.0, "#,0.0")}</td><td class=\"n\">{checkpoint.Written.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture)}</td></tr>\n");
        page.Append("</tbody></table>\n</section>\n");
    }
}
