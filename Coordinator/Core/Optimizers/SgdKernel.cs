using System.Runtime.Intrinsics;

namespace Cluster.Coordinator.Core;

/// <summary>
/// The fused update: mean, clip, decay, momentum and weights in one pass over memory. Elementwise, without fused
/// multiply-adds, so the bits depend neither on the vector width nor on where a shard's range begins.
/// </summary>
internal static unsafe class SgdKernel
{
    /// <param name="summed">Summed gradient [n].</param>
    /// <param name="weightsIn">Version v [n].</param>
    /// <param name="weightsOut">Receives version v+1 [n].</param>
    /// <param name="momentum">Changed in place [n]; empty when the rule has none.</param>
    public static void Run(
        ReadOnlySpan<float> summed, ReadOnlySpan<float> weightsIn, Span<float> weightsOut, Span<float> momentum, in SgdFactors factors, VectorWidth width)
    {
        var length = summed.Length;
        if (weightsIn.Length != length || weightsOut.Length != length || (factors.HasMomentum && momentum.Length != length))
            throw new ArgumentException($"{length} gradients for {weightsIn.Length} weights, {weightsOut.Length} new weights and {momentum.Length} momenta");
        fixed (float* g = summed, w = weightsIn, o = weightsOut, m = momentum)
        {
            var done = width switch
            {
                VectorWidth.Bits512 => Run<Lanes512, Vector512<float>>(g, w, o, m, 0, length, factors),
                VectorWidth.Bits256 => Run<Lanes256, Vector256<float>>(g, w, o, m, 0, length, factors),
                VectorWidth.Bits128 => Run<Lanes128, Vector128<float>>(g, w, o, m, 0, length, factors),
                _ => 0,
            };
            Run<LanesScalar, float>(g, w, o, m, done, length, factors);
        }
    }

    private static nint Run<TLanes, TVector>(float* summed, float* weightsIn, float* weightsOut, float* momentum, nint from, nint length, in SgdFactors factors)
        where TLanes : struct, ILanes<TVector>
        where TVector : struct
    {
        var samples = TLanes.Of(factors.Samples);
        var scale = TLanes.Of(factors.Scale);
        var rate = TLanes.Of(factors.LearningRate);
        var decay = TLanes.Of(factors.CoupledDecay);
        var keep = TLanes.Of(factors.Keep);
        var mu = TLanes.Of(factors.Momentum);
        var share = TLanes.Of(factors.GradientShare);
        // Copies in locals: the same branch every time round costs nothing beside the memory traffic.
        bool hasMomentum = factors.HasMomentum, isFirst = factors.IsFirst, nesterov = factors.Nesterov;
        bool coupled = factors.CoupledDecay != 0, decoupled = factors.Keep != 1;
        var i = from;
        for (; i + TLanes.Count <= length; i += TLanes.Count)
        {
            var gradient = TLanes.Multiply(TLanes.Divide(TLanes.Load(summed + i), samples), scale);
            var weight = TLanes.Load(weightsIn + i);
            if (coupled) gradient = TLanes.Add(gradient, TLanes.Multiply(decay, weight));
            if (hasMomentum)
            {
                var buffer = isFirst ? gradient : TLanes.Add(TLanes.Multiply(mu, TLanes.Load(momentum + i)), TLanes.Multiply(share, gradient));
                TLanes.Store(buffer, momentum + i);
                gradient = nesterov ? TLanes.Add(gradient, TLanes.Multiply(mu, buffer)) : buffer;
            }
            if (decoupled) weight = TLanes.Multiply(weight, keep);
            TLanes.Store(TLanes.Subtract(weight, TLanes.Multiply(rate, gradient)), weightsOut + i);
        }
        return i;
    }

    /// <summary>target[i] = summed[i] / <paramref name="divisor"/>.</summary>
    public static void Mean(ReadOnlySpan<float> summed, Span<float> target, float divisor, VectorWidth width)
    {
        if (target.Length != summed.Length) throw new ArgumentException($"cannot write {summed.Length} means into {target.Length} floats");
        fixed (float* s = summed, t = target)
        {
            var done = width switch
            {
                VectorWidth.Bits512 => Mean<Lanes512, Vector512<float>>(s, t, 0, summed.Length, divisor),
                VectorWidth.Bits256 => Mean<Lanes256, Vector256<float>>(s, t, 0, summed.Length, divisor),
                VectorWidth.Bits128 => Mean<Lanes128, Vector128<float>>(s, t, 0, summed.Length, divisor),
                _ => 0,
            };
            Mean<LanesScalar, float>(s, t, done, summed.Length, divisor);
        }
    }

    private static nint Mean<TLanes, TVector>(float* summed, float* target, nint from, nint length, float divisor)
        where TLanes : struct, ILanes<TVector>
        where TVector : struct
    {
        var by = TLanes.Of(divisor);
        var i = from;
        for (; i + TLanes.Count <= length; i += TLanes.Count) TLanes.Store(TLanes.Divide(TLanes.Load(summed + i), by), target + i);
        return i;
    }
}
