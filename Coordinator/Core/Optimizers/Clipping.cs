namespace Cluster.Coordinator.Core;

/// <summary>Clipping by the global norm (Pascanu, Mikolov and Bengio, 2013), as torch.nn.utils.clip_grad_norm_ does it.</summary>
public static class Clipping
{
    /// <summary>min(1, clip / (norm + 1e-6)); 1 when <paramref name="clipNorm"/> is 0 (off).</summary>
    /// <param name="norm">Norm of the mean gradient.</param>
    /// <param name="clipNorm">Largest norm wanted; 0 = any.</param>
    /// <returns>The factor on the mean gradient. NaN for a NaN norm, as in PyTorch: a non-finite step is never applied.</returns>
    public static double Scale(double norm, double clipNorm)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(clipNorm);
        if (clipNorm == 0) return 1;
        var scale = clipNorm / (norm + 1e-6);
        return scale > 1 ? 1 : scale;
    }

    /// <summary>min(1, <paramref name="limit"/> / <paramref name="size"/>): how far the largest of many sizes is scaled down.</summary>
    /// <param name="limit">More than 0.</param>
    /// <param name="size">0 or more.</param>
    public static double Limit(double limit, double size)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(limit);
        return size > limit ? limit / size : 1;
    }
}
