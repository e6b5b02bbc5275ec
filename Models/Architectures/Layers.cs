using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Cluster.Architectures;

/// <summary>Building blocks that several families share. Everything here has a deterministic backward, on CUDA too.</summary>
internal static class Layers
{
    /// <summary>3x3, padding 1, no bias: a BatchNorm follows and would cancel it.</summary>
    public static Conv2d Conv3x3(int inputs, int outputs, int stride = 1) =>
        nn.Conv2d(inputs, outputs, kernelSize: 3L, stride: stride, padding: 1L, bias: false);

    /// <summary>1x1 without padding or bias: a projection shortcut.</summary>
    public static Conv2d Conv1x1(int inputs, int outputs, int stride) =>
        nn.Conv2d(inputs, outputs, kernelSize: 1L, stride: stride, bias: false);

    /// <summary>
    /// Max-pool over square windows: [N, C, H, W] to [N, C, H', W'].
    /// On CUDA libtorch's own backward adds with atomics (torch.use_deterministic_algorithms refuses it), so there the
    /// maximum is taken over shifted slices; measured on CPU that costs half the speed of a small network, so it is not used there.
    /// </summary>
    public static Tensor MaxPool(Tensor x, int kernel, int stride, int padding)
    {
        return x.device_type == DeviceType.CUDA ? MaxOverSlices(x, kernel, stride, padding) : nn.functional.max_pool2d(x, kernel, stride, padding);
    }

    /// <summary>[N, C, H, W] to [N, C]: the largest value of each channel. On CUDA not an adaptive pool, for the reason above.</summary>
    public static Tensor GlobalMaxPool(Tensor x) =>
        x.device_type == DeviceType.CUDA ? MaxByFolding(x) : nn.functional.adaptive_max_pool2d(x, [1L, 1L]).flatten(1);

    /// <summary>[N, C, H, W] to [N, C]; a mean over fixed dimensions, because the adaptive pool's CUDA backward is not deterministic.</summary>
    public static Tensor GlobalAveragePool(Tensor x) => x.mean([2L, 3L]);

    /// <summary>The window's positions one after another, each a strided slice of the whole image. Equal values share the gradient.</summary>
    internal static Tensor MaxOverSlices(Tensor x, int kernel, int stride, int padding)
    {
        if (padding > 0) x = nn.functional.pad(x, [padding, padding, padding, padding], PaddingModes.Constant, double.NegativeInfinity);
        var (height, width) = ((x.shape[2] - kernel) / stride, (x.shape[3] - kernel) / stride);
        Tensor? largest = null;
        for (var row = 0; row < kernel; row++)
        {
            for (var column = 0; column < kernel; column++)
            {
                var shifted = x.slice(2, row, row + height * stride + 1, stride).slice(3, column, column + width * stride + 1, stride);
                largest = largest is null ? shifted : largest.maximum(shifted);
            }
        }
        return largest!;
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
