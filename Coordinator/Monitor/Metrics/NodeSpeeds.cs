using Cluster.Contracts;

namespace Cluster.Coordinator.Monitor.Metrics;

/// <summary>How much slower the slowest worker is than the median one, by the leaves that they computed of late. Not thread-safe.</summary>
public sealed class NodeSpeeds
{
    /// <summary>What is looked back on, at least: a leaf may take longer than a report.</summary>
    private static readonly TimeSpan Window = TimeSpan.FromSeconds(10);

    private readonly record struct Seen(DateTimeOffset At, double Seconds, long Leaves);

    private readonly Dictionary<string, (Seen Base, Seen Middle, Seen Last)> _workers = [];

    public void Take(string node, NodeReport report, DateTimeOffset at)
    {
        foreach (var figure in report.Figures)
        {
            if (figure.Name != ClusterTelemetry.LeafDuration.Name) continue;
            var now = new Seen(at, figure.Value, figure.Count);
            // Another process of that name counts from zero.
            if (!_workers.TryGetValue(node, out var seen) || now.Leaves < seen.Last.Leaves) seen = (now with { Seconds = 0, Leaves = 0 }, now, now);
            _workers[node] = now.At - seen.Middle.At >= Window ? (seen.Middle, now, now) : seen with { Last = now };
        }
    }

    /// <returns>Null unless two workers or more have computed something of late.</returns>
    public double? Ratio(DateTimeOffset now)
    {
        var times = _workers.Values.Where(w => now - w.Last.At <= NodeTable.Patience && w.Last.Leaves > w.Base.Leaves)
            .Select(static w => (w.Last.Seconds - w.Base.Seconds) / (w.Last.Leaves - w.Base.Leaves)).Order().ToArray();
        if (times.Length < 2) return null;
        var median = (times[(times.Length - 1) / 2] + times[times.Length / 2]) / 2;
        return median > 0 ? times[^1] / median : null;
    }
}
