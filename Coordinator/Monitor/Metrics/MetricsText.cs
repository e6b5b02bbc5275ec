using System.Text;
using Cluster.Contracts;

namespace Cluster.Coordinator.Monitor.Metrics;

/// <summary>
/// Metrics as text: OpenMetrics 1.0 (https://github.com/prometheus/OpenMetrics/blob/v1.0.0/specification/OpenMetrics.md),
/// or Prometheus' older format, which has neither units nor exemplars nor an end.
/// </summary>
public static class MetricsText
{
    public const string OpenMetricsType = "application/openmetrics-text; version=1.0.0; charset=utf-8";

    public const string PlainType = "text/plain; version=0.0.4; charset=utf-8";

    /// <summary>The older format is for whoever asks for text and does not know the newer one.</summary>
    /// <param name="accept">A request's Accept header; null = it has none.</param>
    public static bool IsOpenMetrics(string? accept) =>
        accept is null || accept.Contains("application/openmetrics-text", StringComparison.OrdinalIgnoreCase) || !accept.Contains("text/", StringComparison.OrdinalIgnoreCase);

    /// <param name="runId">Gives exemplars their trace ids.</param>
    public static string Write(IEnumerable<MetricFamily> families, string runId, bool isOpenMetrics)
    {
        var text = new StringBuilder(16_384);
        foreach (var family in families)
        {
            if (family.Samples.Count == 0) continue;
            Head(text, family.Row, isOpenMetrics);
            foreach (var sample in family.Samples)
            {
                if (family.Row.Kind == MetricKind.Histogram) Histogram(text, family.Row, sample, runId, isOpenMetrics);
                else Line(text, family.Row.ExposedName, family.Row.Kind == MetricKind.Counter ? "_total" : "", family.Row, sample, sample.Value).Append('\n');
            }
        }
        if (isOpenMetrics) text.Append("# EOF\n");
        return text.ToString();
    }

    private static void Head(StringBuilder text, MetricRow row, bool isOpenMetrics)
    {
        var name = row.ExposedName;
        // The older format takes a counter's name with its suffix.
        if (!isOpenMetrics && row.Kind == MetricKind.Counter) name += "_total";
        var kind = row.Kind switch { MetricKind.Counter => "counter", MetricKind.Histogram => "histogram", _ => "gauge" };
        text.Append("# TYPE ").Append(name).Append(' ').Append(kind).Append('\n');
        if (isOpenMetrics && row.ExposedUnit.Length > 0) text.Append("# UNIT ").Append(name).Append(' ').Append(row.ExposedUnit).Append('\n');
        text.Append("# HELP ").Append(name).Append(' ');
        Escape(text, row.Help, quotes: isOpenMetrics);
        text.Append('\n');
    }

    private static void Histogram(StringBuilder text, MetricRow row, MetricSample sample, string runId, bool isOpenMetrics)
    {
        var buckets = sample.Buckets!;
        long below = 0;
        for (var i = 0; i < buckets.Count; i++)
        {
            below += buckets[i];
            Line(text, row.ExposedName, "_bucket", row, sample, below, Bound(i < row.Bounds.Count ? row.Bounds[i] : double.PositiveInfinity));
            if (isOpenMetrics && sample.Exemplars?[i] is { } exemplar)
            {
                text.Append(" # {trace_id=\"").Append(StepTrace.IdOf(runId, exemplar.Step).ToHexString()).Append("\",step=\"").Append(exemplar.Step).Append("\"} ")
                    .Append(Number(exemplar.Seconds)).Append(' ').Append(Number(exemplar.At.ToUnixTimeMilliseconds() / 1e3));
            }
            text.Append('\n');
        }
        Line(text, row.ExposedName, "_sum", row, sample, sample.Value).Append('\n');
        Line(text, row.ExposedName, "_count", row, sample, below).Append('\n');
    }

    private static StringBuilder Line(StringBuilder text, string name, string suffix, MetricRow row, MetricSample sample, double value, string? bound = null)
    {
        text.Append(name).Append(suffix);
        var separator = '{';
        Label("node", sample.Node);
        if (row.Label is { } label) Label(label, sample.Tag);
        Label("le", bound);
        if (separator == ',') text.Append('}');
        return text.Append(' ').Append(Number(value));

        void Label(string key, string? of)
        {
            if (of is null) return;
            text.Append(separator).Append(key).Append("=\"");
            Escape(text, of, quotes: true);
            text.Append('"');
            separator = ',';
        }
    }

    private static void Escape(StringBuilder text, string value, bool quotes)
    {
        foreach (var character in value)
        {
            if (character == '\\') text.Append("\\\\");
            else if (character == '\n') text.Append("\\n");
            else if (character == '"' && quotes) text.Append("\\\"");
            else text.Append(character);
        }
    }

    private static string Number(double value) =>
        double.IsNaN(value) ? "NaN" : double.IsPositiveInfinity(value) ? "+Inf" : double.IsNegativeInfinity(value) ? "-Inf" : value.ToString("R");

    /// <summary>Whole bounds are written as floats: <c>1.0</c>.</summary>
    private static string Bound(double bound) => double.IsInteger(bound) ? bound.ToString("0.0") : Number(bound);
}
