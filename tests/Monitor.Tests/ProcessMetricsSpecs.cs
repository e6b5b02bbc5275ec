using System.Diagnostics.Metrics;
using Cluster.Contracts;
using Cluster.Coordinator.Monitor.Metrics;

namespace Cluster.Coordinator.Monitor.Tests;

/// <summary>Instruments of a process are added up, with a bound on their series.</summary>
public sealed class ProcessMetricsSpecs
{
    private readonly Meter _meter = new(Guid.NewGuid().ToString());

    /// <summary>Only what this test makes: instruments of others live in the same process.</summary>
    private ProcessMetrics Listen(string? tag = null, params double[] bounds) => new(i => i.Meter != _meter ? null : MetricRow.Of(i) with { Tag = tag, Bounds = bounds });

    private static KeyValuePair<string, object?> Tag(string value) => new("tag", value);

    [Fact]
    public void Counters_add_gauges_hold_and_up_down_counters_go_both_ways()
    {
        var counter = _meter.CreateCounter<long>("c");
        var gauge = _meter.CreateGauge<double>("g");
        var depth = _meter.CreateUpDownCounter<long>("d");
        _meter.CreateObservableGauge("o", static () => 4.5);
        using var metrics = Listen();
        counter.Add(2);
        counter.Add(3);
        gauge.Record(1);
        gauge.Record(double.NaN);
        gauge.Record(0.25);
        depth.Add(3);
        depth.Add(-1);
        Assert.Equal([("c", 5), ("d", 2), ("g", 0.25), ("o", 4.5)], Figures(metrics));
        Assert.Equal([("c", 5), ("d", 2), ("g", 0.25), ("o", 4.5)], Figures(metrics));
    }

    [Fact]
    public void A_histogram_counts_a_value_on_a_bound_below_it_and_what_is_no_number_above_all()
    {
        var histogram = _meter.CreateHistogram<double>("h");
        using var metrics = Listen(null, 1, 2);
        foreach (var value in (double[])[0.5, 1, 1.5, 2, 3]) histogram.Record(value);
        var figure = Assert.Single(metrics.Read().Figures);
        Assert.Equal([2, 2, 1], figure.Buckets);
        Assert.Equal((5, 8.0), (figure.Count, figure.Value));
        histogram.Record(double.NaN);
        Assert.Equal([2, 2, 2], Assert.Single(metrics.Read().Figures).Buckets);
    }

    [Fact]
    public void Values_of_a_tag_beyond_the_bound_share_one_series_and_none_is_lost()
    {
        var counter = _meter.CreateCounter<long>("c");
        using var metrics = Listen("tag");
        for (var i = 0; i < 10 * ProcessMetrics.MaxSeries; i++) counter.Add(1, Tag($"{i}"));
        var figures = metrics.Read().Figures;
        Assert.Equal(ProcessMetrics.MaxSeries + 1, figures.Count);
        Assert.Equal(10 * ProcessMetrics.MaxSeries, figures.Sum(static f => f.Value));
        Assert.Equal(9 * ProcessMetrics.MaxSeries, Assert.Single(figures, static f => f.Tag == ProcessMetrics.OtherTag).Value);
    }

    [Fact]
    public async Task Many_threads_lose_nothing()
    {
        var counter = _meter.CreateCounter<double>("c");
        var histogram = _meter.CreateHistogram<double>("h");
        using var metrics = Listen("tag", 0.5);
        await Task.WhenAll(Enumerable.Range(0, 4).Select(thread => Task.Run(() =>
        {
            for (var i = 0; i < 10_000; i++)
            {
                counter.Add(0.5, Tag($"{i % 7}"));
                histogram.Record(1, Tag("all"));
            }
        })));
        var figures = metrics.Read().Figures;
        Assert.Equal(20_000, figures.Where(static f => f.Name == "c").Sum(static f => f.Value));
        Assert.Equal([0, 40_000], Assert.Single(figures, static f => f.Name == "h").Buckets);
    }

    private static IEnumerable<(string, double)> Figures(ProcessMetrics metrics) => metrics.Read().Figures.Select(static f => (f.Name, f.Value)).OrderBy(static f => f.Name, StringComparer.Ordinal);
}
