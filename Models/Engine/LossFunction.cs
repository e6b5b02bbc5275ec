using Cluster.Architectures;
using Cluster.Contracts;
using TorchSharp;
using static TorchSharp.torch;

namespace Cluster.Engine;

/// <summary>What a leaf minimises, summed over its samples. Tensors belong to the current dispose scope.</summary>
/// <exception cref="UserMistakeException">No such kind of loss.</exception>
internal sealed class LossFunction(LossOptions options)
{
    private readonly bool _squares = options.IsSquaredError();

    /// <summary>A training forward.</summary>
    /// <returns>
    /// The logits [N, classes], not scaled, and the loss: with auxiliary heads that of the last classifier plus
    /// <see cref="LossOptions.AuxiliaryWeight"/> times that of each head.
    /// </returns>
    public (Tensor Logits, Tensor Loss) Of(nn.Module<Tensor, Tensor> model, Tensor images, ReadOnlySpan<long> labels)
    {
        var target = tensor(labels.ToArray(), device: images.device);
        if (options.AuxiliaryWeight == 0 || model is not IAuxiliaryHeads heads)
        {
            var output = model.call(images);
            return (output, Of(output, target));
        }
        var (logits, auxiliary) = heads.ForwardWithHeads(images);
        var loss = Of(logits, target);
        foreach (var head in auxiliary) loss = loss.add(Of(head, target), options.AuxiliaryWeight);
        return (logits, loss);
    }

    /// <summary>
    /// Cross-entropy with label smoothing ε: −Σ ((1 − ε)·[class is the label] + ε / classes)·log softmax
    /// (torch.nn.CrossEntropyLoss, reduction sum); or ½‖logits − target‖² with those same targets (half of torch.nn.MSELoss,
    /// reduction sum). Logits are scaled first.
    /// </summary>
    private Tensor Of(Tensor logits, Tensor labels)
    {
        var scaled = options.LogitScale == 1 ? logits : logits.mul(options.LogitScale);
        if (!_squares) return nn.functional.cross_entropy(scaled, labels, reduction: nn.Reduction.Sum, label_smoothing: options.LabelSmoothing);
        var classes = logits.shape[1];
        var isLabel = arange(classes, device: logits.device).eq(labels.unsqueeze(1)).to(ScalarType.Float32);
        var target = options.LabelSmoothing == 0 ? isLabel : isLabel.mul(1 - options.LabelSmoothing).add(options.LabelSmoothing / classes);
        return scaled.sub(target).square().sum().mul(0.5);
    }
}
