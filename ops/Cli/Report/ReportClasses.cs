using System.Globalization;
using System.Text;
using Cluster.Chaos;
using Cluster.Cli.Charts;
using Cluster.Cli.Display;

namespace Cluster.Cli.Report;

/// <summary>The last evaluation, class by class.</summary>
internal static class ReportClasses
{
    /// <summary>More classes than these do not fit into a matrix that a person reads.</summary>
    private const int MostInMatrix = 20;

    /// <summary>Classes that are listed where there are many, from the worst.</summary>
    private const int MostListed = 30;

    /// <summary>Pairs that are listed below.</summary>
    private const int MostPairs = 10;

    public static void Append(StringBuilder page, EvaluationFile? evaluation)
    {
        if (evaluation is null || evaluation.Samples == 0 || evaluation.Classes.Count == 0) return;
        var (samples, right) = (evaluation.SamplesByLabel(), evaluation.RightByLabel());
        var order = Enumerable.Range(0, evaluation.Classes.Count).Where(label => samples[label] > 0).ToList();
        if (order.Count == 0) return;
        var isMany = order.Count > MostInMatrix;
        if (isMany) order = [.. order.OrderBy(label => (double)right[label] / samples[label]).Take(MostListed)];
        page.Append($"<section>\n<h2>Classes</h2>\n<p class=\"note\">The last evaluation, after step {ReportPage.Number(evaluation.Step)}: {ReportPage.Number(evaluation.Samples)} test images, accuracy {Wording.Percent(evaluation.Accuracy)}, loss {Html.Number(evaluation.Loss, "0.0000")}.");
        if (isMany) page.Append($" Of {evaluation.Classes.Count} classes the {order.Count} that were told right least often.");
        page.Append("</p>\n<div class=\"classes\">\n<div>");
        page.Append(BarChart.Write([("Accuracy per class", [.. order.Select(label => new Bar(evaluation.Classes[label], 3, (double)right[label] / samples[label], $"{Wording.Percent((double)right[label] / samples[label])} of {ReportPage.Number(samples[label])}"))])]));
        if (!isMany) Pairs(page, evaluation, samples);
        page.Append("</div>\n<div>");
        if (isMany) Pairs(page, evaluation, samples);
        else Matrix(page, evaluation, samples);
        page.Append("</div>\n</div>\n</section>\n");
    }

    /// <summary>A row per label, a column per given class; the shade is the share of the label's images.</summary>
    private static void Matrix(StringBuilder page, EvaluationFile evaluation, long[] samples)
    {
        var counts = evaluation.Confusion.ToDictionary(static c => (c.Label, c.Predicted), static c => c.Count);
        page.Append("<h3>Confusion matrix</h3>\n<p class=\"note\">Row: what it is. Column: what it was taken for.</p>\n<div class=\"wide\"><table class=\"matrix\"><thead><tr><th></th>");
        foreach (var name in evaluation.Classes) page.Append($"<th><span>{Html.Text(name)}</span></th>");
        page.Append("</tr></thead><tbody>\n");
        for (var label = 0; label < evaluation.Classes.Count; label++)
        {
            page.Append($"<tr><th>{Html.Text(evaluation.Classes[label])}</th>");
            for (var predicted = 0; predicted < evaluation.Classes.Count; predicted++)
            {
                var count = counts.GetValueOrDefault((label, predicted));
                var share = samples[label] > 0 ? (double)count / samples[label] : 0;
                page.Append(count == 0 ? "<td></td>" : $"<td class=\"{(label == predicted ? "right" : "wrong")}\" style=\"--share:{Html.Percent(share)}\" title=\"{Html.Text($"{evaluation.Classes[label]} taken for {evaluation.Classes[predicted]}: {count} of {samples[label]}")}\">{count.ToString(CultureInfo.InvariantCulture)}</td>");
            }
            page.Append("</tr>\n");
        }
        page.Append("</tbody></table></div>\n");
    }

    private static void Pairs(StringBuilder page, EvaluationFile evaluation, long[] samples)
    {
        var worst = evaluation.Confusion.Where(static c => c.Label != c.Predicted).OrderByDescending(static c => c.Count).ThenBy(static c => c.Label).Take(MostPairs).ToList();
        if (worst.Count == 0) return;
        page.Append("<h3 class=\"below\">Most frequent mistakes</h3>\n<table><tbody>\n");
        foreach (var (label, predicted, count) in worst)
            page.Append($"<tr><td>{Html.Text(evaluation.Classes[label])} taken for {Html.Text(evaluation.Classes[predicted])}</td><td class=\"n\">{ReportPage.Number(count)} of {ReportPage.Number(samples[label])}</td></tr>\n");
        page.Append("</tbody></table>\n");
    }
}
