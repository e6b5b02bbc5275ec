using Cluster.Torch;
using TorchSharp;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;
using F = TorchSharp.torch.nn.functional;

namespace Cluster.Binding.Tests;

/// <summary>Layers against values computed by hand.</summary>
public sealed class LayerSpecs : IDisposable
{
    private readonly DisposeScope _scope = NewDisposeScope();

    public void Dispose() => _scope.Dispose();

    /// <summary>[1, 1, rows, columns] counting up from 1.</summary>
    private static Tensor Grid(int rows, int columns) => arange(1, rows * columns + 1, dtype: float32).view(1, 1, rows, columns);

    private static void Holds(Tensor actual, params float[] expected)
    {
        var values = actual.detach().data<float>().ToArray();
        Assert.Equal(expected.Length, values.Length);
        for (var i = 0; i < expected.Length; i++) Assert.Equal(expected[i], values[i], 1e-5f);
    }

    [Fact]
    public void A_convolution_sums_its_window_and_honours_stride_padding_groups_and_bias()
    {
        var x = Grid(3, 3);
        var kernel = ones(1, 1, 2, 2);
        Holds(F.conv2d(x, kernel), 12, 16, 24, 28);
        Holds(F.conv2d(x, kernel, tensor([0.5f])), 12.5f, 16.5f, 24.5f, 28.5f);
        Holds(F.conv2d(x, kernel, strides: [2], padding: [1]), 1, 5, 11, 28);
        Holds(F.conv2d(x, kernel, dilation: [2, 2]), 1 + 3 + 7 + 9);
        Holds(F.conv2d(cat([x, x], 1), cat([kernel, 2 * kernel], 0), groups: 2), 12, 16, 24, 28, 24, 32, 48, 56);
        Assert.Equal([1, 5, 3, 3], Conv2d(1, 5, 3, Padding.Same).call(x).shape);
        Assert.Equal([1, 5, 1, 2], Conv2d(1, 5, (3, 2)).call(x).shape);
        Assert.Null(Conv2d(1, 5, 3, bias: false).bias);
        var reflected = Conv2d(1, 1, 3, padding: 1, padding_mode: PaddingModes.Reflect, bias: false);
        reflected.weight.requires_grad_(false).fill_(1);
        Assert.Equal(2 * (5 + 4 + 5) - 0 + (2 + 1 + 2) - 0, reflected.call(x).data<float>()[0, 0, 0, 0]);
        Binding.NeedsOurs("its layer is refused when it is called, not when it is made");
        Assert.Throws<ArgumentException>(() => Conv2d(3, 4, 3, groups: 2));
    }

    [Fact]
    public void Pools_take_the_largest_or_the_mean_of_each_window()
    {
        var x = Grid(4, 4);
        Holds(F.max_pool2d(x, 2), 6, 8, 14, 16);
        Holds(MaxPool2d(3, stride: 2, padding: 1).call(x), 6, 8, 14, 16);
        var (values, indices) = MaxPool2d(2).forward_with_indices(x);
        Holds(values, 6, 8, 14, 16);
        Assert.Equal([5L, 7, 13, 15], indices.data<long>().ToArray());
        Holds(F.avg_pool2d(x, 2), 3.5f, 5.5f, 11.5f, 13.5f);
        Holds(AvgPool2d(2, divisor_override: 2).call(x), 7, 11, 23, 27);
        Holds(AvgPool2d(3, stride: 3, padding: 1, count_include_pad: false).call(x).narrow(2, 0, 1).narrow(3, 0, 1), (1 + 2 + 5 + 6) / 4f);
        Holds(F.adaptive_avg_pool2d(x, 1), 8.5f);
        Holds(AdaptiveAvgPool2d((2, 1)).call(x), 4.5f, 12.5f);
        Holds(AdaptiveMaxPool2d([1, 1]).call(x), 16);
        Binding.NeedsOurs("libtorch refuses it, not the binding");
        Assert.Throws<ArgumentException>(() => F.max_pool2d(x, [2, 2, 2]));
    }

    [Fact]
    public void Batch_norm_normalises_with_the_batch_in_training_and_with_the_running_statistics_otherwise()
    {
        var norm = BatchNorm2d(1, eps: 0);
        var x = tensor([1f, 3, 1, 3], [2, 1, 1, 2]);
        Holds(norm.call(x), -1, 1, -1, 1);
        Holds(norm.running_mean!, 0.2f);
        Holds(norm.running_var!, 0.9f + 0.1f * 4f / 3);
        Assert.Equal(1, norm.num_batches_tracked!.item<long>());
        norm.eval();
        norm.running_mean!.fill_(1);
        norm.running_var!.fill_(4);
        Holds(norm.call(x), 0, 1, 0, 1);
        Assert.Equal(1, norm.num_batches_tracked!.item<long>());
        norm.reset_running_stats();
        Assert.Equal(0, norm.num_batches_tracked!.item<long>());
        Assert.Null(BatchNorm2d(1, affine: false).weight);
        Holds(BatchNorm2d(1, eps: 0, track_running_stats: false).eval_and(x), -1, 1, -1, 1);
        Assert.Throws<ArgumentException>(() => norm.call(zeros(2, 1)));
    }

    [Fact]
    public void Cross_entropy_is_the_negative_log_probability_and_smoothing_mixes_in_the_rest()
    {
        var logits = zeros(2, 4);
        var labels = tensor([1L, 3]);
        var nat = MathF.Log(4);
        Holds(F.cross_entropy(logits, labels), nat);
        Holds(F.cross_entropy(logits, labels, reduction: Reduction.Sum), 2 * nat);
        Holds(F.cross_entropy(logits, labels, reduction: Reduction.None), nat, nat);
        Holds(F.cross_entropy(logits, labels, weight: tensor([1f, 2, 1, 1]), reduction: Reduction.Sum), 3 * nat);
        Holds(F.cross_entropy(logits, labels, ignore_index: 3, reduction: Reduction.Sum), nat);
        var sharp = tensor([MathF.Log(3), 0], [1, 2]); // probabilities 3/4 and 1/4
        Holds(F.cross_entropy(sharp, tensor([0L]), label_smoothing: 0.2), -(0.9f * MathF.Log(0.75f) + 0.1f * MathF.Log(0.25f)));
        Holds(F.nll_loss(F.log_softmax(sharp, 1), tensor([1L])), MathF.Log(4));
        Holds(CrossEntropyLoss(reduction: Reduction.Sum).call(logits, labels), 2 * nat);
        using var smoothed = new global::TorchSharp.Modules.CrossEntropyLoss(label_smoothing: 0.2);
        Holds(smoothed.call(sharp, tensor([0L])), -(0.9f * MathF.Log(0.75f) + 0.1f * MathF.Log(0.25f)));
    }

    [Fact]
    public void The_smaller_layers_do_what_their_names_say()
    {
        var x = tensor([-1f, 2], [1, 2]);
        Holds(ReLU().call(x), 0, 2);
        Holds(ReLU(inplace: true).call(x), 0, 2);
        Holds(x, 0, 2);
        var linear = Linear(2, 1);
        linear.weight.requires_grad_(false).copy_(tensor([3f, 4], [1, 2]));
        linear.bias!.requires_grad_(false).fill_(1);
        Holds(linear.call(x), 9);
        Assert.Null(Linear(2, 1, hasBias: false).bias);
        Assert.Equal([2, 12], Flatten().call(zeros(2, 3, 4)).shape);
        Holds(Identity().call(x), 0, 2);
        Holds(F.pad(x, [1, 0], value: 5), 5, 0, 2);
        Holds(F.pad(Grid(1, 2), (1, 1, 0, 0), PaddingModes.Replicate), 1, 1, 2, 2);
        var dropout = Dropout(0.25);
        var dropped = dropout.call(ones(1000)).data<float>().ToArray();
        Assert.All(dropped, value => Assert.True(value == 0 || value == 1 / 0.75f));
        Assert.InRange(dropped.Count(value => value == 0), 180, 320);
        dropout.eval();
        Holds(dropout.call(ones(2)), 1, 1);
        Binding.NeedsOurs("its layers take any rate");
        Assert.Throws<ArgumentOutOfRangeException>(() => Dropout(1.5));
    }

    [Fact]
    public void Local_response_norm_divides_by_the_neighbouring_channels()
    {
        var x = tensor([1f, 2, 3], [1, 3, 1, 1]);
        float Denominator(float squares) => MathF.Pow(2 + 0.3f * squares / 3, 0.5f);
        Holds(F.local_response_norm(x, 3, alpha: 0.3, beta: 0.5, k: 2), 1 / Denominator(5), 2 / Denominator(14), 3 / Denominator(13));
        Holds(LocalResponseNorm(3, 0.3, 0.5, 2).call(x.view(1, 3, 1)), 1 / Denominator(5), 2 / Denominator(14), 3 / Denominator(13));
    }

    [Fact]
    public void First_weights_lie_within_PyTorchs_bounds()
    {
        var conv = Conv2d(3, 64, 3);
        var bound = 1 / MathF.Sqrt(27);
        Assert.InRange(conv.weight.detach().abs().max().item<float>(), 0.9f * bound, bound);
        Assert.InRange(conv.bias!.detach().abs().max().item<float>(), 0.5f * bound, bound);
        Assert.InRange(Linear(100, 50).weight.detach().abs().max().item<float>(), 0.09f, 0.1f);
    }
}

internal static class LayerTestExtensions
{
    public static Tensor eval_and(this Module<Tensor, Tensor> module, Tensor input)
    {
        module.eval();
        return module.call(input);
    }
}
