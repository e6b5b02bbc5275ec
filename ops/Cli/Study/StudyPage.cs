using System.Globalization;
using System.Text;
using Cluster.Chaos;
using Cluster.Cli.Charts;
using Cluster.Cli.Configuration;
using Cluster.Cli.Display;
using Cluster.Contracts;

namespace Cluster.Cli.Study;

/// <summary>study.html: what a study found, in one file.</summary>
internal static class StudyPage
{
    /// <param name="command">With which the study goes on, or is made again.</param>
    public static string Write(StudyState state, StudyDefinition study, string command)
    {
        ArgumentNullException.ThrowIfNull(state);
        ArgumentNullException.ThrowIfNull(study);
        var page = new StringBuilder(1 << 16);
        Lead(page, state, study);
        Facts(page, state);
        if (state.Done > 0)
        {
            StudyFigures.Convergence(page, state);
            StudyFigures.Accuracy(page, state);
            StudyFigures.Gap(page, state);
            StudyFigures.Norms(page, state);
            Table(page, state, study);
        }
        How(page, state, study, command);
        return ChartPage.Write($"{study.Title}: study", page.ToString());
    }

    private static void Lead(StringBuilder page, StudyState state, StudyDefinition study)
    {
        var findings = StudyFindings.Of(state);
        page.Append($"<section class=\"lead\">\n<h1>{Html.Text(study.Title)}</h1>\n<p class=\"note\">{Html.Text(string.Join(", ", state.Plan.Models))}: {Html.Text(string.Join(", ", state.Plan.Variants))}</p>\n");
        foreach (var (sentence, index) in findings.Sentences.Select(static (sentence, index) => (sentence, index)))
            page.Append($"<p{(index == 0 && findings.IsShort ? " class=\"short\"" : "")}>{Marked(sentence)}</p>\n");
        page.Append("</section>\n");
    }

    /// <summary>What a sentence is about stands before its colon.</summary>
    private static string Marked(string sentence)
    {
        var colon = sentence.IndexOf(':', StringComparison.Ordinal);
        return colon < 0 ? Html.Whole(sentence) : $"<b>{Html.Whole(sentence[..colon])}</b>{Html.Whole(sentence[colon..])}";
    }

    private static void Facts(StringBuilder page, StudyState state)
    {
        var plan = state.Plan;
        page.Append("<div class=\"facts\">\n");
        Fact($"{state.Done} / {plan.Cells.Length}", "cells have ended");
        Fact(plan.Steps.ToString("N0", CultureInfo.InvariantCulture), $"steps of {plan.Base.Batch} in every cell, {plan.Epochs.ToString("0.##", CultureInfo.InvariantCulture)} epochs");
        Fact(plan.Base.Data.Split(':')[0], "data set");
        Fact(plan.Evaluated.ToString("N0", CultureInfo.InvariantCulture), plan.Evaluated == plan.TestSamples ? "test images, all there are" : $"test images of {plan.TestSamples.ToString("N0", CultureInfo.InvariantCulture)}, the same for every cell");
        Fact(Wording.Duration(TimeSpan.FromSeconds(state.Ended.Sum(static ended => ended.Outcome.Seconds))), plan.Minutes is { } minutes ? $"of training; {OptionRow.Number(minutes)} minutes were asked for" : "of training");
        page.Append("</div>\n");

        void Fact(string figure, string words) => page.Append($"<div class=\"fact\"><b>{Html.Text(figure)}</b><span>{Html.Text(words)}</span></div>\n");
    }

    private static void Table(StringBuilder page, StudyState state, StudyDefinition study)
    {
        var hasClipping = state.Ended.Any(static ended => ended.Outcome.ClippedShare > 0);
        page.Append("<section>\n<h2>All cells</h2>\n<p class=\"note\">Training figures are means over the last tenth of the steps. Bold: the best test accuracy of a model.</p>\n<div class=\"wide\"><table class=\"cards\"><thead><tr>");
        page.Append($"<th>model</th><th>{Html.Text(study.Axis)}</th>");
        foreach (var head in (string[])["train loss", "test loss", "train acc.", "test acc.", "gap", "weight norm", "gradient norm"]) page.Append($"<th class=\"n\">{head}</th>");
        page.Append($"{(hasClipping ? "<th class=\"n\">clipped</th>" : "")}<th class=\"n\">time</th></tr></thead><tbody>\n");
        foreach (var (cell, outcome) in state.Ended)
        {
            var best = state.Ended.Where(ended => ended.Cell.Model == cell.Model).Max(static ended => ended.Outcome.TestAccuracy);
            page.Append($"<tr{(outcome.TestAccuracy is { } own && own == best ? " class=\"best\"" : "")}><td class=\"whole\">{Html.Text(cell.Model)}</td>");
            page.Append($"<td class=\"whole\"><span><i class=\"key {ChartSeries.StyleOf(StudyFigures.ColourOf(state, cell.Variant))}\"></i>{Html.Text(cell.Variant)}{(outcome.Failure is null ? "" : $" <span class=\"soft\">diverged behind step {outcome.Steps}</span>")}</span></td>");
            Cell("train loss", StudyFigures.Number(outcome.TrainLoss, "0.0000"));
            Cell("test loss", StudyFigures.Number(outcome.TestLoss, "0.0000"));
            Cell("train acc.", StudyFigures.Percent(outcome.TrainAccuracy));
            Cell("test acc.", StudyFigures.Percent(outcome.TestAccuracy));
            Cell("gap", StudyFigures.PointsOf(outcome.Gap));
            Cell("weight norm", StudyFigures.Number(outcome.WeightNorm, "0.00"));
            Cell("gradient norm", StudyFigures.Number(outcome.GradientNorm, "0.000"));
            if (hasClipping) Cell("clipped", StudyFigures.Percent(outcome.ClippedShare));
            Cell("time", Wording.Duration(TimeSpan.FromSeconds(outcome.Seconds)));
            page.Append("</tr>\n");
        }
        page.Append("</tbody></table></div>\n</section>\n");

        void Cell(string name, string text) => page.Append($"<td class=\"n\" data-name=\"{name}\">{Html.Text(text)}</td>");
    }

    private static void How(StringBuilder page, StudyState state, StudyDefinition study, string command)
    {
        var plan = state.Plan;
        page.Append("<section>\n<h2>How it was made</h2>\n");
        page.Append("<p>Every cell is a run of its own with the same seed, and so the same first weights of a model, the same order of samples and the same number of steps. One regulariser at a time: without augmentation, dropout and label smoothing unless they were asked for, training accuracy is measured on the images that are in the set.</p>\n<dl>\n");
        foreach (var variant in study.Variants.Where(variant => plan.Variants.Contains(variant.Name))) page.Append($"<dt>{Html.Text(variant.Name)}</dt><dd>{Html.Text(variant.Reason)}</dd>\n");
        page.Append("</dl>\n");
        if (!plan.LeftOut.IsEmpty) page.Append($"<p class=\"note\">Left out, since the time did not allow them: {Html.Text(string.Join(", ", plan.LeftOut))}.</p>\n");
        if (!plan.Probes.IsEmpty)
        {
            page.Append("<details><summary>Measured before the study was planned</summary><table><thead><tr><th>model</th><th class=\"n\">a step</th><th class=\"n\">beside the steps</th><th class=\"n\">an image evaluated</th></tr></thead><tbody>\n");
            foreach (var probe in plan.Probes)
                page.Append($"<tr><td>{Html.Text(probe.Model)}</td><td class=\"n\">{Html.Duration(1000 * probe.StepSeconds)}</td><td class=\"n\">{Html.Duration(1000 * probe.SetupSeconds)}</td><td class=\"n\">{StudyFigures.Number(1000 * probe.ImageSeconds, "0.00")} ms</td></tr>\n");
            page.Append("</tbody></table></details>\n");
        }
        page.Append($"<details><summary>{(state.IsComplete ? "The same again" : "Go on")}</summary><pre>{Html.Whole(command)}</pre></details>\n");
        page.Append("<details><summary>What all cells share</summary><pre>");
        foreach (var row in OptionTable.Rows.Where(static row => row.InRecipes && row.Key is not ("model" or "steps" or "schedule.total-steps")))
            page.Append($"{Html.Whole(row.Key)}: {Html.Whole(row.Read(plan.Base) ?? "unset")}\n");
        page.Append($"</pre></details>\n</section>\n<footer>Made by <code>cluster study</code>. {StudyFolder.CsvName} and {StudyFolder.JsonName} beside this page have every number; each cell's folder is an ordinary run.</footer>\n");
    }
}
