using System.Runtime.InteropServices;
using Cluster.Contracts;
using TorchSharp;
using static TorchSharp.torch;

namespace Cluster.Architectures;

/// <summary>
/// Which leaf is being computed: the key of everything random in a forward. One per engine, which writes it before a leaf;
/// the dropout layers of that engine's model read it on the same compute thread.
/// </summary>
public sealed class LeafKey
{
    internal ulong Seed { get; private set; }
    internal StepId Step { get; private set; }
    internal int Leaf { get; private set; }

    public void Set(ulong seed, StepId step, int leaf) => (Seed, Step, Leaf) = (seed, step, leaf);
}

/// <summary>
/// Dropout (Srivastava et al., 2014, "Dropout: a simple way to prevent neural networks from overfitting") with inverted
/// scaling: in training an element is zero with probability <paramref name="rate"/>, else divided by 1 − rate; in evaluation
/// the input goes through. The mask is a function of (seed, step, leaf, layer) alone, so that a leaf has the same one on
/// every worker, device and thread count, and whenever it is computed again.
/// </summary>
/// <param name="rate">In [0, 1).</param>
/// <param name="layer">Number of the layer in its model.</param>
internal sealed class CounterDropout(double rate, int layer, LeafKey key) : nn.Module<Tensor, Tensor>(nameof(CounterDropout))
{
    public override Tensor forward(Tensor input)
    {
        // Another object: a sequence lets go of what it handed in.
        if (!training || rate == 0) return input.alias();
        using var host = empty(input.shape, dtype: ScalarType.Float32);
        DropoutMask.Fill(MemoryMarshal.Cast<byte, float>(host.bytes), rate, key, layer);
        if (input.device_type == DeviceType.CPU) return input.mul(host);
        using var mask = host.to(input.device);
        return input.mul(mask);
    }
}

/// <summary>The numbers that a dropout layer multiplies by.</summary>
internal static class DropoutMask
{
    /// <summary>
    /// Element i, in index order, is 0 if draw i of stream (seed, Dropout, step, layer · 2³² + leaf) is below rate · 2³², else
    /// 1 / (1 − rate).
    /// </summary>
    public static void Fill(Span<float> mask, double rate, LeafKey key, int layer)
    {
        var stream = new PhiloxStream(key.Seed, RandomPurpose.Dropout, (ulong)key.Step.Value, ((ulong)layer << 32) | (uint)key.Leaf);
        var threshold = (uint)Math.Min(uint.MaxValue, Math.Round(rate * 4294967296.0));
        var kept = (float)(1 / (1 - rate));
        // The draws come into the memory of the numbers that they become.
        var draws = MemoryMarshal.Cast<float, uint>(mask);
        stream.Fill(draws);
        for (var i = 0; i < mask.Length; i++) mask[i] = draws[i] < threshold ? 0 : kept;
    }
}
