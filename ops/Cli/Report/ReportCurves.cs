using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using Cluster.Chaos;
using Cluster.Cli.Charts;

namespace Cluster.Cli.Report;

/// <summary>How the run went, step by step.</summary>
internal static partial class ReportCurves
{
    /// <summary>Points of a curve; what has more is thinned so that no peak is lost.</summary>
    private const int MostPoints = 990;

    /// <summary>Fewer steps are not smoothed.</summary>
    private const int FewSteps = 60;

    /// <summary>More strokes than these would be a wall.</summary>
    private const int MostMarks = 60;

    public static void Append(StringBuilder page, RunRecord run)
    {
        var steps = run.Commits.Steps;
        if (steps.Count == 0) return;
        var marks = MarksOf(run.Events.Where(static e => ReportEvents.IsTrouble(e.Kind)).Select(static e => e.Sentence), steps.Count);
        page.Append("<section>\n<h2>Curves</h2>\n<p class=\"note\">Over committed steps.");
        if (steps.Count > FewSteps) page.Append($" Pale: single steps; strong: mean of {Window(steps.Count)} steps around.");
        if (run.Evaluations.Count > 0) page.Append(" Dots: evaluations on the test set.");
        if (marks.Count > 0) page.Append(" Dashed: steps in which something went wrong.");
        page.Append("</p>\n<div class=\"legend\"><span><i class=\"c1\"></i>training</span>");
        if (run.Evaluations.Count > 0) page.Append("<span><i class=\"c2\"></i>test</span>");
        page.Append("</div>\n<div class=\"charts\">\n");
        var x = new ChartAxis("step", "#,0") { Fixed = new Axis(1, Math.Max(2, steps[^1].Step)) };
        page.Append(Chart("Loss", x, new ChartAxis("nats"), steps, static s => s.Loss, marks, Dots(run, static e => e.Loss)));
        page.Append(Chart("Accuracy", x, new ChartAxis("%", "0.##"), steps, static s => 100 * s.Accuracy, marks, Dots(run, static e => 100 * e.Accuracy)));
        page.Append(Line("Learning rate", x, new ChartAxis("per step", "0.######"), steps, static s => s.LearningRate, marks));
        page.Append(Chart("Gradient norm", x, new ChartAxis("before clipping"), steps, static s => s.GradNorm, marks));
        page.Append(Line("Images per second", x, new ChartAxis("images/s, mean of 20 steps", "#,0.##"), steps, Rates(steps), marks));
        page.Append(Line("Step time", x, new ChartAxis("ms, logarithmic", "#,0.##") { IsLogarithmic = true }, steps, static s => s.Milliseconds > 0 ? s.Milliseconds : double.NaN, marks));
        page.Append("</div>\n</section>\n");
    }

    /// <summary>Steps that sentences speak of: <c>kill:worker-1@30</c>, <c>in step 31</c>.</summary>
    internal static IReadOnlyList<double> MarksOf(IEnumerable<string> sentences, long last)
    {
        var steps = new SortedSet<long>();
        foreach (var sentence in sentences)
        {
            var match = StepNumber().Match(sentence);
            if (match.Success && long.TryParse(match.Groups["step"].ValueSpan, NumberStyles.None, CultureInfo.InvariantCulture, out var step) && step >= 1 && step <= last) steps.Add(step);
        }
        return [.. steps.Take(MostMarks).Select(static step => (double)step)];
    }

    private static string Chart(string title, ChartAxis x, ChartAxis y, IReadOnlyList<StepPoint> steps, Func<StepPoint, double> valueOf, IReadOnlyList<double> marks, params ReadOnlySpan<ChartSeries> more)
    {
        var raw = steps.Select(s => new CurvePoint(s.Step, valueOf(s))).ToList();
        var series = new List<ChartSeries>();
        if (steps.Count > FewSteps)
        {
            series.Add(new ChartSeries($"{title}, single steps", 1, Curve.Thin(raw, MostPoints)) { IsMain = false });
            series.Add(new ChartSeries($"{title}, smoothed", 1, Curve.Thin(Smooth(raw, Window(steps.Count)), MostPoints)));
        }
        else
        {
            series.Add(new ChartSeries(title, 1, raw));
        }
        foreach (var one in more)
            if (one.Points.Count > 0) series.Add(one);
        return LineChart.Write(title, x, y, series, marks);
    }

    private static string Line(string title, ChartAxis x, ChartAxis y, IReadOnlyList<StepPoint> steps, Func<StepPoint, double> valueOf, IReadOnlyList<double> marks) =>
        LineChart.Write(title, x, y, [new ChartSeries(title, 1, Curve.Thin([.. steps.Select(s => new CurvePoint(s.Step, valueOf(s)))], MostPoints))], marks);

    private static ChartSeries Dots(RunRecord run, Func<Hosting.EvaluationResult, double> valueOf) =>
        new("test", 2, Curve.Thin([.. run.Evaluations.Select(e => new CurvePoint(e.Step, valueOf(e)))], MostPoints)) { HasDots = run.Evaluations.Count <= 200 };

    private static int Window(int steps) => Math.Max(5, steps / 60 | 1);

    /// <summary>Mean over the points around each; what is not finite is left out.</summary>
    internal static IReadOnlyList<CurvePoint> Smooth(IReadOnlyList<CurvePoint> points, int window)
    {
        var half = window / 2;
        var smooth = new CurvePoint[points.Count];
        var (sum, count) = (0.0, 0);
        for (var i = -half; i < points.Count; i++)
        {
            if (i + half < points.Count) Count(points[i + half].Y, 1);
            if (i - half - 1 >= 0) Count(points[i - half - 1].Y, -1);
            if (i >= 0) smooth[i] = new CurvePoint(points[i].X, count == 0 ? double.NaN : sum / count);
        }
        return smooth;

        void Count(double value, int sign)
        {
            if (!double.IsFinite(value)) return;
            sum += sign * value;
            count += sign;
        }
    }

    /// <summary>Of twenty steps each; the first one holds the start and is left out.</summary>
    private static Func<StepPoint, double> Rates(IReadOnlyList<StepPoint> steps)
    {
        const int window = 20;
        var rates = new double[steps.Count];
        var (samples, milliseconds) = (0.0, 0.0);
        for (var i = 1; i < steps.Count; i++)
        {
            Add(steps[i], 1);
            if (i > window) Add(steps[i - window], -1);
            rates[i] = milliseconds > 0 ? samples / milliseconds * 1000 : double.NaN;
        }
        if (steps.Count > 0) rates[0] = double.NaN;
        var first = steps.Count > 0 ? steps[0].Step : 0;
        return step => rates[(int)(step.Step - first)];

        void Add(StepPoint step, int sign)
        {
            if (!double.IsFinite(step.Milliseconds)) return;
            samples += sign * step.Samples;
            milliseconds += sign * step.Milliseconds;
        }
    }

    [GeneratedRegex(@"(?:@|\bstep )(?<step>[0-9]{1,15})", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex StepNumber();
}
