using Cluster.Cli.Bench.Fuzz.Targets;

namespace Cluster.Cli.Bench.Fuzz;

/// <summary>Every decoder that faces a network or a file from elsewhere; a new one is a line in its file.</summary>
internal static class FuzzTargets
{
    public static IReadOnlyList<FuzzTarget> All { get; } =
        [.. LinkTargets.All, .. MessageTargets.All, .. CheckpointTargets.All, .. DataTargets.All, .. ImageTargets.All, .. TextTargets.All, .. HttpTargets.All];

    /// <summary>Cases of each out of so many in all, or a few more: a decoder that takes longer gets fewer.</summary>
    public static long ShareOf(FuzzTarget target, IReadOnlyList<FuzzTarget> targets, long cases) =>
        (long)Math.Ceiling(cases / (double)target.Cost / targets.Sum(static t => 1.0 / t.Cost));
}
