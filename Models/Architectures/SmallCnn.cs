using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Cluster.Architectures;

/// <summary>
/// A small VGG-like network (Simonyan and Zisserman, 2015, "Very deep convolutional networks for large-scale image
/// recognition") with batch normalisation, for CIFAR-sized images: 427,168 parameters with 3 channels and 10 classes.
/// Six 3x3 convolutions without bias; a 2x2 max-pool in front of the BatchNorm of every second one, so that the
/// normalisation works on a quarter of the values; global max-pool; a linear layer without bias.
/// </summary>
/// <remarks>Input [N, channels, H, W] with H and W at least 8; output logits [N, classes].</remarks>
internal sealed class SmallCnn : nn.Module<Tensor, Tensor>
{
    /// <summary>Three halvings must leave one pixel.</summary>
    public const int SmallestSide = 8;

    private static readonly int[] Widths = [32, 64, 64, 128, 128, 128];

    private readonly Conv2d[] _convolutions = new Conv2d[Widths.Length];
    private readonly BatchNorm2d[] _norms = new BatchNorm2d[Widths.Length];
    private readonly Linear _classifier;

    public SmallCnn(Blueprint blueprint) : base(nameof(SmallCnn))
    {
        var inputs = blueprint.Channels;
        for (var i = 0; i < Widths.Length; i++)
        {
            register_module($"conv{i + 1}", _convolutions[i] = Layers.Conv3x3(inputs, Widths[i]));
            register_module($"bn{i + 1}", _norms[i] = nn.BatchNorm2d(Widths[i]));
            inputs = Widths[i];
        }
        register_module("fc", _classifier = nn.Linear(inputs, blueprint.Classes, hasBias: false));
    }

    public override Tensor forward(Tensor input)
    {
        var x = Layers.NormRelu(_norms[0], _convolutions[0].call(input));
        for (var i = 1; i < Widths.Length; i++)
        {
            x = Layers.Next(x, _convolutions[i].call(x));
            if (i % 2 == 1) x = Layers.Next(x, Pools.Max(x, kernel: 2, stride: 2, padding: 0));
            x = Layers.NormRelu(_norms[i], x);
        }
        x = Layers.Next(x, Pools.GlobalMax(x));
        return Layers.Next(x, _classifier.call(x));
    }
}
