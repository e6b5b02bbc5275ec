namespace Cluster.Coordinator.Core;

/// <summary>
/// What is done to one output unit's weights (a row: everything behind one index of the first dimension) by its norm. Norms
/// are <see cref="ChunkNorm"/>'s float64 sums over the row, so they depend neither on the vector width nor on the shard.
/// </summary>
internal static unsafe class OutputUnits
{
    /// <summary>A unit of smaller weights is clipped as if they had this norm: else one that starts at zero would stay there (Brock et al., 2021).</summary>
    public const double LeastNorm = 1e-3;

    /// <summary>‖Σg‖ / max(‖w‖, 1e-3).</summary>
    public static double Ratio(float* summed, float* weights, nint length, VectorWidth width) => Norm(summed, length, width) / Math.Max(Norm(weights, length, width), LeastNorm);

    /// <summary>The factor of adaptive clipping on a unit's mean gradient: 1, or what makes ‖g‖ = λ·max(‖w‖, 1e-3).</summary>
    public static double ClipFactor(float* summed, float* weights, nint length, double samples, double largestRatio, VectorWidth width)
    {
        var ratio = Ratio(summed, weights, length, width) / samples;
        return ratio > largestRatio ? largestRatio / ratio : 1;
    }

    /// <summary>Scales the unit's weights down to <paramref name="bound"/> when their norm is larger.</summary>
    public static void Bound(float* weights, nint length, double bound, VectorWidth width)
    {
        var norm = Norm(weights, length, width);
        if (norm > bound) Elementwise.Scale(weights, length, (float)(bound / norm), width);
    }

    private static double Norm(float* values, nint length, VectorWidth width)
    {
        var lanes = new SquareLanes();
        lanes.Accumulate(values, length, width);
        return Math.Sqrt(lanes.Total);
    }
}
