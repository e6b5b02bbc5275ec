using System.Globalization;
using System.Text;
using Cluster.Chaos;

namespace Cluster.Cli.Charts;

/// <summary>
/// The frame of a chart: heading, grid, labels, and a box of 1000 x 1000 that is stretched to its place. Labels stand beside
/// the drawing as text, so that they have one size on a phone and on a large screen.
/// </summary>
internal static class PlotFrame
{
    /// <param name="title">Heading; not escaped.</param>
    /// <param name="drawing">SVG for the box.</param>
    /// <param name="over">HTML above the drawing, placed in percent.</param>
    public static string Write(string title, ChartAxis x, ChartAxis y, Axis across, Axis up, string drawing, string over = "")
    {
        var text = new StringBuilder($"<figure class=\"chart\"><figcaption>{Html.Text(title)}</figcaption>\n");
        text.Append($"<div class=\"unit\">{Html.Text(y.Title)}</div><div class=\"frame\"><div class=\"plot\">");
        foreach (var tick in up.Ticks())
        {
            var top = Html.Percent(1 - up.At(tick));
            text.Append($"<div class=\"grid\" style=\"top:{top}\"></div><div class=\"ylabel\" style=\"top:{top}\">{Number(tick, y)}</div>");
        }
        foreach (var tick in Spread(across.Ticks())) text.Append($"<div class=\"xlabel\" style=\"left:{Html.Percent(across.At(tick))}\">{Number(tick, x)}</div>");
        text.Append($"<svg viewBox=\"0 0 1000 1000\" preserveAspectRatio=\"none\" role=\"img\" aria-label=\"{Html.Text($"{title}: {y.Title} over {x.Title}")}\">{drawing}</svg>{over}");
        text.Append($"</div></div><div class=\"unit under\">{Html.Text(x.Title)}</div></figure>\n");
        return text.ToString();
    }

    /// <summary>At most four, so that they do not touch each other in a narrow chart.</summary>
    private static IEnumerable<double> Spread(IReadOnlyList<double> ticks)
    {
        const int most = 4;
        var every = (ticks.Count + most - 1) / most;
        return ticks.Where((_, index) => index % Math.Max(1, every) == 0);
    }

    private static string Number(double value, ChartAxis axis) => Html.Text(value.ToString(axis.Format, CultureInfo.InvariantCulture));
}
