using Cluster.Contracts;

namespace Cluster.Coordinator.Monitor.TensorBoard;

/// <summary>A histogram per parameter tensor, out of the pieces of the state that shards hold. Pure.</summary>
public static class WeightHistograms
{
    /// <param name="parts">In any order; a tensor may lie in several.</param>
    /// <returns>In the layout's order, one made after the other.</returns>
    public static IEnumerable<(string Name, HistogramCounts Counts)> Of(ParameterLayout layout, IReadOnlyList<ShardSnapshot> parts)
    {
        ArgumentNullException.ThrowIfNull(layout);
        ArgumentNullException.ThrowIfNull(parts);
        foreach (var entry in layout.Parameters)
        {
            var counts = new HistogramCounts();
            foreach (var part in parts)
            {
                var from = Math.Max(entry.Offset, part.Offset);
                var to = Math.Min(entry.Offset + entry.Length, part.Offset + part.Weights.Length);
                if (from < to) counts.Add(part.Weights.Span[(from - part.Offset)..(to - part.Offset)]);
            }
            yield return (entry.Name, counts);
        }
    }
}
