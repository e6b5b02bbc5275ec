using TorchSharp.Interop;
using F = TorchSharp.torch.nn.functional;
using Tensor = TorchSharp.torch.Tensor;

// Layers without parameters. https://pytorch.org/docs/stable/nn.html
namespace TorchSharp.Modules;

public sealed class ReLU : torch.nn.Module<Tensor, Tensor>
{
    private readonly bool _inplace;
    internal ReLU(bool inplace) : base(nameof(ReLU)) => _inplace = inplace;
    public override string GetName() => nameof(ReLU);
    public override Tensor forward(Tensor tensor) => F.relu(tensor, _inplace);
}

public sealed class MaxPool2d : torch.nn.Module<Tensor, Tensor>
{
    private readonly Pair _kernel, _stride, _padding, _dilation;
    private readonly bool _ceil;

    internal MaxPool2d(Pair kernel, Pair stride, Pair padding, Pair dilation, bool ceil) : base(nameof(MaxPool2d)) =>
        (_kernel, _stride, _padding, _dilation, _ceil) = (kernel, stride, padding, dilation, ceil);

    public override Tensor forward(Tensor tensor) => F.MaxPool2d(tensor, _kernel, _stride, _padding, _dilation, _ceil);

    public (Tensor Values, Tensor Indices) forward_with_indices(Tensor tensor) =>
        F.MaxPool2dWithIndices(tensor, _kernel, _stride, _padding, _dilation, _ceil);
}

public sealed class AvgPool2d : torch.nn.Module<Tensor, Tensor>
{
    private readonly Pair _kernel, _stride, _padding;
    private readonly bool _ceil, _countPadding;
    private readonly long _divisor;

    internal AvgPool2d(Pair kernel, Pair stride, Pair padding, bool ceil, bool countPadding, long? divisor) : base(nameof(AvgPool2d))
    {
        if (divisor == 0) throw new ArgumentOutOfRangeException(nameof(divisor), "AvgPool2d cannot divide by 0");
        (_kernel, _stride, _padding, _ceil, _countPadding, _divisor) = (kernel, stride, padding, ceil, countPadding, divisor ?? 0);
    }

    public override Tensor forward(Tensor tensor) => F.AvgPool2d(tensor, _kernel, _stride, _padding, _ceil, _countPadding, _divisor);
}

public sealed class AdaptiveAvgPool2d : torch.nn.Module<Tensor, Tensor>
{
    private readonly Pair _size;
    internal AdaptiveAvgPool2d(Pair size) : base(nameof(AdaptiveAvgPool2d)) => _size = size;
    public override Tensor forward(Tensor tensor) => F.AdaptiveAvgPool2d(tensor, _size);
}

public sealed class AdaptiveMaxPool2d : torch.nn.Module<Tensor, Tensor>
{
    private readonly Pair _size;
    internal AdaptiveMaxPool2d(Pair size) : base(nameof(AdaptiveMaxPool2d)) => _size = size;
    public override Tensor forward(Tensor tensor) => F.AdaptiveMaxPool2d(tensor, _size);
}

public sealed class Flatten : torch.nn.Module<Tensor, Tensor>
{
    private readonly long _start, _end;
    internal Flatten(long start, long end) : base(nameof(Flatten)) => (_start, _end) = (start, end);
    public override Tensor forward(Tensor tensor) => tensor.flatten(_start, _end);
}

public sealed class Dropout : torch.nn.Module<Tensor, Tensor>
{
    private readonly double _p;
    private readonly bool _inplace;
    internal Dropout(double p, bool inplace) : base(nameof(Dropout)) => (_p, _inplace) = (p, inplace);
    public override Tensor forward(Tensor tensor) => F.dropout(tensor, _p, training, _inplace);
}

public sealed class LocalResponseNorm : torch.nn.Module<Tensor, Tensor>
{
    private readonly long _size;
    private readonly double _alpha, _beta, _k;
    internal LocalResponseNorm(long size, double alpha, double beta, double k) : base(nameof(LocalResponseNorm)) =>
        (_size, _alpha, _beta, _k) = (size, alpha, beta, k);
    public override Tensor forward(Tensor tensor) => F.local_response_norm(tensor, _size, _alpha, _beta, _k);
}

/// <summary>Hands its input on, as a new object.</summary>
public sealed class Identity : torch.nn.Module<Tensor, Tensor>
{
    internal Identity() : base(nameof(Identity)) { }
    public override Tensor forward(Tensor tensor) => tensor.alias();
}

/// <summary>https://pytorch.org/docs/stable/generated/torch.nn.CrossEntropyLoss.html. Logits [N, C], classes [N]; in nats.</summary>
public sealed class CrossEntropyLoss : WeightedLoss<Tensor, Tensor, Tensor>
{
    public CrossEntropyLoss(Tensor? weight = null, long? ignore_index = null, torch.nn.Reduction reduction = torch.nn.Reduction.Mean, double label_smoothing = 0.0)
        : base(weight, reduction) => (this.ignore_index, this.label_smoothing) = (ignore_index, label_smoothing);

    public long? ignore_index { get; }
    public double label_smoothing { get; }

    public override Tensor forward(Tensor input, Tensor target) =>
        F.cross_entropy(input, target, weight, ignore_index ?? -100, reduction, label_smoothing);
}
