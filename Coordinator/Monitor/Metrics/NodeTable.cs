using Cluster.Contracts;

namespace Cluster.Coordinator.Monitor.Metrics;

/// <summary>The last report of every node. One that has been silent for <see cref="Patience"/> is gone. Not thread-safe.</summary>
public sealed class NodeTable
{
    /// <summary>Fifteen reports, and as long as Prometheus usually takes between two visits.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(15);

    /// <summary>More than a report of everything has. What is beyond is left out.</summary>
    public const int MaxFigures = 1024;

    /// <summary>Longest value of a tag.</summary>
    public const int MaxTagLength = 128;

    private readonly Dictionary<string, (IReadOnlyList<NodeFigure> Figures, DateTimeOffset At)> _nodes = [];

    /// <summary>Figures that were left out so far: unknown, malformed or too many.</summary>
    public long Refused { get; private set; }

    public void Take(string node, NodeReport report, DateTimeOffset at)
    {
        var figures = report.Figures;
        var kept = new List<NodeFigure>(Math.Min(figures.Count, MaxFigures));
        var series = new Dictionary<string, int>();
        foreach (var figure in figures)
        {
            if (kept.Count < MaxFigures && IsSound(figure) && (series[figure.Name] = series.GetValueOrDefault(figure.Name) + 1) <= ProcessMetrics.MaxSeries + 1) kept.Add(figure);
            else Refused++;
        }
        _nodes[node] = (kept, at);
        foreach (var (name, last) in _nodes)
            if (at - last.At > Patience) _nodes.Remove(name);
    }

    private static bool IsSound(NodeFigure figure) =>
        figure.Name is not null && MetricCatalog.OfProcessNamed(figure.Name) is { } row
        && figure.Tag?.Length <= MaxTagLength
        && (row.Kind == MetricKind.Histogram ? figure.Buckets?.Count == row.Bounds.Count + 1 : figure.Buckets is null);

    /// <summary>Nodes that are here at this time, in the order of their names.</summary>
    public IEnumerable<(string Node, IReadOnlyList<NodeFigure> Figures)> At(DateTimeOffset now) =>
        _nodes.Where(n => now - n.Value.At <= Patience).OrderBy(static n => n.Key, StringComparer.Ordinal).Select(static n => (n.Key, n.Value.Figures));

    /// <summary>Their figures as families, in the order of the catalog.</summary>
    public IEnumerable<MetricFamily> Families(DateTimeOffset now)
    {
        var byName = new Dictionary<string, List<MetricSample>>();
        foreach (var (node, figures) in At(now))
        {
            foreach (var figure in figures)
            {
                if (!byName.TryGetValue(figure.Name, out var samples)) byName[figure.Name] = samples = [];
                samples.Add(new MetricSample(node, figure.Tag, figure.Value, figure.Buckets));
            }
        }
        return MetricCatalog.OfProcess.Where(r => byName.ContainsKey(r.Name)).Select(r => new MetricFamily(r, byName[r.Name]));
    }
}
