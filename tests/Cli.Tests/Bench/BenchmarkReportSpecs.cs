using System.Text.Json;
using Cluster.Cli.Bench;

namespace Cluster.Cli.Tests.Bench;

/// <summary>What a figure says of its values, and how a report is written for people and for programs.</summary>
public sealed class BenchmarkReportSpecs
{
    private static readonly DateTimeOffset Date = new(2026, 11, 21, 14, 5, 6, TimeSpan.FromHours(2));
    private static readonly Dictionary<string, string> Versions = new() { ["cluster"] = "1.2.3", ["PyTorch"] = "1.13" };

    private static MachineFacts Machine(params double[]? load) => new("Some CPU", 2, 3L << 30, load, "Some Linux", 512);

    private static BenchmarkReport Report() => new(
        "peers", "Training, n = 3",
        [
            new("small-cnn", "ours", "images/s", [600.25, 620, 610]),
            new("small-cnn", "ours / ddp", "1", [0.98, 1.02, 1.01]) { Bound = Bound.AtLeast(1) },
            new("resnet18", "round trip", "ms", [0.25]) { Bound = Bound.AtMost(0.1) },
        ])
    { Notes = ["One note."] };

    [Theory]
    [InlineData(2.0, 3.0, 1.0, 2.0)]
    [InlineData(2.5, 4.0, 1.0, 3.0, 2.0)]
    [InlineData(7.0, 7.0)]
    public void A_figure_has_the_median_of_its_values(double expected, params double[] values)
    {
        var figure = new Figure("", "x", "s", values);
        Assert.Equal((values.Length, expected, values.Min(), values.Max()), (figure.N, figure.Median, figure.Min, figure.Max));
    }

    [Fact]
    public void A_figure_without_values_is_refused() => Assert.Throws<ArgumentException>(() => new Figure("", "x", "s", []));

    [Fact]
    public void A_ratio_is_taken_pair_by_pair_not_from_the_medians()
    {
        var ratio = Figure.Ratio("g", "a / b", new Figure("g", "a", "s", [1, 8, 9]), new Figure("g", "b", "s", [1, 2, 9]));
        Assert.Equal([1, 4, 1], ratio.Values);
        Assert.Equal(("1", 1), (ratio.Unit, ratio.Median));
        Assert.Throws<ArgumentException>(() => Figure.Ratio("g", "a / b", ratio, new Figure("g", "b", "s", [1])));
    }

    [Theory]
    [InlineData(true, 1.0, true)]
    [InlineData(true, 0.999, false)]
    [InlineData(false, 1.0, true)]
    [InlineData(false, 1.001, false)]
    public void A_bound_is_held_against_the_median(bool isLowest, double median, bool met) =>
        Assert.Equal(met, new Figure("", "x", "1", [median - 1, median, median + 1]) { Bound = new Bound(isLowest, 1) }.IsMet);

    [Fact]
    public void The_table_shows_every_figure_with_unit_n_median_minimum_maximum_and_bound()
    {
        var text = BenchmarkText.Write(Report(), Machine(0.1, 0.2, 0.3), Versions, Date);
        Assert.Equal(
            """
            Training, n = 3
            Some CPU, 2 cores, 3 GiB, 512-bit vectors, Some Linux, load 0.10 0.20 0.30
            2026-11-21 12:05 UTC; cluster 1.2.3; PyTorch 1.13

            small-cnn   unit      n  median    min    max  bound
            ours        images/s  3   610.0  600.2  620.0
            ours / ddp  ratio     3   1.010  0.980  1.020  >= 1.000 met

            resnet18    unit  n  median     min     max  bound
            round trip  ms    1  0.2500  0.2500  0.2500  <= 0.1000 MISSED

            One note.

            """.ReplaceLineEndings("\n"),
            text);
    }

    [Fact]
    public void The_table_says_that_the_machine_was_busy()
    {
        Assert.Contains("The machine was busy", BenchmarkText.Write(Report(), Machine(1.5, 0, 0), Versions, Date));
        Assert.DoesNotContain("The machine was busy", BenchmarkText.Write(Report(), Machine(0.2, 5, 5), Versions, Date));
        Assert.Contains("load unknown", BenchmarkText.Write(Report(), Machine(null), Versions, Date));
    }

    [Fact]
    public void The_json_holds_the_same_and_every_single_value()
    {
        using var json = JsonDocument.Parse(BenchmarkJson.Write(Report(), Machine(0.1, 0.2, 0.3), Versions, Date));
        var root = json.RootElement;
        Assert.Equal(["benchmark", "title", "date", "machine", "versions", "figures", "notes"], root.EnumerateObject().Select(p => p.Name));
        Assert.Equal(("peers", "2026-11-21T12:05:06Z"), (root.GetProperty("benchmark").GetString(), root.GetProperty("date").GetString()));
        Assert.Equal(["cpu", "cores", "memory_bytes", "vector_bits", "system", "load_average"], root.GetProperty("machine").EnumerateObject().Select(p => p.Name));
        Assert.Equal([0.1, 0.2, 0.3], root.GetProperty("machine").GetProperty("load_average").EnumerateArray().Select(l => l.GetDouble()));
        Assert.Equal("1.13", root.GetProperty("versions").GetProperty("PyTorch").GetString());
        var figures = root.GetProperty("figures").EnumerateArray().ToArray();
        Assert.Equal(["group", "name", "unit", "n", "median", "min", "max", "values"], figures[0].EnumerateObject().Select(p => p.Name));
        Assert.Equal([600.25, 620, 610], figures[0].GetProperty("values").EnumerateArray().Select(v => v.GetDouble()));
        Assert.Equal((3, 610.0, 600.25, 620.0), (figures[0].GetProperty("n").GetInt32(), figures[0].GetProperty("median").GetDouble(), figures[0].GetProperty("min").GetDouble(), figures[0].GetProperty("max").GetDouble()));
        Assert.True(figures[1].GetProperty("bound").GetProperty("met").GetBoolean());
        Assert.Equal(1, figures[1].GetProperty("bound").GetProperty("at_least").GetDouble());
        Assert.False(figures[2].GetProperty("bound").GetProperty("met").GetBoolean());
        Assert.Equal(0.1, figures[2].GetProperty("bound").GetProperty("at_most").GetDouble());
        Assert.Equal("One note.", Assert.Single(root.GetProperty("notes").EnumerateArray()).GetString());
    }

    [Fact]
    public void The_machine_is_read_from_what_the_system_says()
    {
        Assert.Equal("AMD EPYC 9999", MachineFacts.CpuName("processor\t: 0\nmodel name\t: AMD EPYC 9999\nmodel name\t: other\n"));
        Assert.EndsWith(" CPU", MachineFacts.CpuName("CPU part : 0xd0c\n"));
        Assert.Equal([1.25, 0.5, 2], MachineFacts.LoadOf("1.25 0.50 2.00 3/400 12345\n"));
        Assert.Null(MachineFacts.LoadOf(""));
        var here = MachineFacts.Read();
        Assert.True(here.MemoryBytes > 0 && here.Cores > 0);
    }
}
