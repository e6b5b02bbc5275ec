using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Cluster.Architectures;

/// <summary>Building blocks that several families share; pools are in <see cref="Pools"/>. Everything here has a deterministic backward, on CUDA too.</summary>
internal static class Layers
{
    /// <summary>3x3, padding 1, no bias: a BatchNorm follows and would cancel it.</summary>
    public static Conv2d Conv3x3(int inputs, int outputs, int stride = 1) =>
        nn.Conv2d(inputs, outputs, 3L, stride: stride, padding: 1L, bias: false);

    /// <summary>1x1 without padding or bias: a projection, or a change of width in front of a dearer convolution.</summary>
    public static Conv2d Conv1x1(int inputs, int outputs, int stride = 1) =>
        nn.Conv2d(inputs, outputs, 1L, stride: stride, bias: false);

    /// <summary>
    /// Goes on with <paramref name="result"/> and lets go of <paramref name="spent"/>, which the backward keeps where it
    /// needs it. As in Python, where a reassigned variable does the same: memory that the backward is through with can
    /// then be used again at once, instead of living until the leaf's scope ends.
    /// </summary>
    /// <param name="spent">Made by this forward; never the caller's input.</param>
    public static Tensor Next(Tensor spent, Tensor result)
    {
        if (!ReferenceEquals(spent, result)) spent.Dispose();
        return result;
    }

    /// <summary>A ReLU that overwrites its input; behind layers whose backward does not read their own output (convolution, linear, BatchNorm).</summary>
    public static ReLU Rectifier() => nn.ReLU(inplace: true);

    /// <summary>Normalises and rectifies; lets go of <paramref name="spent"/>. The ReLU works in place: BatchNorm's backward does not read its own output.</summary>
    public static Tensor NormRelu(BatchNorm2d norm, Tensor spent)
    {
        var normal = Next(spent, norm.call(spent));
        return Next(normal, normal.relu_());
    }
}
