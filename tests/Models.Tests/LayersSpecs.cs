using Cluster.Architectures;
using TorchSharp;
using static TorchSharp.torch;

namespace Cluster.Models.Tests;

/// <summary>The formulations that replace libtorch's pools on CUDA equal those pools, values and gradients (checked on the CPU, where both run).</summary>
public sealed class LayersSpecs
{
    [Theory]
    [InlineData(2, 2, 0, 8, 8)]
    [InlineData(2, 2, 0, 9, 7)]     // a last row and column that no window covers
    [InlineData(3, 2, 1, 16, 16)]   // the ImageNet stem: overlapping, padded
    [InlineData(3, 2, 1, 15, 17)]
    public void Maximum_over_slices_equals_max_pool(int kernel, int stride, int padding, int height, int width) => AssertEqual(
        height, width, x => Layers.MaxOverSlices(x, kernel, stride, padding), x => nn.functional.max_pool2d(x, kernel, stride, padding));

    [Theory]
    [InlineData(4, 4)]
    [InlineData(1, 1)]
    [InlineData(5, 7)]
    [InlineData(3, 12)]
    public void Maximum_by_folding_equals_the_global_max_pool(int height, int width) => AssertEqual(
        height, width, Layers.MaxByFolding, x => nn.functional.adaptive_max_pool2d(x, [1L, 1L]).flatten(1));

    private static void AssertEqual(int height, int width, Func<Tensor, Tensor> ours, Func<Tensor, Tensor> pool)
    {
        using var scope = NewDisposeScope();
        // A permutation: no two values are equal, so that the gradient has one place to go.
        var count = 2 * 3 * height * width;
        var values = Enumerable.Range(0, count).Select(i => (float)((long)i * 7919 % 1_000_003 % 104_729)).ToArray();
        Assert.Equal(count, values.Distinct().Count());

        var (value, gradient) = Run(ours);
        var (expectedValue, expectedGradient) = Run(pool);

        Assert.Equal(expectedValue, value);
        Assert.Equal(expectedGradient, gradient);

        (float[] Value, float[] Gradient) Run(Func<Tensor, Tensor> layer)
        {
            var x = tensor(values, [2, 3, height, width], requires_grad: true);
            var y = layer(x);
            // Unequal weights, so that a gradient in the wrong place shows.
            var weights = arange(1, y.NumberOfElements + 1, dtype: ScalarType.Float32).reshape(y.shape);
            y.mul(weights).sum().backward();
            return (y.contiguous().data<float>().ToArray(), x.grad()!.contiguous().data<float>().ToArray());
        }
    }
}
