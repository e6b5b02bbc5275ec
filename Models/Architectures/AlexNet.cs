using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Cluster.Architectures;

/// <summary>
/// AlexNet as torchvision has it (Krizhevsky, 2014, "One weird trick for parallelizing convolutional neural networks",
/// arXiv:1404.5997): five convolutions, three linear layers, dropout 0.5 in front of the first two of them.
/// There is no one AlexNet for 32x32 images; the CIFAR stem keeps the widths of the convolutions, makes all of them 3x3 at
/// stride 1 with 2x2 max-pools, and gives the linear layers 1024 units, in the ratio of their 4096 inputs to ImageNet's 9216.
/// </summary>
/// <remarks>Input [N, channels, H, W]; output logits [N, classes]. 61,100,840 parameters with the ImageNet stem and 1000 classes.</remarks>
internal sealed class AlexNet : nn.Module<Tensor, Tensor>
{
    /// <summary>Sides that three pools leave a pixel of.</summary>
    public const int SmallestImageNetSide = 63, SmallestCifarSide = 8;

    private readonly Sequential _features, _classifier;
    private readonly int _side;

    /// <param name="normalises">Local response normalisation behind the first two ReLUs, as in Krizhevsky et al. (2012, section 3.5).</param>
    public AlexNet(Blueprint blueprint, bool imageNetStem, bool normalises) : base(nameof(AlexNet))
    {
        _side = imageNetStem ? 6 : 4;
        var units = imageNetStem ? 4096 : 1024;
        var (first, second) = imageNetStem
            ? (nn.Conv2d(blueprint.Channels, 64, 11L, stride: 4L, padding: 2L), nn.Conv2d(64, 192, 5L, padding: 2L))
            : (Conv3x3(blueprint.Channels, 64), Conv3x3(64, 192));
        register_module("features", _features = nn.Sequential(
            first, Layers.Rectifier(), Pool(imageNetStem, normalises),
            second, Layers.Rectifier(), Pool(imageNetStem, normalises),
            Conv3x3(192, 384), Layers.Rectifier(),
            Conv3x3(384, 256), Layers.Rectifier(),
            Conv3x3(256, 256), Layers.Rectifier(), Pool(imageNetStem, normalises: false)));
        register_module("classifier", _classifier = nn.Sequential(
            blueprint.Dropout(0.5), nn.Linear(256 * _side * _side, units), Layers.Rectifier(),
            blueprint.Dropout(0.5), nn.Linear(units, units), Layers.Rectifier(),
            nn.Linear(units, blueprint.Classes)));
    }

    public override Tensor forward(Tensor input)
    {
        var x = _features.call(input);
        x = Layers.Next(x, Pools.AdaptiveAverage(x, _side));
        x = Layers.Next(x, x.flatten(1));
        return Layers.Next(x, _classifier.call(x));
    }

    private static Conv2d Conv3x3(int inputs, int outputs) => nn.Conv2d(inputs, outputs, 3L, padding: 1L);

    /// <summary>One entry of the sequence, normalising or not: the numbers in the names stay torchvision's.</summary>
    private static nn.Module<Tensor, Tensor> Pool(bool imageNetStem, bool normalises)
    {
        var pool = new MaxPool(imageNetStem ? 3 : 2, stride: 2);
        return normalises ? nn.Sequential(new LocalResponseNorm(), pool) : pool;
    }
}
