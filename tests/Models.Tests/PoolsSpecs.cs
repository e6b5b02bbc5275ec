using System.Globalization;
using Cluster.Architectures;
using TorchSharp;
using static TorchSharp.torch;

namespace Cluster.Models.Tests;

/// <summary>The formulations that replace libtorch's pools on CUDA equal those pools, values and gradients (checked on the CPU, where both run).</summary>
public sealed class PoolsSpecs
{
    [Theory]
    [InlineData(2, 2, 0, 8, 8)]
    [InlineData(2, 2, 0, 9, 7)]     // a last row and column that no window covers
    [InlineData(3, 2, 1, 16, 16)]   // the ImageNet stem: overlapping, padded
    [InlineData(3, 2, 1, 15, 17)]
    public void Maximum_over_slices_equals_max_pool(int kernel, int stride, int padding, int height, int width) => AssertEqual(
        height, width, x => Pools.MaxOverSlices(x, kernel, stride, padding), x => nn.functional.max_pool2d(x, kernel, stride, padding));

    [Theory]
    [InlineData(4, 4)]
    [InlineData(1, 1)]
    [InlineData(5, 7)]
    [InlineData(3, 12)]
    public void Maximum_by_folding_equals_the_global_max_pool(int height, int width) => AssertEqual(
        height, width, Pools.MaxByFolding, x => nn.functional.adaptive_max_pool2d(x, [1L, 1L]).flatten(1));

    [Theory]
    [InlineData(3, 2, 0, 8, 8)]
    [InlineData(3, 2, 0, 7, 9)]
    [InlineData(2, 2, 0, 5, 4)]
    [InlineData(3, 1, 1, 4, 6)]
    [InlineData(3, 2, 1, 6, 4)]     // the window that would begin behind the input does not count
    [InlineData(3, 2, 0, 2, 3)]
    public void Maximum_over_slices_counts_partial_windows_as_ceil_mode_does(int kernel, int stride, int padding, int height, int width) => AssertEqual(
        height, width, x => Pools.MaxOverSlices(x, kernel, stride, padding, ceiling: true),
        x => nn.functional.max_pool2d(x, kernel, stride, padding, ceil_mode: true));

    [Fact]
    public void Adaptive_average_is_pytorchs_for_equal_and_unequal_windows()
    {
        var golden = GoldenCase.Read<GoldenLayers>("layers");
        foreach (var (size, cases) in golden.AdaptiveAverage)
        {
            foreach (var pool in cases) pool.AssertSame(x => Pools.AdaptiveAverage(x, int.Parse(size, CultureInfo.InvariantCulture)));
        }
    }

    [Fact]
    public void Local_response_normalisation_is_pytorchs_with_the_papers_numbers()
    {
        using var layer = new LocalResponseNorm();
        GoldenCase.Read<GoldenLayers>("layers").LocalResponse.AssertSame(layer.call);
    }

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
            return (y.contiguous().data<float>().ToArray(), x.grad!.contiguous().data<float>().ToArray());
        }
    }
}

internal sealed record GoldenLayers(Dictionary<string, GoldenLayer[]> AdaptiveAverage, GoldenLayer LocalResponse);

/// <summary>A layer on x[i] = sin(i), with a gradient of cos(j) at output j; PyTorch's values, in index order.</summary>
internal sealed record GoldenLayer(long[] Shape, double[] Output, double[] Gradient)
{
    public void AssertSame(Func<Tensor, Tensor> layer)
    {
        using var scope = NewDisposeScope();
        var values = Enumerable.Range(0, Gradient.Length).Select(i => (float)Math.Sin(i)).ToArray();
        var x = tensor(values, Shape, requires_grad: true);
        // An identity pool hands on the input itself, which is not to be changed or disposed.
        var y = layer(x);
        Assert.Equal(Output.Length, y.NumberOfElements);
        y.mul(tensor([.. Enumerable.Range(0, Output.Length).Select(j => (float)Math.Cos(j))], y.shape)).sum().backward();

        AssertClose(Output, y);
        AssertClose(Gradient, x.grad!);
    }

    private static void AssertClose(double[] expected, Tensor tensor)
    {
        var actual = tensor.contiguous().data<float>().ToArray();
        for (var i = 0; i < expected.Length; i++) Assert.Equal(expected[i], actual[i], 2e-6);
    }
}
