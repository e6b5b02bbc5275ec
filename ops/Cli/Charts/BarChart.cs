using System.Text;
using Cluster.Chaos;

namespace Cluster.Cli.Charts;

/// <summary>One bar.</summary>
/// <param name="Name">Not escaped.</param>
/// <param name="Value">Null = there is none yet.</param>
/// <param name="Text">The value as a person reads it; or why there is none.</param>
/// <param name="Mark">A second value, drawn as a stroke across the bar.</param>
internal sealed record Bar(string Name, int Colour, double? Value, string Text, double? Mark = null);

/// <summary>Bars in groups, lying: a name, a bar and its number fit any width, and numbers stand below each other.</summary>
internal static class BarChart
{
    /// <param name="groups">A heading and its bars.</param>
    /// <param name="common">All groups share one scale; else each has its own.</param>
    public static string Write(IReadOnlyList<(string Heading, IReadOnlyList<Bar> Bars)> groups, bool common = true)
    {
        ArgumentNullException.ThrowIfNull(groups);
        var text = new StringBuilder("<div class=\"groups\">\n");
        var all = Scale(groups.SelectMany(static group => group.Bars));
        foreach (var (heading, bars) in groups)
        {
            var scale = common ? all : Scale(bars);
            text.Append($"<div class=\"group\"><h3>{Html.Text(heading)}</h3><div class=\"bars\">");
            foreach (var bar in bars) Append(text, bar, scale);
            text.Append("</div></div>\n");
        }
        return text.Append("</div>\n").ToString();
    }

    private static void Append(StringBuilder text, Bar bar, Axis scale)
    {
        text.Append($"<span class=\"name\">{Html.Text(bar.Name)}</span><span class=\"track\">");
        if (bar.Value is { } value && double.IsFinite(value))
        {
            var (zero, at) = (scale.At(0), scale.At(value));
            text.Append($"<i class=\"{ChartSeries.StyleOf(bar.Colour)}\" style=\"left:{Html.Percent(Math.Min(zero, at))};width:{Html.Percent(Math.Abs(at - zero))}\"></i>");
            if (scale.Least < 0) text.Append($"<s style=\"left:{Html.Percent(zero)}\"></s>");
        }
        if (bar.Mark is { } mark && double.IsFinite(mark)) text.Append($"<b style=\"left:{Html.Percent(scale.At(mark))}\"></b>");
        text.Append($"</span><span class=\"figure\">{Html.Text(bar.Text)}</span>");
    }

    /// <summary>Bars begin at 0, whatever the values: a length that is cut off lies.</summary>
    private static Axis Scale(IEnumerable<Bar> bars)
    {
        var values = bars.SelectMany(static bar => new[] { bar.Value, bar.Mark }).OfType<double>().Where(double.IsFinite).Append(0).ToList();
        var (least, most) = (values.Min(), values.Max());
        return new Axis(least, most > least ? most : least + 1);
    }
}
