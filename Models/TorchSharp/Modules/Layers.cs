using TorchSharp.Interop;
using F = TorchSharp.torch.nn.functional;
using Tensor = TorchSharp.torch.Tensor;

namespace TorchSharp.Modules;

/// <summary>https://pytorch.org/docs/stable/generated/torch.nn.Conv2d.html. weight [out, in / groups, kH, kW], bias [out].</summary>
public sealed class Conv2d : torch.nn.Module<Tensor, Tensor>
{
    private readonly Pair _stride, _padding, _dilation;
    private readonly bool _same;
    private readonly long _groups;
    private readonly PaddingModes _mode;
    private Parameter _weight = null!;
    private Parameter? _bias;

    internal Conv2d(
        long input, long output, Pair kernel, Pair stride, Pair padding, Pair dilation, bool same, PaddingModes mode, long groups, bool bias,
        torch.Device? device, torch.ScalarType? dtype) : base(nameof(Conv2d))
    {
        if (groups < 1 || input % groups != 0 || output % groups != 0)
            throw new ArgumentException($"Conv2d: {groups} groups do not divide {input} input and {output} output channels", nameof(groups));
        if (mode is not (PaddingModes.Zeros or PaddingModes.Constant) && same)
            throw new ArgumentException($"Conv2d: padding Same pads with zeros, not with {mode}: give the amounts", nameof(mode));
        (_stride, _padding, _dilation, _same, _groups, _mode) = (stride, padding, dilation, same, groups, mode);
        var fanIn = input / groups * kernel[0] * kernel[1];
        weight = Initial.Uniform([output, input / groups, kernel[0], kernel[1]], fanIn, device, dtype);
        if (bias) this.bias = Initial.Uniform([output], fanIn, device, dtype);
    }

    public Parameter weight
    {
        get => _weight;
        set => register_parameter(nameof(weight), _weight = value);
    }

    public Parameter? bias
    {
        get => _bias;
        set => register_parameter(nameof(bias), _bias = value);
    }

    public override Tensor forward(Tensor tensor)
    {
        if (_same) return F.Conv2dSame(tensor, _weight, _bias, _stride, _dilation, _groups);
        if (_mode is PaddingModes.Zeros or PaddingModes.Constant) return F.Conv2d(tensor, _weight, _bias, _stride, _padding, _dilation, _groups);
        using var padded = F.pad(tensor, [_padding[1], _padding[1], _padding[0], _padding[0]], _mode);
        return F.Conv2d(padded, _weight, _bias, _stride, Pair.Of(0), _dilation, _groups);
    }
}

/// <summary>https://pytorch.org/docs/stable/generated/torch.nn.Linear.html. weight [out, in], bias [out].</summary>
public sealed class Linear : torch.nn.Module<Tensor, Tensor>
{
    private Parameter _weight = null!;
    private Parameter? _bias;

    internal Linear(long input, long output, bool bias, torch.Device? device, torch.ScalarType? dtype) : base(nameof(Linear))
    {
        weight = Initial.Uniform([output, input], input, device, dtype);
        if (bias) this.bias = Initial.Uniform([output], input, device, dtype);
    }

    public Parameter weight
    {
        get => _weight;
        set => register_parameter(nameof(weight), _weight = value);
    }

    public Parameter? bias
    {
        get => _bias;
        set => register_parameter(nameof(bias), _bias = value);
    }

    public override Tensor forward(Tensor tensor) => F.linear(tensor, _weight, _bias);
}

/// <summary>
/// https://pytorch.org/docs/stable/generated/torch.nn.BatchNorm2d.html. Parameters weight and bias [C]; buffers
/// running_mean and running_var [C] and num_batches_tracked (int64, one more per forward in training).
/// </summary>
public sealed class BatchNorm2d : torch.nn.Module<Tensor, Tensor>
{
    private readonly double _eps, _momentum;
    private Parameter? _weight, _bias;
    private Tensor? _mean, _variance;
    private readonly Tensor? _batches;

    internal BatchNorm2d(long features, double eps, double momentum, bool affine, bool track, torch.Device? device, torch.ScalarType? dtype)
        : base(nameof(BatchNorm2d))
    {
        (_eps, _momentum) = (eps, momentum);
        if (affine)
        {
            register_parameter(nameof(weight), _weight = new Parameter(torch.ones(features, dtype, device)));
            register_parameter(nameof(bias), _bias = new Parameter(torch.zeros(features, dtype, device)));
        }
        if (!track) return;
        register_buffer(nameof(running_mean), _mean = torch.zeros(features, dtype, device));
        register_buffer(nameof(running_var), _variance = torch.ones(features, dtype, device));
        register_buffer(nameof(num_batches_tracked), _batches = torch.zeros([], torch.int64, device));
    }

    public Parameter? weight
    {
        get => _weight;
        set => register_parameter(nameof(weight), _weight = value);
    }

    public Parameter? bias
    {
        get => _bias;
        set => register_parameter(nameof(bias), _bias = value);
    }

    public Tensor? running_mean
    {
        get => _mean;
        set => register_buffer(nameof(running_mean), (_mean = value) ?? throw new ArgumentNullException(nameof(value)));
    }

    public Tensor? running_var
    {
        get => _variance;
        set => register_buffer(nameof(running_var), (_variance = value) ?? throw new ArgumentNullException(nameof(value)));
    }

    public Tensor? num_batches_tracked => _batches;

    public void reset_running_stats()
    {
        _mean?.zero_();
        _variance?.fill_(1);
        _batches?.zero_();
    }

    /// <param name="tensor">[N, C, H, W].</param>
    public override Tensor forward(Tensor tensor)
    {
        if (tensor.ndim != 4) throw new ArgumentException($"BatchNorm2d wants [N, C, H, W], not {tensor.ndim} dimensions", nameof(tensor));
        if (training) _batches?.add_(1);
        return F.batch_norm(tensor, _mean, _variance, _weight, _bias, training || _mean is null, _momentum, _eps);
    }
}

/// <summary>The first values that PyTorch gives convolutions and linear layers.</summary>
internal static class Initial
{
    /// <summary>Uniform in ±1 / √fanIn: what kaiming_uniform_ with a = √5 comes to, and what PyTorch gives the bias.</summary>
    public static Parameter Uniform(long[] shape, long fanIn, torch.Device? device, torch.ScalarType? dtype)
    {
        var bound = fanIn > 0 ? 1 / Math.Sqrt(fanIn) : 0;
        return new Parameter(torch.empty(shape, dtype, device).uniform_(-bound, bound));
    }
}
