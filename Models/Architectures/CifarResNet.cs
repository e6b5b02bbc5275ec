using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Cluster.Architectures;

/// <summary>
/// Residual networks for CIFAR (He, Zhang, Ren and Sun, 2015, arXiv:1512.03385, section 4.2): 6n + 2 layers, three
/// stages of n blocks with widths 16, 32 and 64, and shortcuts without parameters (option A) everywhere.
/// </summary>
/// <remarks>Input [N, channels, H, W]; output logits [N, classes]. 269,722 parameters for 20 layers and 10 classes.</remarks>
internal sealed class CifarResNet : nn.Module<Tensor, Tensor>
{
    private const int StemWidth = 16, Stages = 3;

    private readonly Conv2d _convolution;
    private readonly BatchNorm2d _norm;
    private readonly Sequential[] _stages = new Sequential[Stages];
    private readonly Linear _classifier;

    /// <param name="blocksPerStage">n; 3 gives 20 layers.</param>
    public CifarResNet(int blocksPerStage, Blueprint blueprint) : base(nameof(CifarResNet))
    {
        register_module("conv1", _convolution = Layers.Conv3x3(blueprint.Channels, StemWidth));
        register_module("bn1", _norm = nn.BatchNorm2d(StemWidth));
        var inputs = StemWidth;
        for (var stage = 0; stage < Stages; stage++)
        {
            var width = StemWidth << stage;
            var blocks = new nn.Module<Tensor, Tensor>[blocksPerStage];
            for (var block = 0; block < blocksPerStage; block++)
            {
                var shrinks = width != inputs;
                blocks[block] = new BasicBlock(inputs, width, shrinks ? 2 : 1, shrinks ? new ZeroPaddedShortcut(width - inputs) : null);
                inputs = width;
            }
            register_module($"layer{stage + 1}", _stages[stage] = nn.Sequential(blocks));
        }
        register_module("fc", _classifier = nn.Linear(inputs, blueprint.Classes));
    }

    public override Tensor forward(Tensor input)
    {
        var x = Layers.NormRelu(_norm, _convolution.call(input));
        foreach (var stage in _stages) x = Layers.Next(x, stage.call(x));
        x = Layers.Next(x, Pools.GlobalAverage(x));
        return Layers.Next(x, _classifier.call(x));
    }
}

/// <summary>
/// Option A of He et al. (2015, section 3.3): identity with "extra zero entries padded for increasing dimensions", at
/// stride 2. The zero channels follow the others.
/// </summary>
internal sealed class ZeroPaddedShortcut(int extraChannels) : nn.Module<Tensor, Tensor>(nameof(ZeroPaddedShortcut))
{
    public override Tensor forward(Tensor input)
    {
        using var rows = input.slice(2, 0, input.shape[2], 2);
        using var strided = rows.slice(3, 0, input.shape[3], 2);
        return nn.functional.pad(strided, [0, 0, 0, 0, 0, extraChannels], PaddingModes.Constant, 0);
    }
}
