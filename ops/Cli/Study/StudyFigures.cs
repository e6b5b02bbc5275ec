using System.Globalization;
using System.Text;
using Cluster.Chaos;
using Cluster.Cli.Charts;

namespace Cluster.Cli.Study;

/// <summary>The charts of study.html.</summary>
internal static class StudyFigures
{
    public static void Convergence(StringBuilder page, StudyState state)
    {
        page.Append("<section>\n<h2>Convergence</h2>\n<p class=\"note\">Training loss by step, every point a mean over consecutive steps. Wide: the first two variants.</p>\n").Append(Legend(state)).Append("<div class=\"charts\">\n");
        foreach (var model in Begun(state))
            page.Append(LineChart.Write(model, new ChartAxis("step", "#,0"), new ChartAxis("training loss, nats"), Curves(state, model, static outcome => outcome.Training.Select(static p => new CurvePoint(p.Step, p.Loss)))));
        page.Append("</div>\n</section>\n");
        if (!state.Ended.Any(static ended => ended.Outcome.Test.Length > 1)) return;
        page.Append("<section>\n<h2>Test accuracy while training</h2>\n<p class=\"note\">In percent, by step.</p>\n").Append(Legend(state)).Append("<div class=\"charts\">\n");
        foreach (var model in Begun(state))
            page.Append(LineChart.Write(model, new ChartAxis("step", "#,0"), new ChartAxis("test accuracy, %"), Curves(state, model, static outcome => outcome.Test.Select(static p => new CurvePoint(p.Step, 100 * p.Accuracy)))));
        page.Append("</div>\n</section>\n");
    }

    public static void Accuracy(StringBuilder page, StudyState state)
    {
        page.Append("<section>\n<h2>Accuracy</h2>\n<p class=\"note\">Bars: test accuracy after the last step. Strokes: training accuracy at the end.</p>\n");
        page.Append(BarChart.Write(Groups(state, (outcome, bar) => bar with { Value = outcome.TestAccuracy, Mark = outcome.TrainAccuracy, Text = Percent(outcome.TestAccuracy) })));
        page.Append("</section>\n");
    }

    public static void Gap(StringBuilder page, StudyState state)
    {
        page.Append("<section>\n<h2>Generalisation gap</h2>\n<p class=\"note\">Training accuracy less test accuracy, in points: what a model knows by heart. Negative early in training, when the weights of the last steps are better than those that the training figures were taken with.</p>\n");
        page.Append(BarChart.Write(Groups(state, static (outcome, bar) => bar with { Value = outcome.Gap, Text = PointsOf(outcome.Gap) })));
        var series = state.Plan.Variants.Select(variant => (Variant: variant, Ended: state.Ended.Where(ended => ended.Cell.Variant == variant && ended.Outcome is { Gap: not null, WeightNorm: not null }).ToList()))
            .Where(static one => one.Ended.Count > 0).ToList();
        if (series.Count > 0)
        {
            page.Append("<div class=\"below\">\n").Append(Legend(state)).Append(ScatterChart.Write(
                "Gap against the size of the weights", new ChartAxis("norm of all weights (logarithmic)") { IsLogarithmic = true }, new ChartAxis("gap, points"),
                [.. series.Select(one => new ChartSeries(one.Variant, ColourOf(state, one.Variant), [.. one.Ended.Select(static ended => new CurvePoint(ended.Outcome.WeightNorm!.Value, 100 * ended.Outcome.Gap!.Value))]))],
                // One word per model, beside the first of its dots: thirty would lie upon one another.
                [.. series.Select((one, index) => one.Ended.Select(ended => index == 0 ? ended.Cell.Model : "").ToList())])).Append("</div>\n");
        }
        page.Append("</section>\n");
    }

    public static void Norms(StringBuilder page, StudyState state)
    {
        page.Append("<section>\n<h2>Norm of the weights</h2>\n<p class=\"note\">Euclidean norm of all parameters after the last step; a scale for each model.</p>\n");
        page.Append(BarChart.Write(Groups(state, static (outcome, bar) => bar with { Value = outcome.WeightNorm, Text = Number(outcome.WeightNorm, "0.00") }), common: false));
        page.Append("</section>\n<section>\n<h2>Norm of the gradient</h2>\n<p class=\"note\">Of the mean gradient before any clipping, mean over the last tenth of the steps.</p>\n");
        page.Append(BarChart.Write(Groups(state, static (outcome, bar) => bar with { Value = outcome.GradientNorm, Text = Number(outcome.GradientNorm, "0.000") }), common: false));
        page.Append("</section>\n");
        if (!state.Ended.Any(static ended => ended.Outcome.ClippedShare > 0)) return;
        page.Append("<section>\n<h2>Steps that were scaled down</h2>\n<p class=\"note\">Share of all steps.</p>\n");
        page.Append(BarChart.Write(Groups(state, static (outcome, bar) => bar with { Value = outcome.ClippedShare, Text = Percent(outcome.ClippedShare) })));
        page.Append("</section>\n");
    }

    /// <summary>A variant has one colour all over the page.</summary>
    public static int ColourOf(StudyState state, string variant) => Studies.Of(state.Plan.Study)?.Variants.Select(static v => v.Name).ToList().IndexOf(variant) is { } index and >= 0 ? index : 0;

    public static string Number(double? value, string format) => value is { } number && double.IsFinite(number) ? number.ToString(format, CultureInfo.InvariantCulture) : "–";

    public static string Percent(double? share) => Finite(share) is { } number ? (100 * number).ToString("0.0", CultureInfo.InvariantCulture) + " %" : "–";

    public static string PointsOf(double? share) => Finite(share) is { } number ? (100 * number).ToString("+0.0;−0.0;0.0", CultureInfo.InvariantCulture) : "–";

    private static double? Finite(double? share) => share is { } number && double.IsFinite(number) ? number : null;

    /// <summary>Models of which something has ended.</summary>
    private static IEnumerable<string> Begun(StudyState state) => state.Plan.Models.Where(model => state.Ended.Any(ended => ended.Cell.Model == model));

    private static string Legend(StudyState state) => ChartPage.Legend(state.Plan.Variants.Select(variant => new ChartSeries(variant, ColourOf(state, variant), [])));

    /// <summary>The first two variants lie above the others.</summary>
    private static IReadOnlyList<ChartSeries> Curves(StudyState state, string model, Func<CellOutcome, IEnumerable<CurvePoint>> points) =>
        [.. state.Plan.Variants.Select((variant, index) => (variant, index)).Reverse()
            .Where(one => state.OutcomeOf(model, one.variant) is not null)
            .Select(one => new ChartSeries(one.variant, ColourOf(state, one.variant), [.. points(state.OutcomeOf(model, one.variant)!)]) { IsMain = one.index < StudyDefinition.Required })];

    private static IReadOnlyList<(string Heading, IReadOnlyList<Bar> Bars)> Groups(StudyState state, Func<CellOutcome, Bar, Bar> fill) =>
        [.. Begun(state).Select(model => (model, (IReadOnlyList<Bar>)[.. state.Plan.Variants
            .Where(variant => state.Plan.Cells.Any(cell => cell.Model == model && cell.Variant == variant))
            .Select(variant =>
            {
                var empty = new Bar(variant, ColourOf(state, variant), null, "–");
                return state.OutcomeOf(model, variant) is not { } outcome ? empty : outcome.Failure is null ? fill(outcome, empty) : empty with { Text = "diverged" };
            })]))];
}
