using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Cluster.Architectures;

/// <summary>
/// Densely connected networks (Huang, Liu, van der Maaten and Weinberger, 2017, arXiv:1608.06993) with bottlenecks and
/// compression by one half (DenseNet-BC), and torchvision's names. The CIFAR stem is the paper's (section 4.2): a 3x3
/// convolution with 2k channels, straight into the first block.
/// </summary>
/// <remarks>
/// Input [N, channels, H, W]; output logits [N, classes]. 7,978,856 parameters for DenseNet-121 with the ImageNet stem and
/// 1000 classes; 769,162 for depth 100, growth 12 with 10 classes.
/// </remarks>
internal sealed class DenseNet : nn.Module<Tensor, Tensor>
{
    private readonly Sequential _features;
    private readonly Linear _classifier;

    /// <param name="growth">k: channels that each layer adds.</param>
    /// <param name="layers">Per dense block.</param>
    public DenseNet(int growth, IReadOnlyList<int> layers, Blueprint blueprint, bool imageNetStem) : base(nameof(DenseNet))
    {
        var channels = 2 * growth;
        List<(string, nn.Module<Tensor, Tensor>)> features = [];
        if (imageNetStem)
        {
            features.Add(("conv0", nn.Conv2d(blueprint.Channels, channels, 7L, stride: 2L, padding: 3L, bias: false)));
            features.Add(("norm0", nn.BatchNorm2d(channels)));
            features.Add(("relu0", Layers.Rectifier()));
            features.Add(("pool0", new MaxPool(3, stride: 2, padding: 1)));
        }
        else
        {
            features.Add(("conv0", Layers.Conv3x3(blueprint.Channels, channels)));
        }
        for (var block = 0; block < layers.Count; block++)
        {
            features.Add(($"denseblock{block + 1}", new DenseBlock(layers[block], channels, growth, blueprint)));
            channels += layers[block] * growth;
            if (block == layers.Count - 1) break;
            features.Add(($"transition{block + 1}", new DenseTransition(channels, channels / 2)));
            channels /= 2;
        }
        // Its ReLU has no place among torchvision's features.
        features.Add(("norm5", nn.BatchNorm2d(channels)));
        register_module("features", _features = nn.Sequential(features));
        register_module("classifier", _classifier = nn.Linear(channels, blueprint.Classes));
    }

    public override Tensor forward(Tensor input)
    {
        var x = _features.call(input);
        x = Layers.Next(x, x.relu_());
        x = Layers.Next(x, Pools.GlobalAverage(x));
        return Layers.Next(x, _classifier.call(x));
    }
}

/// <summary>Each layer sees what went into the block and what all layers before it made.</summary>
internal sealed class DenseBlock : nn.Module<Tensor, Tensor>
{
    private readonly DenseLayer[] _layers;

    public DenseBlock(int layers, int inputs, int growth, Blueprint blueprint) : base(nameof(DenseBlock))
    {
        _layers = new DenseLayer[layers];
        for (var i = 0; i < layers; i++) register_module($"denselayer{i + 1}", _layers[i] = new DenseLayer(inputs + i * growth, growth, blueprint));
    }

    public override Tensor forward(Tensor input)
    {
        var x = input;
        foreach (var layer in _layers)
        {
            using var added = layer.call(x);
            var joined = cat([x, added], 1);
            if (!ReferenceEquals(x, input)) x.Dispose();
            x = joined;
        }
        return x;
    }
}

/// <summary>BN, ReLU, 1x1 convolution to 4k channels; BN, ReLU, 3x3 convolution to k (section 3, "bottleneck layers").</summary>
internal sealed class DenseLayer : nn.Module<Tensor, Tensor>
{
    private const int Bottleneck = 4;

    private readonly BatchNorm2d _firstNorm, _secondNorm;
    private readonly Conv2d _first, _second;
    private readonly nn.Module<Tensor, Tensor> _dropout;

    public DenseLayer(int inputs, int growth, Blueprint blueprint) : base(nameof(DenseLayer))
    {
        register_module("norm1", _firstNorm = nn.BatchNorm2d(inputs));
        register_module("conv1", _first = Layers.Conv1x1(inputs, Bottleneck * growth));
        register_module("norm2", _secondNorm = nn.BatchNorm2d(Bottleneck * growth));
        register_module("conv2", _second = Layers.Conv3x3(Bottleneck * growth, growth));
        // The paper drops 0.2 where it trains without augmentation; torchvision's default is none.
        register_module("dropout", _dropout = blueprint.Dropout(0));
    }

    public override Tensor forward(Tensor input)
    {
        var normal = _firstNorm.call(input);
        var x = Layers.Next(normal, normal.relu_());
        x = Layers.NormRelu(_secondNorm, Layers.Next(x, _first.call(x)));
        x = Layers.Next(x, _second.call(x));
        return Layers.Next(x, _dropout.call(x));
    }
}

/// <summary>BN, ReLU, 1x1 convolution, 2x2 average pool: fewer channels, half the side.</summary>
internal sealed class DenseTransition : nn.Module<Tensor, Tensor>
{
    private readonly BatchNorm2d _norm;
    private readonly Conv2d _convolution;

    public DenseTransition(int inputs, int outputs) : base(nameof(DenseTransition))
    {
        register_module("norm", _norm = nn.BatchNorm2d(inputs));
        register_module("conv", _convolution = Layers.Conv1x1(inputs, outputs));
    }

    public override Tensor forward(Tensor input)
    {
        var normal = _norm.call(input);
        var x = Layers.Next(normal, normal.relu_());
        x = Layers.Next(x, _convolution.call(x));
        return Layers.Next(x, nn.functional.avg_pool2d(x, 2));
    }
}
