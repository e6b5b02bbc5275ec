using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Cluster.Architectures;

/// <summary>
/// Residual networks for ImageNet (He, Zhang, Ren and Sun, 2015, "Deep residual learning for image recognition",
/// arXiv:1512.03385, table 1) with torchvision's names and projection shortcuts (option B). With the CIFAR stem the
/// first convolution is 3x3 with stride 1 and there is no max-pool, as is usual for 32x32 images.
/// </summary>
/// <remarks>Input [N, channels, H, W]; output logits [N, classes]. 11,173,962 parameters for 18 layers, CIFAR stem and 10 classes.</remarks>
internal sealed class ResNet : nn.Module<Tensor, Tensor>
{
    private readonly Conv2d _convolution;
    private readonly BatchNorm2d _norm;
    private readonly Sequential[] _stages;
    private readonly Linear _classifier;
    private readonly bool _poolsEarly;

    /// <param name="blocks">Per stage; [2, 2, 2, 2] is ResNet-18.</param>
    /// <param name="bottlenecks">Blocks of three convolutions instead of two: ResNet-50 and deeper.</param>
    public ResNet(IReadOnlyList<int> blocks, bool bottlenecks, Blueprint blueprint, bool imageNetStem) : base(nameof(ResNet))
    {
        _poolsEarly = imageNetStem;
        var width = 64;
        _convolution = imageNetStem
            ? nn.Conv2d(blueprint.Channels, width, 7L, stride: 2L, padding: 3L, bias: false)
            : Layers.Conv3x3(blueprint.Channels, width);
        register_module("conv1", _convolution);
        register_module("bn1", _norm = nn.BatchNorm2d(width));
        _stages = new Sequential[blocks.Count];
        var inputs = width;
        for (var stage = 0; stage < blocks.Count; stage++)
        {
            register_module($"layer{stage + 1}", _stages[stage] = Stage(blocks[stage], bottlenecks, inputs, width, stage == 0 ? 1 : 2));
            inputs = bottlenecks ? Bottleneck.Expansion * width : width;
            width *= 2;
        }
        register_module("fc", _classifier = nn.Linear(inputs, blueprint.Classes));
    }

    public override Tensor forward(Tensor input)
    {
        var x = Layers.NormRelu(_norm, _convolution.call(input));
        if (_poolsEarly) x = Layers.Next(x, Pools.Max(x, kernel: 3, stride: 2, padding: 1));
        foreach (var stage in _stages) x = Layers.Next(x, stage.call(x));
        x = Layers.Next(x, Pools.GlobalAverage(x));
        return Layers.Next(x, _classifier.call(x));
    }

    private static Sequential Stage(int blocks, bool bottlenecks, int inputs, int width, int stride)
    {
        var modules = new nn.Module<Tensor, Tensor>[blocks];
        var outputs = bottlenecks ? Bottleneck.Expansion * width : width;
        for (var block = 0; block < blocks; block++)
        {
            var first = block == 0;
            var (blockInputs, blockStride) = first ? (inputs, stride) : (outputs, 1);
            var shortcut = blockStride != 1 || blockInputs != outputs ? Projection(blockInputs, outputs, blockStride) : null;
            modules[block] = bottlenecks
                ? new Bottleneck(blockInputs, width, blockStride, shortcut)
                : new BasicBlock(blockInputs, width, blockStride, shortcut);
        }
        return nn.Sequential(modules);
    }

    private static Sequential Projection(int inputs, int width, int stride) =>
        nn.Sequential(Layers.Conv1x1(inputs, width, stride), nn.BatchNorm2d(width));
}

/// <summary>Two 3x3 convolutions and a shortcut (He et al., 2015, figure 5, left), with torchvision's names.</summary>
internal sealed class BasicBlock : nn.Module<Tensor, Tensor>
{
    private readonly Conv2d _first, _second;
    private readonly BatchNorm2d _firstNorm, _secondNorm;
    private readonly nn.Module<Tensor, Tensor>? _downsample;

    /// <param name="downsample">The shortcut where shapes differ; null = identity. Owned by the block.</param>
    public BasicBlock(int inputs, int width, int stride, nn.Module<Tensor, Tensor>? downsample) : base(nameof(BasicBlock))
    {
        register_module("conv1", _first = Layers.Conv3x3(inputs, width, stride));
        register_module("bn1", _firstNorm = nn.BatchNorm2d(width));
        register_module("conv2", _second = Layers.Conv3x3(width, width));
        register_module("bn2", _secondNorm = nn.BatchNorm2d(width));
        _downsample = downsample;
        if (downsample is not null) register_module("downsample", downsample);
    }

    public override Tensor forward(Tensor input)
    {
        var x = Layers.NormRelu(_firstNorm, _first.call(input));
        x = Layers.Next(x, _second.call(x));
        x = Layers.Next(x, _secondNorm.call(x));
        return Shortcut.Join(x, input, _downsample);
    }
}

/// <summary>
/// 1x1, 3x3 and 1x1 convolution and a shortcut (He et al., 2015, figure 5, right), with torchvision's names and its stride
/// on the 3x3 convolution ("ResNet v1.5").
/// </summary>
internal sealed class Bottleneck : nn.Module<Tensor, Tensor>
{
    /// <summary>Channels that leave the block, in units of its width.</summary>
    public const int Expansion = 4;

    private readonly Conv2d _first, _second, _third;
    private readonly BatchNorm2d _firstNorm, _secondNorm, _thirdNorm;
    private readonly nn.Module<Tensor, Tensor>? _downsample;

    /// <param name="downsample">The shortcut where shapes differ; null = identity. Owned by the block.</param>
    public Bottleneck(int inputs, int width, int stride, nn.Module<Tensor, Tensor>? downsample) : base(nameof(Bottleneck))
    {
        register_module("conv1", _first = Layers.Conv1x1(inputs, width));
        register_module("bn1", _firstNorm = nn.BatchNorm2d(width));
        register_module("conv2", _second = Layers.Conv3x3(width, width, stride));
        register_module("bn2", _secondNorm = nn.BatchNorm2d(width));
        register_module("conv3", _third = Layers.Conv1x1(width, Expansion * width));
        register_module("bn3", _thirdNorm = nn.BatchNorm2d(Expansion * width));
        _downsample = downsample;
        if (downsample is not null) register_module("downsample", downsample);
    }

    public override Tensor forward(Tensor input)
    {
        var x = Layers.NormRelu(_firstNorm, _first.call(input));
        x = Layers.NormRelu(_secondNorm, Layers.Next(x, _second.call(x)));
        x = Layers.Next(x, _third.call(x));
        x = Layers.Next(x, _thirdNorm.call(x));
        return Shortcut.Join(x, input, _downsample);
    }
}

/// <summary>Where a residual block ends.</summary>
internal static class Shortcut
{
    /// <summary>ReLU(<paramref name="x"/> + shortcut of <paramref name="input"/>), in the memory of <paramref name="x"/>, which is spent.</summary>
    public static Tensor Join(Tensor x, Tensor input, nn.Module<Tensor, Tensor>? downsample)
    {
        if (downsample is null)
        {
            x = Layers.Next(x, x.add_(input));
        }
        else
        {
            using var shortcut = downsample.call(input);
            x = Layers.Next(x, x.add_(shortcut));
        }
        return Layers.Next(x, x.relu_());
    }
}
