using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Cluster.Architectures;

/// <summary>
/// VGG (Simonyan and Zisserman, 2015, "Very deep convolutional networks for large-scale image recognition",
/// arXiv:1409.1556, table 1, configurations A, B, D and E) with torchvision's names, with and without BatchNorm behind each
/// convolution. For 32x32 images the five max-pools leave one pixel; the classifier there has two hidden layers of 512 units
/// with dropout, after Liu and Deng (2015, "Very deep convolutional neural network based image classification using small
/// training sample size").
/// </summary>
/// <remarks>Input [N, channels, H, W] with H and W at least 32; output logits [N, classes].</remarks>
internal sealed class Vgg : nn.Module<Tensor, Tensor>
{
    /// <summary>Five halvings must leave one pixel.</summary>
    public const int SmallestSide = 32;

    private static readonly int[] Widths = [64, 128, 256, 512, 512];

    private readonly Sequential _features, _classifier;
    private readonly int _side;

    /// <param name="convolutions">Per stage, with a max-pool behind each: [1, 1, 2, 2, 2] is VGG-11.</param>
    public Vgg(IReadOnlyList<int> convolutions, bool norms, Blueprint blueprint, bool imageNetStem) : base(nameof(Vgg))
    {
        _side = imageNetStem ? 7 : 1;
        var units = imageNetStem ? 4096 : 512;
        register_module("features", _features = nn.Sequential(Features(convolutions, norms, blueprint.Channels)));
        // torchvision's classifier has its dropout behind the ReLUs, that of the CIFAR variant in front of the linear layers.
        nn.Module<Tensor, Tensor>[] classifier = imageNetStem
            ?
            [
                nn.Linear(Widths[^1] * _side * _side, units), Layers.Rectifier(), blueprint.Dropout(0.5),
                nn.Linear(units, units), Layers.Rectifier(), blueprint.Dropout(0.5), nn.Linear(units, blueprint.Classes),
            ]
            :
            [
                blueprint.Dropout(0.5), nn.Linear(Widths[^1], units), Layers.Rectifier(),
                blueprint.Dropout(0.5), nn.Linear(units, units), Layers.Rectifier(), nn.Linear(units, blueprint.Classes),
            ];
        register_module("classifier", _classifier = nn.Sequential(classifier));
    }

    public override Tensor forward(Tensor input)
    {
        var x = _features.call(input);
        x = Layers.Next(x, Pools.AdaptiveAverage(x, _side));
        x = Layers.Next(x, x.flatten(1));
        return Layers.Next(x, _classifier.call(x));
    }

    private static IEnumerable<nn.Module<Tensor, Tensor>> Features(IReadOnlyList<int> convolutions, bool norms, int channels)
    {
        var inputs = channels;
        for (var stage = 0; stage < Widths.Length; stage++)
        {
            for (var i = 0; i < convolutions[stage]; i++)
            {
                yield return nn.Conv2d(inputs, Widths[stage], 3L, padding: 1L);
                if (norms) yield return nn.BatchNorm2d(Widths[stage]);
                yield return Layers.Rectifier();
                inputs = Widths[stage];
            }
            yield return new MaxPool(2, stride: 2);
        }
    }
}
