using System.Globalization;
using System.Text;
using Cluster.Chaos;
using Cluster.Cli.Charts;
using Cluster.Contracts;

namespace Cluster.Cli.Study;

/// <summary>lr-find.html: the loss over the rate, in one file.</summary>
internal static class RangePage
{
    public static string Write(RangeTest test, RunOptions options)
    {
        ArgumentNullException.ThrowIfNull(test);
        ArgumentNullException.ThrowIfNull(options);
        var page = new StringBuilder();
        page.Append($"<section class=\"lead\">\n<h1>Learning-rate range test</h1>\n<p class=\"note\">{Html.Text($"{options.Model} on {options.Data.Split(':')[0]}, {options.Optimizer.Kind}, {options.Batch} samples a step")}</p>\n");
        page.Append($"<p{(test.Verdict == RangeVerdict.Found ? "" : " class=\"short\"")}>{Html.Whole(test.Sentence)}</p>\n</section>\n");
        page.Append("<div class=\"facts\">\n");
        Fact(test.Suggestion, "suggested rate");
        Fact(test.Steepest?.Rate, "steepest descent");
        Fact(test.Lowest?.Rate, "lowest smoothed loss");
        page.Append($"<div class=\"fact\"><b>{test.Points.Length.ToString("N0", CultureInfo.InvariantCulture)}</b><span>steps{(test.HasDiverged ? ", then it diverged" : "")}</span></div>\n</div>\n");
        page.Append("<section>\n<h2>Loss over the rate</h2>\n");
        page.Append($"<p class=\"note\">The rate rises by the same factor from step to step (Smith, 2017). The test ends when the smoothed loss is {RangeTest.Divergence} times its lowest. "
            + "The suggestion is one tenth of the rate with the lowest loss: there training is about to diverge.</p>\n");
        page.Append(Chart(test)).Append("</section>\n");
        return ChartPage.Write("Learning-rate range test", page.ToString());

        void Fact(double? rate, string words) => page.Append($"<div class=\"fact\"><b>{(rate is { } known ? RangeTest.Rate(known) : "-")}</b><span>{words}</span></div>\n");
    }

    private static string Chart(RangeTest test)
    {
        // Single losses shoot far above the rest at the end: what lies above the frame is left out.
        var most = test.Lowest is { } lowest ? 1.02 * Math.Max(RangeTest.Divergence * lowest.Smoothed, test.Points[0].Smoothed) : 1;
        var top = Math.Min(most, 1.05 * test.Points.Select(static p => p.Smoothed).Where(double.IsFinite).DefaultIfEmpty(1).Max());
        CurvePoint Placed(double rate, double loss) => new(rate, loss <= top ? loss : double.NaN);
        var series = new List<ChartSeries>
        {
            new("loss of a step", 0, [.. test.Points.Select(p => Placed(p.Rate, p.Loss))]) { IsMain = false },
            new("smoothed loss", 1, [.. test.Points.Select(p => Placed(p.Rate, p.Smoothed))]),
        };
        if (test.Steepest is { } steepest) series.Add(new("steepest descent", 3, [new CurvePoint(steepest.Rate, steepest.Smoothed)]));
        if (test.Lowest is { } bottom) series.Add(new("lowest", 2, [new CurvePoint(bottom.Rate, bottom.Smoothed)]));
        if (test.Suggestion is { } suggestion && test.Points.LastOrDefault(p => p.Rate <= suggestion) is { Rate: > 0 } near) series.Add(new("suggestion", 4, [new CurvePoint(suggestion, near.Smoothed)]));
        var low = test.Points.SelectMany(static p => new[] { p.Loss, p.Smoothed }).Where(double.IsFinite).DefaultIfEmpty(0).Min();
        return ChartPage.Legend(series)
            + LineChart.Write("Training loss", new ChartAxis("learning rate", "0e+0") { IsLogarithmic = true }, new ChartAxis("nats") { Fixed = new Axis(Math.Max(0, low - 0.05 * (top - low)), top) }, series,
                test.Suggestion is { } marked ? [marked] : null);
    }
}
