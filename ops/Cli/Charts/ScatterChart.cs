using System.Globalization;
using System.Text;
using Cluster.Chaos;

namespace Cluster.Cli.Charts;

/// <summary>Dots over two axes, with words beside them.</summary>
internal static class ScatterChart
{
    /// <param name="title">Heading; not escaped.</param>
    /// <param name="words">Per series, a word per point, empty for none; not escaped.</param>
    public static string Write(string title, ChartAxis x, ChartAxis y, IReadOnlyList<ChartSeries> series, IReadOnlyList<IReadOnlyList<string>> words)
    {
        ArgumentNullException.ThrowIfNull(series);
        ArgumentNullException.ThrowIfNull(words);
        var across = x.Over(series.SelectMany(static s => s.Points).Select(static p => p.X));
        var up = y.Over(series.SelectMany(static s => s.Points).Select(static p => p.Y));
        var (drawing, labels) = (new StringBuilder(), new StringBuilder());
        foreach (var (one, names) in series.Zip(words))
        {
            foreach (var (point, name) in one.Points.Zip(names).Where(static p => double.IsFinite(p.First.X) && double.IsFinite(p.First.Y)))
            {
                drawing.Append($"<path class=\"{one.Style} dot\" d=\"{Dot(point, across, up)}\"><title>{Html.Text(name.Length > 0 ? $"{name}, {one.Name}" : one.Name)}</title></path>");
                var left = across.At(point.X);
                if (name.Length > 0) labels.Append($"<span class=\"word{(left > 0.7 ? " before" : "")}\" style=\"left:{Html.Percent(left)};top:{Html.Percent(1 - up.At(point.Y))}\">{Html.Text(name)}</span>");
            }
        }
        return PlotFrame.Write(title, x, y, across, up, drawing.ToString(), labels.ToString());
    }

    /// <summary>A stroke without length and with round ends: a circle, however the box is stretched.</summary>
    public static string Dot(CurvePoint point, Axis across, Axis up) =>
        double.IsFinite(point.Y) ? string.Create(CultureInfo.InvariantCulture, $"M{across.At(point.X) * 1000:0.#} {(1 - up.At(point.Y)) * 1000:0.#}h0") : "";
}
