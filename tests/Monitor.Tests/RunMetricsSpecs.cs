using Cluster.Contracts;
using Cluster.Coordinator.Monitor.Metrics;

namespace Cluster.Coordinator.Monitor.Tests;

/// <summary>What a run and its nodes show at /metrics.</summary>
public sealed class RunMetricsSpecs
{
    private sealed class Clock : TimeProvider
    {
        public TimeSpan Passed { get; set; }
        public override DateTimeOffset GetUtcNow() => DateTimeOffset.UnixEpoch + Passed;
        public override long GetTimestamp() => Passed.Ticks;
        public override long TimestampFrequency => TimeSpan.TicksPerSecond;
    }

    private readonly Clock _clock = new();
    private readonly RunMetrics _metrics = new();

    private string[] Lines(string name) =>
        [.. MetricsText.Write(_metrics.Read(_clock.GetUtcNow()), "run", isOpenMetrics: true).Split('\n').Where(l => l.StartsWith(name, StringComparison.Ordinal))];

    private MetricsWatcher Watcher(long traceEvery = 1, bool hasCheckpoints = true) => new(_metrics, 100, traceEvery, hasCheckpoints, _clock);

    private static NodeReport Leaves(double seconds, long count) =>
        new([new NodeFigure(ClusterTelemetry.LeafDuration.Name, "", seconds, count, [count, .. new long[13]])]);

    private void Step(MetricsWatcher watcher, int step, double seconds, double gradNorm = 2)
    {
        watcher.Begun(new StepId(step), _clock.GetUtcNow());
        _clock.Passed += TimeSpan.FromSeconds(seconds);
        var record = new CommitRecord(new Term(1), new StepId(step), 0, 0, 64, 1.5, 0.25, gradNorm, 0.5, 0.1, double.IsFinite(gradNorm), []);
        watcher.Committed(new CommittedStep(record, TimeSpan.FromSeconds(seconds), false, 640, _clock.GetUtcNow()));
    }

    [Fact]
    public void Committed_steps_become_figures_and_lead_to_their_traces()
    {
        var watcher = Watcher();
        Step(watcher, 1, 0.015);
        Step(watcher, 2, 0.3, double.NaN);
        Assert.Equal(["train_steps_committed_total 2"], Lines("train_steps_committed_total"));
        Assert.Equal(["train_steps_skipped_total 1"], Lines("train_steps_skipped_total"));
        Assert.Equal(["train_samples_total 128"], Lines("train_samples_total"));
        Assert.Equal(["train_step_last 2"], Lines("train_step_last"));
        Assert.Equal(["train_gradient_norm NaN"], Lines("train_gradient_norm"));
        Assert.Equal(["train_step_duration_seconds_count 2"], Lines("train_step_duration_seconds_count"));
        Assert.StartsWith("""train_step_duration_seconds_bucket{le="0.5"} 2 # {trace_id="XX",step="2"} 0.3""".Replace("XX", StepTrace.IdOf("run", new StepId(2)).ToHexString()), Assert.Single(Lines("""train_step_duration_seconds_bucket{le="0.5"}""")));
    }

    [Fact]
    public void A_step_whose_trace_is_not_kept_leads_nowhere()
    {
        var watcher = Watcher(traceEvery: 2);
        Step(watcher, 1, 0.015);
        Assert.DoesNotContain("trace_id", string.Join('\n', Lines("train_step_duration")));
    }

    [Fact]
    public void A_node_that_is_silent_for_15_seconds_disappears()
    {
        var watcher = Watcher();
        watcher.Reported("worker-0", Leaves(1, 10));
        _clock.Passed += TimeSpan.FromSeconds(10);
        watcher.Reported("worker-1", Leaves(1, 10));
        Assert.Equal(["""train_leaf_duration_seconds_count{node="worker-0"} 10""", """train_leaf_duration_seconds_count{node="worker-1"} 10"""], Lines("train_leaf_duration_seconds_count"));
        Assert.Equal(["""train_nodes{role="worker"} 2"""], Lines("train_nodes"));
        _clock.Passed += TimeSpan.FromSeconds(5.5);
        Assert.Equal(["""train_leaf_duration_seconds_count{node="worker-1"} 10"""], Lines("train_leaf_duration_seconds_count"));
        Assert.Equal(["""train_nodes{role="worker"} 1"""], Lines("train_nodes"));
    }

    /// <summary>A node is another process, maybe of another mind.</summary>
    [Fact]
    public void Figures_that_are_unknown_malformed_or_too_many_are_left_out_and_counted()
    {
        var sent = ClusterTelemetry.LinkSent.Name;
        _metrics.Reported("worker-0", new NodeReport([
            new NodeFigure("gone", "", 1),
            new NodeFigure(ClusterTelemetry.LeafDuration.Name, "", 1, 1, [1]),
            new NodeFigure(ClusterTelemetry.LeafDuration.Name, "", 1),
            new NodeFigure(sent, new string('x', NodeTable.MaxTagLength + 1), 1),
            .. Enumerable.Range(0, 500).Select(i => new NodeFigure(sent, $"{i}", 1))]), _clock.GetUtcNow());
        Assert.Equal(ProcessMetrics.MaxSeries + 1, Lines("train_link_sent_bytes_total").Length);
        Assert.Empty(Lines("train_leaf"));
        Assert.Equal([$"train_metrics_overflow_total {4 + 500 - ProcessMetrics.MaxSeries - 1}"], Lines("train_metrics_overflow_total"));
    }

    [Fact]
    public void Spans_that_are_parts_of_a_step_are_measured_and_no_others()
    {
        var watcher = Watcher();
        watcher.Traced("worker-0", new SpanBatch([Span("forward"), Span("forward"), Span("made up"), Span("evaluate"), Span("step"), Span("backward", parent: 0), Span(null!), null!], 3));
        Assert.Equal(["""train_step_part_duration_seconds_count{node="worker-0",part="forward"} 2"""], Lines("train_step_part_duration_seconds_count"));
        Assert.Equal(["""train_step_part_duration_seconds_sum{node="worker-0",part="forward"} 0.002"""], Lines("train_step_part_duration_seconds_sum"));
        Assert.Equal(["""train_spans_dropped_total{node="worker-0"} 3"""], Lines("train_spans_dropped_total"));
    }

    [Fact]
    public void Series_of_a_run_are_bounded_and_what_is_left_out_is_counted()
    {
        var watcher = Watcher();
        for (var i = 0; i < RunMetrics.MaxSeries + 5; i++) watcher.Traced($"worker-{i}", new SpanBatch([Span("forward")], 0));
        Assert.Equal(RunMetrics.MaxSeries, Lines("train_step_part_duration_seconds_count").Length);
        // The part of each, and its dropped spans.
        Assert.Equal(["train_metrics_overflow_total 10"], Lines("train_metrics_overflow_total"));
    }

    private static SpanRecord Span(string name, ulong parent = 1) => new(1, 1, 2, parent, name, 0, 1_000_000, [], [], null);

    [Fact]
    public void A_report_that_holds_nothing_where_something_belongs_harms_nobody()
    {
        var watcher = Watcher();
        watcher.Reported("worker-0", new NodeReport(null!));
        watcher.Reported("worker-0", new NodeReport([default, new NodeFigure(ClusterTelemetry.LinkSent.Name, null!, 1), new NodeFigure(ClusterTelemetry.ComputedSamples.Name, "", 8)]));
        watcher.Traced("worker-0", new SpanBatch(null!, 0));
        Assert.Equal(["""train_samples_computed_total{node="worker-0"} 8"""], Lines("train_samples_computed_total"));
        Assert.Equal(["train_metrics_overflow_total 2"], Lines("train_metrics_overflow_total"));
    }

    [Fact]
    public void The_straggler_ratio_is_the_slowest_over_the_median_of_the_last_seconds()
    {
        var watcher = Watcher();
        for (var second = 1; second <= 60; second++)
        {
            _clock.Passed = TimeSpan.FromSeconds(second);
            // For half a minute all are alike; then the third needs three times as long.
            watcher.Reported("worker-0", Leaves(0.1 * second, second));
            if (second == 1) Assert.Empty(Lines("train_straggler_ratio"));
            watcher.Reported("worker-1", Leaves(0.1 * second, second));
            watcher.Reported("worker-2", Leaves(0.1 * second + (second > 30 ? 0.2 * (second - 30) : 0), second));
            if (second == 30) Assert.Equal(1, Ratio(), 6);
        }
        Assert.Equal(3, Ratio(), 6);

        double Ratio() => double.Parse(Assert.Single(Lines("train_straggler_ratio")).Split(' ')[1]);
    }

    [Fact]
    public void A_checkpoint_grows_old_where_there_are_any()
    {
        var watcher = Watcher();
        _clock.Passed = TimeSpan.FromSeconds(70);
        watcher.Reported("local", new NodeReport([]));
        Assert.Equal(["train_checkpoint_age_seconds 70"], Lines("train_checkpoint_age"));
        watcher.Checkpointed(new WeightsVersion(3), TimeSpan.FromSeconds(0.3));
        _clock.Passed = TimeSpan.FromSeconds(75);
        watcher.Reported("local", new NodeReport([]));
        Assert.Equal(["train_checkpoint_age_seconds 5"], Lines("train_checkpoint_age"));
    }
}
