using System.Globalization;
using System.Text;
using System.Text.Json;
using Cluster.Contracts;

namespace Cluster.Chaos;

/// <summary>report.html: one file that asks for nothing else, on a screen, a phone or paper, light or dark.</summary>
public static class ReportPage
{
    public static string Write(ChaosReport report)
    {
        ArgumentNullException.ThrowIfNull(report);
        var faults = report.Faults.Take(Limits.ReportFaultRows).Select(static (fault, index) => new NumberedFault(index + 1, fault)).ToList();
        var page = new StringBuilder(1 << 16);
        page.Append("<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n");
        page.Append("<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'\">\n");
        page.Append("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n");
        page.Append($"<title>{Html.Text(Title(report))}: chaos report</title>\n<style>\n{Html.Resource("report.css")}</style>\n</head>\n<body>\n<main>\n");
        Verdict(page, report);
        Facts(page, report);
        Promises(page, report);
        ReportCharts.Append(page, report, faults);
        ReportTables.Faults(page, report, faults);
        ReportTables.Kinds(page, report);
        ReportLanes.Append(page, report, faults);
        ReportTables.Events(page, report);
        Configuration(page, report);
        page.Append($"<footer>Made by <code>cluster chaos</code>. Everything on this page and more is in <code>{ChaosRun.JsonName}</code> beside it.</footer>\n</main>\n");
        page.Append($"<script type=\"application/json\" id=\"data\">{Data(report)}</script>\n<script>\n{Html.Resource("report.js")}</script>\n</body>\n</html>\n");
        return page.ToString();
    }

    private static string Title(ChaosReport report) => report.Verdict switch
    {
        Chaos.Verdict.SameBits => "Same bits",
        Chaos.Verdict.OtherBits => "Other bits",
        _ => "Did not finish",
    };

    private static void Verdict(StringBuilder page, ChaosReport report)
    {
        var isBad = !report.Passed;
        page.Append($"<section class=\"verdict{(isBad ? " bad" : "")}\">\n<h1>{(isBad ? "✗" : "✓")} {Title(report)}{(report.Verdict == Chaos.Verdict.SameBits && isBad ? ", but a promise was broken" : "")}</h1>\n");
        page.Append($"<p>{Html.Text(Capital(report.Sentence))}.</p>\n<dl class=\"hashes\">\n");
        page.Append($"<dt>disturbed run</dt><dd{(report.Verdict == Chaos.Verdict.SameBits ? "" : " class=\"differs\"")}>{Html.Text(report.StateSha256 ?? "no state: it did not finish")}</dd>\n");
        page.Append($"<dt>{Html.Text(report.ExpectedFrom.Replace("the ", "", StringComparison.Ordinal))}</dt><dd>{Html.Text(report.Expected)}</dd>\n</dl>\n");
        page.Append("<p class=\"note\">SHA-256 over all parameters, buffers and optimizer state, by name.</p>\n</section>\n");
    }

    private static void Facts(StringBuilder page, ChaosReport report)
    {
        var recoveries = report.Faults.Where(static f => f is { RecoveryMilliseconds: not null, Node: not ("supervisor" or "checkpoint") }).Select(static f => f.RecoveryMilliseconds!.Value).Order().ToArray();
        page.Append("<div class=\"facts\">\n");
        Fact($"{report.Struck} / {report.Faults.Count}", "faults struck");
        Fact($"{report.Invariants.Count(static i => i.Held)} / {report.Invariants.Count}", "promises kept");
        Fact(recoveries.Length == 0 ? "–" : Html.Duration(FaultReading.Quantile(recoveries, 0.5)), "median from strike to next commit");
        Fact(recoveries.Length == 0 ? "–" : Html.Duration(recoveries[^1]), "longest, deaths of the supervisor aside");
        Fact($"{report.Steps.Count}", $"steps; {report.Run.Workers} {Plural(report.Run.Workers, "worker")}, {report.Run.Shards} {Plural(report.Run.Shards, "shard")}");
        Fact(Html.Duration(report.Elapsed.TotalMilliseconds), $"on {report.Began.ToString("d MMM yyyy, HH:mm", CultureInfo.InvariantCulture)} UTC");
        page.Append("</div>\n");

        void Fact(string figure, string words) => page.Append($"<div class=\"fact\"><b>{Html.Text(figure)}</b><span>{Html.Text(words)}</span></div>\n");
    }

    private static void Promises(StringBuilder page, ChaosReport report)
    {
        page.Append("<section>\n<h2>Promises</h2>\n<ul class=\"promises\">\n");
        foreach (var promise in report.Invariants)
        {
            var (sign, style) = promise.Held ? ("✓", "yes") : promise.Decides ? ("✗", "no") : ("!", "so");
            page.Append($"<li><i class=\"{style}\">{sign}</i><b>{Html.Text(promise.Name)}</b><span>{Html.Text(promise.Sentence)}</span></li>\n");
        }
        page.Append("</ul>\n</section>\n");
    }

    private static void Configuration(StringBuilder page, ChaosReport report)
    {
        page.Append($"<section class=\"long\">\n<h2>The same again</h2>\n<p class=\"note\">{Html.Text(report.Plan)}; the run was started {(report.Starts == 1 ? "once" : $"{report.Starts} times")}.</p>\n");
        page.Append($"<div class=\"command\"><pre id=\"command\">{Html.Whole(report.Command)}</pre><button class=\"copy\" data-of=\"command\" hidden>copy</button></div>\n");
        if (report.LeftOut.Count > 0)
        {
            page.Append("<details open><summary>Left out of the plan</summary><ul class=\"done\">");
            foreach (var row in report.LeftOut) page.Append($"<li>{Html.Text(row)}</li>");
            page.Append("</ul></details>\n");
        }
        page.Append($"<details><summary>Configuration</summary><pre>{Html.Whole(report.Config)}</pre></details>\n</section>\n");
    }

    /// <summary>What the readout under the pointer shows: per series [step, disturbed, undisturbed or null].</summary>
    private static string Data(ChaosReport report)
    {
        var calm = report.Undisturbed.ToDictionary(static s => s.Step);
        var every = 1 + (report.Steps.Count - 1) / Limits.ReportCurvePoints;
        var shown = report.Steps.Where((_, i) => i % every == 0).ToList();
        object?[] Row(long step, double mine, double? other, int digits) => [step, Rounded(mine, digits), other is { } value ? Rounded(value, digits) : null];
        return JsonSerializer.Serialize(new
        {
            first = 1,
            last = Math.Max(1, report.Run.Steps),
            loss = shown.Select(s => Row(s.Step, s.Loss, calm.GetValueOrDefault(s.Step)?.Loss, 5)),
            wait = shown.Select(s => Row(s.Step, s.WaitMilliseconds, calm.GetValueOrDefault(s.Step)?.Milliseconds, 1)),
        });
    }

    private static object? Rounded(double value, int digits) => double.IsFinite(value) ? Math.Round(value, digits) : null;

    private static string Plural(int count, string word) => count == 1 ? word : word + "s";

    private static string Capital(string sentence) => sentence.Length == 0 ? sentence : char.ToUpperInvariant(sentence[0]) + sentence[1..];
}

/// <summary>A fault with the number that it has all over the page.</summary>
internal sealed record NumberedFault(int Number, FaultReport Fault)
{
    /// <summary>Class of colour.</summary>
    public string Family => Fault.Node is "supervisor" or "checkpoint" ? "run"
        : FaultKinds.Of(Fault.Kind) is not { } kind ? "process"
        : kind.IsNetwork ? "network" : kind.IsInside ? "inside" : "process";

    /// <summary>What a tap on the mark shows.</summary>
    public string Tip
    {
        get
        {
            var text = new StringBuilder($"<code>{Html.Text(Fault.Fault)}</code>");
            var told = Fault.Said.StartsWith($"fault {Fault.Fault}: ", StringComparison.Ordinal) ? Fault.Said[$"fault {Fault.Fault}: ".Length..] : Fault.Said;
            text.Append(Html.Text(told)).Append('.');
            if (Fault.Noticed is { } noticed) text.Append($" Noticed after {Html.Duration(Math.Max(0, noticed.Milliseconds))}.");
            if (Fault.RecoveryMilliseconds is { } took) text.Append($" Next commit after {Html.Duration(took)}.");
            return text.ToString();
        }
    }

    /// <summary>A mark at this share of the width.</summary>
    public string Mark(double at, string style = "") =>
        $"<button type=\"button\" class=\"mark {Family}{(at > 0.6 ? " right" : "")}\" style=\"left:{Html.Percent(at)}{style}\" aria-label=\"fault {Number}: {Html.Text(Fault.Fault)}\"><b>{Number}</b><span class=\"tip\">{Tip}</span></button>";
}
