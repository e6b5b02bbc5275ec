using System.Text.RegularExpressions;
using Cluster.Chaos;
using Cluster.Cli.Charts;

namespace Cluster.Cli.Tests.Study;

public sealed partial class ChartSpecs
{
    [GeneratedRegex("<path class=\"(?<class>[^\"]*)\" d=\"(?<d>[^\"]*)\"")]
    private static partial Regex Paths();

    private static readonly ChartAxis X = new("step"), Y = new("loss");

    private static List<(string Class, string D)> PathsOf(string html) => [.. Paths().Matches(html).Select(static match => (match.Groups["class"].Value, match.Groups["d"].Value))];

    [Fact]
    public void A_line_goes_from_edge_to_edge_and_breaks_where_a_value_is_not_finite()
    {
        var series = new ChartSeries("a", 1, [new(0, 1), new(1, 2), new(2, double.NaN), new(3, 2), new(4, 1)]);
        var (style, d) = Assert.Single(PathsOf(LineChart.Write("t", X, Y, [series])));
        Assert.Equal("c1 line", style);
        Assert.Equal(2, d.Count(static c => c == 'M'));
        Assert.StartsWith("M0 ", d);
        Assert.Contains("L1000 ", d);
    }

    [Fact]
    public void A_single_point_is_a_dot() =>
        Assert.Equal("c0 dot", Assert.Single(PathsOf(LineChart.Write("t", X, Y, [new ChartSeries("a", 0, [new(1, 1)])]))).Class);

    [Fact]
    public void A_logarithmic_axis_spaces_powers_of_ten_evenly()
    {
        var series = new ChartSeries("a", 0, [new(1e-4, 1), new(1e-2, 2), new(1, 3)]);
        var (_, d) = Assert.Single(PathsOf(LineChart.Write("t", X with { IsLogarithmic = true }, Y, [series])));
        Assert.Matches(@"^M0 [\d.]+L500 [\d.]+L1000 [\d.]+$", d);
    }

    [Fact]
    public void A_mark_stands_at_its_place() =>
        Assert.Equal(("mark", "M250 0V1000"), PathsOf(LineChart.Write("t", X, Y, [new ChartSeries("a", 0, [new(0, 1), new(4, 2)])], marks: [1]))[0]);

    [Fact]
    public void Bars_begin_at_zero_and_negative_ones_lie_on_its_other_side()
    {
        var html = BarChart.Write([("m", [new Bar("a", 0, 30, "30"), new Bar("b", 1, -10, "−10"), new Bar("c", 2, null, "–")])]);
        Assert.Contains("<i class=\"c0\" style=\"left:25%;width:75%\">", html);
        Assert.Contains("<i class=\"c1\" style=\"left:0%;width:25%\">", html);
        Assert.DoesNotContain("c2", html);
    }

    [Fact]
    public void Groups_without_a_common_scale_fill_their_own()
    {
        (string, IReadOnlyList<Bar>)[] groups = [("m", [new Bar("a", 0, 5, "5")]), ("n", [new Bar("b", 1, 50, "50")])];
        Assert.Contains("c0\" style=\"left:0%;width:10%", BarChart.Write(groups));
        Assert.Contains("c0\" style=\"left:0%;width:100%", BarChart.Write(groups, common: false));
    }

    [Fact]
    public void Names_are_escaped()
    {
        var html = LineChart.Write("<t>", X, Y, [new ChartSeries("<n>", 0, [new(0, 1), new(1, 2)])])
            + ScatterChart.Write("<t>", X, Y, [new ChartSeries("<n>", 0, [new(0, 1)])], [["<w>"]])
            + BarChart.Write([("<h>", [new Bar("<b>", 0, 1, "<v>")])]);
        foreach (var word in "tnwhv") Assert.DoesNotContain($"<{word}>", html);
        Assert.Contains("&lt;w&gt;", html);
    }
}
