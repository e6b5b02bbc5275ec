using Cluster.Contracts;

namespace Cluster.Coordinator.Monitor.Metrics;

/// <summary>Leads from a bucket of the step histogram to a trace.</summary>
/// <param name="Seconds">The value that was observed.</param>
public readonly record struct Exemplar(StepId Step, double Seconds, DateTimeOffset At);

/// <summary>One series of a metric, as it is now.</summary>
/// <param name="Node">Whose it is; null = the run's.</param>
/// <param name="Tag">Value of the metric's one tag; empty = it has none.</param>
/// <param name="Value">Of a histogram the sum.</param>
/// <param name="Buckets">Of a histogram: observations in each bucket, the one above the last bound too. Null for everything else.</param>
/// <param name="Exemplars">One per bucket, null where there is none; null = none at all.</param>
public sealed record MetricSample(string? Node, string Tag, double Value, IReadOnlyList<long>? Buckets = null, IReadOnlyList<Exemplar?>? Exemplars = null);

/// <summary>A metric with all its series.</summary>
public sealed record MetricFamily(MetricRow Row, IReadOnlyList<MetricSample> Samples);
