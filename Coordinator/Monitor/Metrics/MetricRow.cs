using System.Diagnostics.Metrics;
using Cluster.Contracts;

namespace Cluster.Coordinator.Monitor.Metrics;

public enum MetricKind
{
    Counter,
    Gauge,
    Histogram,
}

/// <summary>What is known about a metric beside its figures.</summary>
/// <param name="Name">Dotted.</param>
/// <param name="Unit">UCUM; empty = none.</param>
/// <param name="Tag">Name of its one tag; null = it has none.</param>
/// <param name="Bounds">Of a histogram: upper bounds of its buckets, ascending, without infinity.</param>
public sealed record MetricRow(string Name, MetricKind Kind, string Unit, string Help, string? Tag, IReadOnlyList<double> Bounds)
{
    /// <summary>Of an instrument of <see cref="ClusterTelemetry"/>.</summary>
    public static MetricRow Of(Instrument instrument) => new(
        instrument.Name, KindOf(instrument), instrument.Unit ?? "", instrument.Description ?? "", ClusterTelemetry.TagOf(instrument),
        (instrument as Histogram<double>)?.Advice?.HistogramBucketBoundaries ?? []);

    private static MetricKind KindOf(Instrument instrument)
    {
        var type = instrument.GetType().GetGenericTypeDefinition();
        return type == typeof(Histogram<>) ? MetricKind.Histogram
            : type == typeof(Counter<>) || type == typeof(ObservableCounter<>) ? MetricKind.Counter
            : MetricKind.Gauge;
    }

    /// <summary>As Prometheus spells it: dots become underscores, the unit is spelled out behind it; without the <c>_total</c> of a counter.</summary>
    public string ExposedName { get; } = Exposed(Name, Unit, Kind);

    /// <summary>The unit as a word; empty = none.</summary>
    public string ExposedUnit { get; } = Word(Unit, Kind);

    /// <summary>The tag as a label: its last part, <c>lane</c> of <c>train.link.lane</c>.</summary>
    public string? Label { get; } = Tag?[(Tag.LastIndexOf('.') + 1)..];

    private static string Exposed(string name, string unit, MetricKind kind)
    {
        var text = name.Replace('.', '_');
        var word = Word(unit, kind);
        return word.Length == 0 || text.EndsWith("_" + word, StringComparison.Ordinal) ? text : $"{text}_{word}";
    }

    private static string Word(string unit, MetricKind kind) => unit switch
    {
        "s" => "seconds",
        "By" => "bytes",
        "1" when kind == MetricKind.Gauge => "ratio",
        _ => "",
    };
}
