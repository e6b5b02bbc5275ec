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

    /// <param name="blocks">Basic blocks per stage; [2, 2, 2, 2] is ResNet-18.</param>
    public ResNet(IReadOnlyList<int> blocks, int channels, int classes, bool imageNetStem) : base(nameof(ResNet))
    {
        _poolsEarly = imageNetStem;
        var width = 64;
        _convolution = imageNetStem
            ? nn.Conv2d(channels, width, kernelSize: 7L, stride: 2L, padding: 3L, bias: false)
            : Layers.Conv3x3(channels, width);
        register_module("conv1", _convolution);
        register_module("bn1", _norm = nn.BatchNorm2d(width));
        _stages = new Sequential[blocks.Count];
        var inputs = width;
        for (var stage = 0; stage < blocks.Count; stage++)
        {
            register_module($"layer{stage + 1}", _stages[stage] = Stage(blocks[stage], inputs, width, stage == 0 ? 1 : 2));
            inputs = width;
            width *= 2;
        }
        register_module("fc", _classifier = nn.Linear(inputs, classes));
    }

    public override Tensor forward(Tensor input)
    {
        var x = nn.functional.relu(_norm.call(_convolution.call(input)), inplace: true);
        if (_poolsEarly) x = Layers.MaxPool(x, kernel: 3, stride: 2, padding: 1);
        foreach (var stage in _stages) x = stage.call(x);
        return _classifier.call(Layers.GlobalAveragePool(x));
    }

    private static Sequential Stage(int blocks, int inputs, int width, int stride)
    {
        var modules = new nn.Module<Tensor, Tensor>[blocks];
        for (var block = 0; block < blocks; block++)
        {
            var first = block == 0;
            var (blockInputs, blockStride) = first ? (inputs, stride) : (width, 1);
            var projects = blockStride != 1 || blockInputs != width;
            modules[block] = new BasicBlock(blockInputs, width, blockStride, projects ? Projection(blockInputs, width, blockStride) : null);
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
        var x = nn.functional.relu(_firstNorm.call(_first.call(input)), inplace: true);
        x = _secondNorm.call(_second.call(x));
        var shortcut = _downsample is null ? input : _downsample.call(input);
        return nn.functional.relu(x.add_(shortcut), inplace: true);
    }
}
