using System.Text;
using Cluster.Chaos;

namespace Cluster.Cli.Charts;

/// <summary>Lines over one axis.</summary>
internal static class LineChart
{
    /// <summary>Points of a line: more than a screen has pixels across would draw on the same ones.</summary>
    private const int MostPoints = 1200;

    /// <param name="title">Heading; not escaped.</param>
    /// <param name="series">Later ones lie above earlier ones; a single point is drawn as a dot.</param>
    /// <param name="marks">Upright strokes at these x, for what the text speaks of.</param>
    public static string Write(string title, ChartAxis x, ChartAxis y, IReadOnlyList<ChartSeries> series, IReadOnlyList<double>? marks = null)
    {
        ArgumentNullException.ThrowIfNull(series);
        var across = x.Fixed ?? Tight(x, series.SelectMany(static s => s.Points).Select(static p => p.X));
        var up = y.Over(series.SelectMany(static s => s.Points).Select(static p => p.Y));
        var drawing = new StringBuilder();
        if (marks is { Count: > 0 }) drawing.Append($"<path class=\"mark\" d=\"{Curve.Strokes(marks.Select(across.At))}\"/>");
        foreach (var one in series)
        {
            var path = one.Points.Count == 1 ? ScatterChart.Dot(one.Points[0], across, up) : Curve.Path(Curve.Thin(one.Points, MostPoints), across, up);
            var shape = one.Points.Count == 1 ? "dot" : one.IsMain ? "line" : "line thin";
            if (one is { HasDots: true, Points.Count: > 1 }) drawing.Append($"<path class=\"{one.Style} dot small\" d=\"{string.Concat(one.Points.Select(point => ScatterChart.Dot(point, across, up)))}\"/>");
            if (path.Length > 0) drawing.Append($"<path class=\"{one.Style} {shape}\" d=\"{path}\"><title>{Html.Text(one.Name)}</title></path>");
        }
        return PlotFrame.Write(title, x, y, across, up, drawing.ToString());
    }

    /// <summary>From the first value to the last: a line begins at the edge.</summary>
    private static Axis Tight(ChartAxis axis, IEnumerable<double> values)
    {
        var finite = values.Where(double.IsFinite).DefaultIfEmpty(0).ToList();
        return axis.IsLogarithmic ? new Axis(finite.Where(static v => v > 0).DefaultIfEmpty(1).Min(), finite.Max(), IsLogarithmic: true) : new Axis(finite.Min(), finite.Max());
    }
}
