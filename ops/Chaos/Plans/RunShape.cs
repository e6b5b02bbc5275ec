using System.Collections.Immutable;

namespace Cluster.Chaos;

/// <summary>What a plan needs to know of the run that it disturbs.</summary>
/// <param name="Steps">N: faults strike in steps 1 to N.</param>
/// <param name="Workers">W: <c>worker-0</c> to <c>worker-(W-1)</c>.</param>
/// <param name="Shards">P: <c>ps-0</c> to <c>ps-(P-1)</c>.</param>
public sealed record RunShape(long Steps, int Workers, int Shards)
{
    /// <summary>Standbys of each shard. A shard that has none and dies sends all of them back to a checkpoint.</summary>
    public int Replicas { get; init; } = Shards > 1 ? 1 : 0;

    /// <summary>Whether leaves are computed twice here and there, so that a lie can be found.</summary>
    public bool Audits { get; init; } = true;

    /// <summary>Names of the run's processes.</summary>
    public ImmutableArray<string> Nodes =>
        ["coordinator", .. Enumerable.Range(0, Shards).Select(static i => $"ps-{i}"), .. Enumerable.Range(0, Workers).Select(static i => $"worker-{i}")];
}
