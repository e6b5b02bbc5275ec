using TorchSharp;
using static TorchSharp.torch;

namespace Cluster.Architectures;

/// <summary>
/// Pools with a deterministic backward, on CUDA too. There libtorch's own max-pool and adaptive pools add gradients with
/// atomics (torch.use_deterministic_algorithms refuses them); measured on the CPU the replacement of the max-pool costs half
/// the speed of a small network, so it is not used there. torch.avg_pool2d is deterministic as it is.
/// </summary>
internal static class Pools
{
    /// <summary>Max-pool over square windows: [N, C, H, W] to [N, C, H', W'].</summary>
    /// <param name="ceiling">Count a last window that the input covers in part (torch.nn.MaxPool2d's ceil_mode).</param>
    public static Tensor Max(Tensor x, int kernel, int stride, int padding, bool ceiling = false) =>
        x.device_type == DeviceType.CUDA
            ? MaxOverSlices(x, kernel, stride, padding, ceiling)
            : nn.functional.max_pool2d(x, kernel, stride, padding, ceil_mode: ceiling);

    /// <summary>[N, C, H, W] to [N, C]: the largest value of each channel.</summary>
    public static Tensor GlobalMax(Tensor x) =>
        x.device_type == DeviceType.CUDA ? MaxByFolding(x) : nn.functional.adaptive_max_pool2d(x, [1L, 1L]).flatten(1);

    /// <summary>[N, C, H, W] to [N, C]; a mean over fixed dimensions.</summary>
    public static Tensor GlobalAverage(Tensor x) => x.mean([2L, 3L]);

    /// <summary>
    /// torch.nn.AdaptiveAvgPool2d: [N, C, H, W] to [N, C, size, size]; window i covers rows ⌊i·H/size⌋ to ⌈(i + 1)·H/size⌉.
    /// Equal windows are a mean over fixed dimensions. Unequal or overlapping ones (a mean of a rectangle is the mean of its
    /// rows' means) are two products with constant matrices.
    /// </summary>
    /// <returns>A new tensor, or <paramref name="x"/> itself where it has that size.</returns>
    public static Tensor AdaptiveAverage(Tensor x, int size)
    {
        var (height, width) = (x.shape[2], x.shape[3]);
        if (height == size && width == size) return x;
        if (height % size == 0 && width % size == 0)
        {
            using var windows = x.reshape(x.shape[0], x.shape[1], size, height / size, size, width / size);
            return windows.mean([3L, 5L]);
        }
        using var columns = Means((int)width, size, x.device).transpose(0, 1);
        using var rows = Means((int)height, size, x.device);
        using var narrowed = x.matmul(columns);
        return rows.matmul(narrowed);
    }

    /// <summary>[size, length]: row i averages the positions of window i.</summary>
    private static Tensor Means(int length, int size, Device device)
    {
        var values = new float[size * length];
        for (var window = 0; window < size; window++)
        {
            var (first, end) = (window * length / size, ((window + 1) * length + size - 1) / size);
            values.AsSpan(window * length + first, end - first).Fill(1f / (end - first));
        }
        return tensor(values, [size, length], device: device);
    }

    /// <summary>The window's positions one after another, each a strided slice of the whole image. Equal values share the gradient.</summary>
    internal static Tensor MaxOverSlices(Tensor x, int kernel, int stride, int padding, bool ceiling = false)
    {
        var (rows, below) = Windows(x.shape[2], kernel, stride, padding, ceiling);
        var (columns, right) = Windows(x.shape[3], kernel, stride, padding, ceiling);
        if (padding + below + right > 0) x = nn.functional.pad(x, [padding, right, padding, below], PaddingModes.Constant, double.NegativeInfinity);
        Tensor? largest = null;
        for (var row = 0; row < kernel; row++)
        {
            for (var column = 0; column < kernel; column++)
            {
                var shifted = x.slice(2, row, row + (rows - 1) * stride + 1, stride).slice(3, column, column + (columns - 1) * stride + 1, stride);
                largest = largest is null ? shifted : largest.maximum(shifted);
            }
        }
        return largest!;
    }

    /// <summary>libtorch's count of windows along one dimension, and the padding behind the input that the last one needs.</summary>
    private static (long Count, long After) Windows(long length, int kernel, int stride, int padding, bool ceiling)
    {
        var count = (length + 2 * padding - kernel + (ceiling ? stride - 1 : 0)) / stride + 1;
        // A window must begin in the input or in the padding before it.
        if (ceiling && (count - 1) * stride >= length + padding) count--;
        return (count, Math.Max(0, (count - 1) * stride + kernel - length - padding));
    }

    /// <summary>Folds width and height onto themselves until one value is left. Equal values share the gradient.</summary>
    internal static Tensor MaxByFolding(Tensor x) => Largest(Largest(x, dimension: 3), dimension: 2).flatten(1);

    /// <summary>The halves of an odd length overlap by one, which a maximum does not mind.</summary>
    private static Tensor Largest(Tensor x, int dimension)
    {
        while (x.shape[dimension] is var length and > 1)
        {
            var half = (length + 1) / 2;
            x = x.slice(dimension, 0, half, 1).maximum(x.slice(dimension, length - half, length, 1));
        }
        return x;
    }
}

/// <summary><see cref="Pools.Max"/> as a layer of a sequence.</summary>
internal sealed class MaxPool(int kernel, int stride, int padding = 0, bool ceiling = false) : nn.Module<Tensor, Tensor>(nameof(MaxPool))
{
    public override Tensor forward(Tensor input) => Pools.Max(input, kernel, stride, padding, ceiling);
}
