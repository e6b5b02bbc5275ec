using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Cluster.Architectures;

/// <summary>
/// GoogLeNet (Szegedy et al., 2015, "Going deeper with convolutions", arXiv:1409.4842, table 1) as torchvision has it: with
/// BatchNorm (eps 0.001), 3x3 convolutions where the paper's inception modules have 5x5, and two auxiliary heads. With the
/// CIFAR stem the first convolution is 3x3 with stride 1 and the second max-pool is left out: the inception modules see
/// 16x16, 8x8 and 4x4 of a 32x32 image, where ImageNet's see 28, 14 and 7.
/// </summary>
/// <remarks>Input [N, channels, H, W]; output logits [N, classes]. 13,004,888 parameters with the ImageNet stem and 1000 classes, heads included.</remarks>
internal sealed class GoogLeNet : nn.Module<Tensor, Tensor>, IAuxiliaryHeads
{
    /// <summary>Sides that leave every pool a window.</summary>
    public const int SmallestImageNetSide = 15, SmallestCifarSide = 8;

    private readonly ConvolutionNormRelu _first, _second, _third;
    private readonly Inception[] _three, _four, _five;
    private readonly AuxiliaryHead _firstHead, _secondHead;
    private readonly nn.Module<Tensor, Tensor> _dropout;
    private readonly Linear _classifier;
    private readonly bool _poolsTwice;

    public GoogLeNet(Blueprint blueprint, bool imageNetStem) : base(nameof(GoogLeNet))
    {
        _poolsTwice = imageNetStem;
        register_module("conv1", _first = imageNetStem
            ? new ConvolutionNormRelu(blueprint.Channels, 64, kernel: 7, stride: 2, padding: 3)
            : new ConvolutionNormRelu(blueprint.Channels, 64, kernel: 3, stride: 1, padding: 1));
        register_module("conv2", _second = new ConvolutionNormRelu(64, 64, kernel: 1));
        register_module("conv3", _third = new ConvolutionNormRelu(64, 192, kernel: 3, stride: 1, padding: 1));
        _three = Stage("inception3", [new(192, 64, 96, 128, 16, 32, 32), new(256, 128, 128, 192, 32, 96, 64)]);
        _four = Stage("inception4",
        [
            new(480, 192, 96, 208, 16, 48, 64), new(512, 160, 112, 224, 24, 64, 64), new(512, 128, 128, 256, 24, 64, 64),
            new(512, 112, 144, 288, 32, 64, 64), new(528, 256, 160, 320, 32, 128, 128),
        ]);
        _five = Stage("inception5", [new(832, 256, 160, 320, 32, 128, 128), new(832, 384, 192, 384, 48, 128, 128)]);
        register_module("aux1", _firstHead = new AuxiliaryHead(512, blueprint));
        register_module("aux2", _secondHead = new AuxiliaryHead(528, blueprint));
        register_module("dropout", _dropout = blueprint.Dropout(0.2));
        register_module("fc", _classifier = nn.Linear(1024, blueprint.Classes));
    }

    public override Tensor forward(Tensor input) => Forward(input, heads: null);

    public (Tensor Logits, IReadOnlyList<Tensor> Auxiliary) ForwardWithHeads(Tensor input)
    {
        var heads = new Tensor[2];
        return (Forward(input, heads), heads);
    }

    /// <param name="heads">Filled with the logits of both heads; null: they are not computed.</param>
    private Tensor Forward(Tensor input, Tensor[]? heads)
    {
        var x = _first.call(input);
        x = Layers.Next(x, Pools.Max(x, 3, 2, padding: 0, ceiling: true));
        x = Layers.Next(x, _second.call(x));
        x = Layers.Next(x, _third.call(x));
        if (_poolsTwice) x = Layers.Next(x, Pools.Max(x, 3, 2, padding: 0, ceiling: true));
        foreach (var module in _three) x = Layers.Next(x, module.call(x));
        x = Layers.Next(x, Pools.Max(x, 3, 2, padding: 0, ceiling: true));
        for (var i = 0; i < _four.Length; i++)
        {
            x = Layers.Next(x, _four[i].call(x));
            if (heads is not null && i == 0) heads[0] = _firstHead.call(x);
            if (heads is not null && i == 3) heads[1] = _secondHead.call(x);
        }
        x = Layers.Next(x, Pools.Max(x, 2, 2, padding: 0, ceiling: true));
        foreach (var module in _five) x = Layers.Next(x, module.call(x));
        x = Layers.Next(x, Pools.GlobalAverage(x));
        x = Layers.Next(x, _dropout.call(x));
        return Layers.Next(x, _classifier.call(x));
    }

    private Inception[] Stage(string name, Inception[] modules)
    {
        for (var i = 0; i < modules.Length; i++) register_module(name + (char)('a' + i), modules[i]);
        return modules;
    }
}

/// <summary>Convolution without bias, BatchNorm with eps 0.001, ReLU: torchvision's BasicConv2d.</summary>
internal sealed class ConvolutionNormRelu : nn.Module<Tensor, Tensor>
{
    private readonly Conv2d _convolution;
    private readonly BatchNorm2d _norm;

    public ConvolutionNormRelu(int inputs, int outputs, int kernel, int stride = 1, int padding = 0) : base(nameof(ConvolutionNormRelu))
    {
        register_module("conv", _convolution = nn.Conv2d(inputs, outputs, kernel, stride: stride, padding: padding, bias: false));
        register_module("bn", _norm = nn.BatchNorm2d(outputs, eps: 0.001));
    }

    public override Tensor forward(Tensor input) => Layers.NormRelu(_norm, _convolution.call(input));
}

/// <summary>Four branches side by side, joined along the channels (figure 2b): 1x1; 1x1 then 3x3; 1x1 then 3x3; max-pool then 1x1.</summary>
internal sealed class Inception : nn.Module<Tensor, Tensor>
{
    private readonly nn.Module<Tensor, Tensor>[] _branches;

    /// <param name="reduced3">Width of the 1x1 convolution in front of <paramref name="wide3"/>; so for 5.</param>
    public Inception(int inputs, int narrow, int reduced3, int wide3, int reduced5, int wide5, int pooled) : base(nameof(Inception))
    {
        _branches =
        [
            new ConvolutionNormRelu(inputs, narrow, kernel: 1),
            nn.Sequential(new ConvolutionNormRelu(inputs, reduced3, kernel: 1), new ConvolutionNormRelu(reduced3, wide3, kernel: 3, padding: 1)),
            nn.Sequential(new ConvolutionNormRelu(inputs, reduced5, kernel: 1), new ConvolutionNormRelu(reduced5, wide5, kernel: 3, padding: 1)),
            nn.Sequential(new MaxPool(3, stride: 1, padding: 1, ceiling: true), new ConvolutionNormRelu(inputs, pooled, kernel: 1)),
        ];
        for (var i = 0; i < _branches.Length; i++) register_module($"branch{i + 1}", _branches[i]);
    }

    public override Tensor forward(Tensor input)
    {
        var parts = new Tensor[_branches.Length];
        for (var i = 0; i < parts.Length; i++) parts[i] = _branches[i].call(input);
        var joined = cat(parts, 1);
        foreach (var part in parts) part.Dispose();
        return joined;
    }
}

/// <summary>A classifier on an inner layer (section 5); as in torchvision behind an adaptive pool to 4x4, with dropout 0.7.</summary>
internal sealed class AuxiliaryHead : nn.Module<Tensor, Tensor>
{
    private const int Side = 4, Width = 128, Units = 1024;

    private readonly ConvolutionNormRelu _convolution;
    private readonly Linear _hidden, _classifier;
    private readonly nn.Module<Tensor, Tensor> _dropout;

    public AuxiliaryHead(int inputs, Blueprint blueprint) : base(nameof(AuxiliaryHead))
    {
        register_module("conv", _convolution = new ConvolutionNormRelu(inputs, Width, kernel: 1));
        register_module("fc1", _hidden = nn.Linear(Width * Side * Side, Units));
        register_module("fc2", _classifier = nn.Linear(Units, blueprint.Classes));
        register_module("dropout", _dropout = blueprint.Dropout(0.7));
    }

    public override Tensor forward(Tensor input)
    {
        var pooled = Pools.AdaptiveAverage(input, Side);
        var x = _convolution.call(pooled);
        if (!ReferenceEquals(pooled, input)) pooled.Dispose();
        x = Layers.Next(x, x.flatten(1));
        x = Layers.Next(x, _hidden.call(x));
        x = Layers.Next(x, x.relu_());
        x = Layers.Next(x, _dropout.call(x));
        return Layers.Next(x, _classifier.call(x));
    }
}
