using System.Text;
using Cluster.Chaos;
using Cluster.Cli.Configuration;
using Cluster.Contracts;

namespace Cluster.Cli.Report;

/// <summary>What ran: what differs from the defaults first, the rest folded at the end.</summary>
internal static class ReportConfiguration
{
    /// <summary>Names this one run, or only how it is watched.</summary>
    private static readonly HashSet<string> LeftOut = new(StringComparer.Ordinal) { "out", "recipe" };

    public static void AppendGiven(StringBuilder page, StoredRun config)
    {
        var defaults = new RunOptions();
        var rows = OptionTable.Rows.Where(row => !LeftOut.Contains(row.Key) && row.Read(config.Options) != row.Read(defaults)).ToList();
        page.Append("<section>\n<h2>What ran</h2>\n");
        if (rows.Count == 0)
        {
            page.Append("<p class=\"note\">Every option has its default.</p>\n</section>\n");
            return;
        }
        page.Append("<p class=\"note\">Options that differ from their defaults, and who set them.</p>\n<div class=\"options\">\n");
        foreach (var row in rows)
        {
            var origin = config.Origins.GetValueOrDefault(row.Key, "");
            page.Append($"<div><span>{Html.Text(row.Key)}</span><b>{Html.Text(row.Read(config.Options) ?? "unset")}</b><small>{Html.Text(origin == RunResolver.FromDefault ? "" : origin)}{Default(row, defaults)}</small></div>\n");
        }
        page.Append("</div>\n</section>\n");
    }

    public static void AppendRest(StringBuilder page, RunRecord run)
    {
        page.Append("<section>\n<h2>How it was made</h2>\n<details><summary>Every option</summary><pre>");
        foreach (var row in OptionTable.Rows) page.Append($"{Html.Whole(row.Key)}: {Html.Whole(row.Read(run.Config.Options) ?? "unset")}\n");
        page.Append("</pre></details>\n<details><summary>What the run noted about itself</summary><pre>");
        foreach (var (name, fact) in run.Config.Facts) page.Append($"{Html.Whole(name)}: {Html.Whole(fact)}\n");
        page.Append("</pre></details>\n</section>\n<footer>Made by <code>cluster report</code> from the run's folder: config.yaml, commits.jsonl, events.jsonl, metrics.csv, summary.json, evaluation.json, phases.json.");
        if (run.HasTensorBoard) page.Append(" The same curves: <code>tensorboard --logdir</code> with the folder <code>tensorboard/</code> of the run.");
        page.Append("</footer>\n");
    }

    private static string Default(OptionRow row, RunOptions defaults) => row.Read(defaults) is { Length: > 0 } text ? $" <i>default {Html.Text(text)}</i>" : "";
}
