using System.Globalization;
using System.Text;
using Cluster.Cli.Display;
using Cluster.Cli.Hosting;

namespace Cluster.Cli.Verbs;

/// <summary>An evaluation for a person: the figures, then the classes, then what was taken for what.</summary>
internal static class EvaluationText
{
    /// <summary>A wider confusion matrix would not fit a screen.</summary>
    private const int LargestMatrix = 20;

    private const int ConfusionsShown = 10;

    public static string Write(EvaluationReport report)
    {
        var text = new StringBuilder();
        var (options, totals) = (report.Options, report.Totals);
        text.Append($"{report.Weights}{(report.IsAverage ? " (the average of the weights)" : "")}: {options.Model} on the {totals.Samples:N0} test images of {options.Data}, {options.Workers} {(options.Workers == 1 ? "worker" : "workers")}\n\n");
        text.Append($"  accuracy  {Wording.Percent(totals.Accuracy),9}\n");
        text.Append($"  top-5     {Wording.Percent(totals.Top5),9}\n");
        text.Append($"  loss      {(double.IsFinite(totals.Loss) ? totals.Loss.ToString("0.0000", CultureInfo.InvariantCulture) : "not finite: some logits are NaN or infinite"),7}\n\n");

        var names = report.Classes.Select((result, label) => $"{label} {result.Name}").ToArray();
        var width = Math.Max("class".Length, names.Max(static name => name.Length));
        text.Append($"  {"class".PadRight(width)}   images  accuracy\n");
        for (var label = 0; label < names.Length; label++)
            text.Append($"  {names[label].PadRight(width)}  {report.Classes[label].Samples,7:N0}  {Wording.Percent(report.Classes[label].Accuracy),8}\n");
        text.Append('\n');
        if (names.Length <= LargestMatrix) Matrix(text, report, names, width);
        else MostFrequent(text, report);
        return text.ToString();
    }

    private static void Matrix(StringBuilder text, EvaluationReport report, string[] names, int width)
    {
        var cell = Math.Max(4, report.Confusion.Max(static row => row.Max()).ToString(CultureInfo.InvariantCulture).Length) + 1;
        text.Append("confusion: rows are labels, columns are predictions\n");
        text.Append(' ', width + 2);
        for (var label = 0; label < names.Length; label++) text.Append(label.ToString(CultureInfo.InvariantCulture).PadLeft(cell));
        text.Append('\n');
        for (var label = 0; label < names.Length; label++)
        {
            text.Append("  ").Append(names[label].PadRight(width));
            // A dot is easier to look past than a 0.
            foreach (var count in report.Confusion[label]) text.Append((count == 0 ? "." : count.ToString(CultureInfo.InvariantCulture)).PadLeft(cell));
            text.Append('\n');
        }
    }

    private static void MostFrequent(StringBuilder text, EvaluationReport report)
    {
        text.Append("most frequent confusions (--json has the whole matrix)\n");
        var confusions = report.Confusion
            .SelectMany(static (row, label) => row.Select((count, prediction) => (Label: label, Prediction: prediction, Count: count)))
            .Where(static c => c.Label != c.Prediction && c.Count > 0)
            .OrderByDescending(static c => c.Count)
            .Take(ConfusionsShown);
        foreach (var (label, prediction, count) in confusions)
            text.Append($"  {count,7:N0}  {report.Classes[label].Name} taken for {report.Classes[prediction].Name}\n");
    }
}
