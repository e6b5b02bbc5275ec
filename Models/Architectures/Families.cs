using static TorchSharp.torch;

namespace Cluster.Architectures;

/// <summary>An architecture of the catalog.</summary>
/// <param name="SmallestSide">Of images, with the first stem.</param>
/// <param name="Build">The second argument says whether the stem is ImageNet's.</param>
internal sealed record Family(
    string Name, IReadOnlyList<string> Stems, int SmallestSide, Initialization Initialization, Func<Blueprint, bool, nn.Module<Tensor, Tensor>> Build)
{
    /// <summary>Of images, with the ImageNet stem.</summary>
    public int SmallestImageNetSide { get; init; } = SmallestSide;

    /// <summary>With the ImageNet stem.</summary>
    public Initialization ImageNetInitialization { get; init; } = Initialization;
}

/// <summary>The one place that a new architecture has to be entered.</summary>
internal static class Families
{
    public const string Cifar = "cifar", ImageNet = "imagenet";

    private static readonly string[] CifarOnly = [Cifar], Both = [Cifar, ImageNet];

    private static readonly Initialization
        PyTorch = new(ConvolutionInitialization.PyTorchDefault),
        Residual = new(ConvolutionInitialization.KaimingNormalFanOut),
        // 0.01 is meant for 25,088 and 4096 inputs: with 512 the signal would all but vanish, so there PyTorch's default stays.
        SmallVgg = new(ConvolutionInitialization.KaimingNormalFanOut, ZeroConvolutionBiases: true),
        LargeVgg = new(ConvolutionInitialization.KaimingNormalFanOut, ZeroConvolutionBiases: true, SmallLinears: true, ZeroLinearBiases: true),
        Inception = new(ConvolutionInitialization.Small, SmallLinears: true),
        Dense = new(ConvolutionInitialization.KaimingNormalFanIn, ZeroLinearBiases: true);

    public static IReadOnlyList<Family> All { get; } =
    [
        new("small-cnn", CifarOnly, SmallCnn.SmallestSide, PyTorch, static (b, _) => new SmallCnn(b)),
        new("linear", CifarOnly, 1, PyTorch, static (b, _) => new LinearModel(b)),
        AlexNetOf("alexnet", normalises: false),
        AlexNetOf("alexnet-lrn", normalises: true),
        VggOf("vgg11", [1, 1, 2, 2, 2], norms: false),
        VggOf("vgg11_bn", [1, 1, 2, 2, 2], norms: true),
        VggOf("vgg13", [2, 2, 2, 2, 2], norms: false),
        VggOf("vgg13_bn", [2, 2, 2, 2, 2], norms: true),
        VggOf("vgg16", [2, 2, 3, 3, 3], norms: false),
        VggOf("vgg16_bn", [2, 2, 3, 3, 3], norms: true),
        VggOf("vgg19", [2, 2, 4, 4, 4], norms: false),
        VggOf("vgg19_bn", [2, 2, 4, 4, 4], norms: true),
        new("googlenet", Both, GoogLeNet.SmallestCifarSide, Inception, static (b, imageNet) => new GoogLeNet(b, imageNet)) { SmallestImageNetSide = GoogLeNet.SmallestImageNetSide },
        CifarResNetOf(depth: 20),
        CifarResNetOf(depth: 32),
        CifarResNetOf(depth: 44),
        CifarResNetOf(depth: 56),
        CifarResNetOf(depth: 110),
        ResNetOf("resnet18", [2, 2, 2, 2], bottlenecks: false),
        ResNetOf("resnet34", [3, 4, 6, 3], bottlenecks: false),
        ResNetOf("resnet50", [3, 4, 6, 3], bottlenecks: true),
        ResNetOf("resnet101", [3, 4, 23, 3], bottlenecks: true),
        ResNetOf("resnet152", [3, 8, 36, 3], bottlenecks: true),
        // Three halvings behind a stem that, for ImageNet, has made a quarter of the side.
        new("densenet121", Both, 8, Dense, static (b, imageNet) => new DenseNet(32, [6, 12, 24, 16], b, imageNet)) { SmallestImageNetSide = 29 },
        new("densenet-bc100-k12", CifarOnly, 4, Dense, static (b, _) => new DenseNet(12, [16, 16, 16], b, imageNetStem: false)),
    ];

    private static Family AlexNetOf(string name, bool normalises) =>
        new(name, Both, AlexNet.SmallestCifarSide, PyTorch, (b, imageNet) => new AlexNet(b, imageNet, normalises)) { SmallestImageNetSide = AlexNet.SmallestImageNetSide };

    private static Family VggOf(string name, int[] convolutions, bool norms) =>
        new(name, Both, Vgg.SmallestSide, SmallVgg, (b, imageNet) => new Vgg(convolutions, norms, b, imageNet)) { ImageNetInitialization = LargeVgg };

    /// <param name="depth">6n + 2.</param>
    private static Family CifarResNetOf(int depth) =>
        new($"resnet{depth}", CifarOnly, 1, Residual, (b, _) => new CifarResNet((depth - 2) / 6, b));

    private static Family ResNetOf(string name, int[] blocks, bool bottlenecks) =>
        new(name, Both, 1, Residual, (b, imageNet) => new ResNet(blocks, bottlenecks, b, imageNet));
}
