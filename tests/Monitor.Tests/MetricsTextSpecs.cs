using Cluster.Contracts;
using Cluster.Coordinator.Monitor.Metrics;

namespace Cluster.Coordinator.Monitor.Tests;

/// <summary>Figures as OpenMetrics and as Prometheus' older text.</summary>
public sealed class MetricsTextSpecs
{
    private static readonly DateTimeOffset At = DateTimeOffset.FromUnixTimeMilliseconds(1_700_000_000_250);

    private static readonly MetricRow Sent = new("train.link.sent", MetricKind.Counter, "By", "Bytes \"out\", by\nlane.", "train.link.lane", []);

    private static readonly MetricRow Duration = new("train.step.duration", MetricKind.Histogram, "s", "One step.", null, [0.5, 1]);

    [Fact]
    public void A_counter_has_its_unit_in_its_name_and_a_total_behind_it()
    {
        var family = new MetricFamily(Sent, [new MetricSample("worker-0", "bulk", 12), new MetricSample("worker-0", "con\\tr\"ol\n", 3)]);
        Assert.Equal(
            """
            # TYPE train_link_sent_bytes counter
            # UNIT train_link_sent_bytes bytes
            # HELP train_link_sent_bytes Bytes \"out\", by\nlane.
            train_link_sent_bytes_total{node="worker-0",lane="bulk"} 12
            train_link_sent_bytes_total{node="worker-0",lane="con\\tr\"ol\n"} 3
            # EOF

            """, MetricsText.Write([family], "run", isOpenMetrics: true));
        Assert.Equal(
            """
            # TYPE train_link_sent_bytes_total counter
            # HELP train_link_sent_bytes_total Bytes "out", by\nlane.
            train_link_sent_bytes_total{node="worker-0",lane="bulk"} 12
            train_link_sent_bytes_total{node="worker-0",lane="con\\tr\"ol\n"} 3

            """, MetricsText.Write([family], "run", isOpenMetrics: false));
    }

    [Fact]
    public void A_histogram_adds_its_buckets_up_and_leads_to_the_trace_of_the_step()
    {
        var family = new MetricFamily(Duration, [new MetricSample(null, "", 3.25, [2, 0, 1], [null, null, new Exemplar(new StepId(7), 2.5, At)])]);
        var trace = StepTrace.IdOf("run", new StepId(7)).ToHexString();
        Assert.Equal(
            $$"""
            # TYPE train_step_duration_seconds histogram
            # UNIT train_step_duration_seconds seconds
            # HELP train_step_duration_seconds One step.
            train_step_duration_seconds_bucket{le="0.5"} 2
            train_step_duration_seconds_bucket{le="1.0"} 2
            train_step_duration_seconds_bucket{le="+Inf"} 3 # {trace_id="{{trace}}",step="7"} 2.5 1700000000.25
            train_step_duration_seconds_sum 3.25
            train_step_duration_seconds_count 3
            # EOF

            """, MetricsText.Write([family], "run", isOpenMetrics: true));
        Assert.DoesNotContain("trace_id", MetricsText.Write([family], "run", isOpenMetrics: false));
    }

    [Fact]
    public void What_is_no_number_is_written_as_the_format_wants_it()
    {
        var row = new MetricRow("train.gradient.norm", MetricKind.Gauge, "", "Norm.", null, []);
        string Value(double value) => MetricsText.Write([new MetricFamily(row, [new MetricSample(null, "", value)])], "run", true).Split('\n')[2];
        Assert.Equal("train_gradient_norm NaN", Value(double.NaN));
        Assert.Equal("train_gradient_norm +Inf", Value(double.PositiveInfinity));
        Assert.Equal("train_gradient_norm -Inf", Value(double.NegativeInfinity));
        Assert.Equal("train_gradient_norm 1E-07", Value(1e-7));
    }

    [Fact]
    public void A_metric_without_series_is_left_out() => Assert.Equal("# EOF\n", MetricsText.Write([new MetricFamily(Sent, [])], "run", true));

    [Theory]
    [InlineData(null, true)]
    [InlineData("*/*", true)]
    [InlineData("application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1", true)]
    [InlineData("text/plain", false)]
    [InlineData("text/html,application/xhtml+xml,*/*;q=0.8", false)]
    public void The_format_is_what_was_asked_for(string? accept, bool isOpenMetrics) => Assert.Equal(isOpenMetrics, MetricsText.IsOpenMetrics(accept));

    /// <summary>Two metrics of one name would make the whole page unreadable.</summary>
    [Fact]
    public void Names_are_unique_have_a_help_and_end_in_their_unit()
    {
        Assert.Distinct(MetricCatalog.All.Select(static r => r.ExposedName));
        Assert.All(MetricCatalog.All, static row =>
        {
            Assert.Matches("^[a-z][a-z0-9_]*$", row.ExposedName);
            Assert.NotEmpty(row.Help);
            Assert.EndsWith(row.ExposedUnit, row.ExposedName, StringComparison.Ordinal);
            Assert.Equal(row.Kind == MetricKind.Histogram, row.Bounds.Count > 0);
            Assert.Equal(row.Bounds.Order(), row.Bounds);
        });
    }
}
