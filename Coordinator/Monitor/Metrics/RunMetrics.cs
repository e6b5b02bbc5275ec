using System.Diagnostics.Metrics;
using Cluster.Contracts;

namespace Cluster.Coordinator.Monitor.Metrics;

/// <summary>
/// The figures of a run and of all its nodes, for whoever asks for them. What is set here is measured by the instruments of
/// <see cref="ClusterTelemetry"/> too, for an exporter that listens. Thread-safe.
/// </summary>
public sealed class RunMetrics
{
    /// <summary>Series of one metric; parts of steps come per node.</summary>
    public const int MaxSeries = 4096;

    private sealed class Series(int buckets)
    {
        public double Value;
        public readonly long[]? Buckets = buckets > 0 ? new long[buckets] : null;
        public Exemplar?[]? Exemplars;
    }

    private readonly Lock _lock = new();
    private readonly Dictionary<Instrument, (MetricRow Row, Dictionary<(string? Node, string Tag), Series> Series)> _metrics =
        ClusterTelemetry.Instruments.Where(ClusterTelemetry.OfRun.Contains).ToDictionary(static i => i, static i => (MetricRow.Of(i), new Dictionary<(string?, string), Series>()));
    private readonly NodeTable _nodes = new();
    private long _overflow;

    public void Set(Gauge<double> gauge, double value, string tag = "")
    {
        gauge.Record(value, Tags(gauge, tag));
        Change(gauge, null, tag, static (series, v) => series.Value = v, value);
    }

    public void Set(Gauge<long> gauge, long value, string tag = "")
    {
        gauge.Record(value, Tags(gauge, tag));
        Change(gauge, null, tag, static (series, v) => series.Value = v, value);
    }

    public void Add(Counter<long> counter, long value, string tag = "")
    {
        counter.Add(value, Tags(counter, tag));
        Change(counter, null, tag, static (series, v) => series.Value += v, value);
    }

    /// <summary>Of a node's own count: what it says it has reached. Counts again from zero when the process is another one.</summary>
    public void Reached(Counter<long> counter, string node, long value) => Change(counter, node, "", static (series, v) => series.Value = v, value);

    /// <param name="exemplar">The step whose trace shows how this came about; null = none is kept.</param>
    public void Observe(Histogram<double> histogram, double seconds, string? node = null, string tag = "", Exemplar? exemplar = null)
    {
        histogram.Record(seconds, Tags(histogram, tag));
        lock (_lock)
        {
            var (row, _) = _metrics[histogram];
            if (Find(histogram, node, tag) is not { } series) return;
            var bucket = MetricCell.BucketOf(row.Bounds, seconds);
            series.Buckets![bucket]++;
            series.Value += seconds;
            if (exemplar is not null) (series.Exemplars ??= new Exemplar?[series.Buckets.Length])[bucket] = exemplar;
        }
    }

    public void Reported(string node, NodeReport report, DateTimeOffset at)
    {
        lock (_lock) _nodes.Take(node, report, at);
    }

    /// <summary>Nodes that are here, with their figures.</summary>
    public IReadOnlyList<(string Node, IReadOnlyList<NodeFigure> Figures)> Nodes(DateTimeOffset now)
    {
        lock (_lock) return [.. _nodes.At(now)];
    }

    /// <summary>Everything, as it is now: copies.</summary>
    public IReadOnlyList<MetricFamily> Read(DateTimeOffset now)
    {
        lock (_lock)
        {
            _metrics[ClusterTelemetry.Nodes].Series.Clear();
            foreach (var (node, _) in _nodes.At(now)) Find(ClusterTelemetry.Nodes, null, RoleOf(node))!.Value++;
            if (Find(ClusterTelemetry.MetricOverflow, null, "") is { } overflow) overflow.Value = _overflow + _nodes.Refused;
            return
            [
                .. _metrics.Values.Select(static m => new MetricFamily(m.Row, [.. m.Series.Select(static s =>
                    new MetricSample(s.Key.Node, s.Key.Tag, s.Value.Value, s.Value.Buckets is { } b ? [.. b] : null, s.Value.Exemplars is { } e ? [.. e] : null))])),
                .. _nodes.Families(now),
            ];
        }
    }

    /// <summary><c>worker</c> of <c>worker-12</c>.</summary>
    public static string RoleOf(string node) => node.LastIndexOf('-') is var dash and > 0 ? node[..dash] : node;

    private void Change(Instrument instrument, string? node, string tag, Action<Series, double> change, double value)
    {
        lock (_lock)
            if (Find(instrument, node, tag) is { } series) change(series, value);
    }

    private Series? Find(Instrument instrument, string? node, string tag)
    {
        var (row, all) = _metrics[instrument];
        if (all.TryGetValue((node, tag), out var series)) return series;
        if (all.Count >= MaxSeries)
        {
            _overflow++;
            return null;
        }
        return all[(node, tag)] = new Series(row.Kind == MetricKind.Histogram ? row.Bounds.Count + 1 : 0);
    }

    private static ReadOnlySpan<KeyValuePair<string, object?>> Tags(Instrument instrument, string tag) =>
        instrument.Enabled && ClusterTelemetry.TagOf(instrument) is { } name ? new KeyValuePair<string, object?>[] { new(name, tag) } : [];
}
