using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Cluster.Coordinator.Core;

/// <summary>Where one run of parameters lies: pinned or native memory of <see cref="Length"/> floats each. Slots that a rule lacks are null.</summary>
internal readonly unsafe struct PassMemory(nint length)
{
    public nint Length { get; } = length;
    public float* Summed { get; init; }

    /// <summary>Version v.</summary>
    public float* Weights { get; init; }

    /// <summary>Receives version v+1.</summary>
    public float* Next { get; init; }

    /// <summary>The rule's first slot; changed in place, like the others.</summary>
    public float* First { get; init; }
    public float* Second { get; init; }
    public float* Third { get; init; }

    public PassMemory Slice(nint offset, nint length) => new(length)
    {
        Summed = Summed + offset,
        Weights = Weights + offset,
        Next = Next + offset,
        First = First is null ? null : First + offset,
        Second = Second is null ? null : Second + offset,
        Third = Third is null ? null : Third + offset,
    };
}

/// <summary>What becomes of the summed gradient and of the weight before a rule sees them, in float32, as PyTorch rounds its scalars.</summary>
/// <param name="Samples">n: the sum is divided by it.</param>
/// <param name="Scale">Factor of the clipping.</param>
/// <param name="Bound">Elements of the mean gradient are cut to [−bound, bound]; 0 = none.</param>
/// <param name="L2">Times the weight is added to the gradient.</param>
/// <param name="L1">Times the weight's sign is added to the gradient.</param>
/// <param name="Keep">The weight is multiplied by it: decoupled decay. 1 = none.</param>
internal readonly record struct GradientTerms(float Samples, float Scale, float Bound, float L2, float L1, float Keep);

/// <summary>A rule's formula for one element, or for one vector of them, of the fused pass.</summary>
internal interface IStepKernel
{
    /// <summary>The new weight; the slots' elements at <paramref name="i"/> are changed in place.</summary>
    TVector Step<TLanes, TVector>(TVector weight, TVector gradient, in PassMemory memory, nint i)
        where TLanes : struct, ILanes<TVector>
        where TVector : struct;
}

/// <summary>
/// The fused update: mean, clip, penalty, rule and weights in one pass over memory. Elementwise, without fused
/// multiply-adds, so the bits depend neither on the vector width nor on where a shard's range begins. Written once; the
/// runtime compiles it for every rule and width, since both are structs.
/// </summary>
internal static unsafe class FusedPass
{
    public static void Run<TKernel>(in PassMemory memory, in GradientTerms terms, in TKernel kernel, VectorWidth width)
        where TKernel : struct, IStepKernel
    {
        var done = width switch
        {
            VectorWidth.Bits512 => Run<TKernel, Lanes512, Vector512<float>>(memory, terms, kernel, 0),
            VectorWidth.Bits256 => Run<TKernel, Lanes256, Vector256<float>>(memory, terms, kernel, 0),
            VectorWidth.Bits128 => Run<TKernel, Lanes128, Vector128<float>>(memory, terms, kernel, 0),
            _ => 0,
        };
        Run<TKernel, LanesScalar, float>(memory, terms, kernel, done);
    }

    private static nint Run<TKernel, TLanes, TVector>(in PassMemory arguments, in GradientTerms terms, in TKernel rule, nint from)
        where TKernel : struct, IStepKernel
        where TLanes : struct, ILanes<TVector>
        where TVector : struct
    {
        // Copies in locals: the compiler keeps them in registers, and the same branch every time round costs nothing beside the memory traffic.
        var (memory, kernel) = (arguments, rule);
        var samples = TLanes.Of(terms.Samples);
        var scale = TLanes.Of(terms.Scale);
        TVector bound = TLanes.Of(terms.Bound), least = TLanes.Of(-terms.Bound);
        var l2 = TLanes.Of(terms.L2);
        var l1 = TLanes.Of(terms.L1);
        var keep = TLanes.Of(terms.Keep);
        bool isBounded = terms.Bound != 0, hasL2 = terms.L2 != 0, hasL1 = terms.L1 != 0, decays = terms.Keep != 1;
        var i = from;
        for (; i + TLanes.Count <= memory.Length; i += TLanes.Count)
        {
            var gradient = TLanes.Multiply(TLanes.Divide(TLanes.Load(memory.Summed + i), samples), scale);
            var weight = TLanes.Load(memory.Weights + i);
            if (isBounded) gradient = TLanes.Min(TLanes.Max(gradient, least), bound);
            if (hasL2) gradient = TLanes.Add(gradient, TLanes.Multiply(l2, weight));
            if (hasL1) gradient = TLanes.Add(gradient, TLanes.Multiply(l1, TLanes.Sign(weight)));
            if (decays) weight = TLanes.Multiply(weight, keep);
            TLanes.Store(kernel.Step<TLanes, TVector>(weight, gradient, memory, i), memory.Next + i);
        }
        return i;
    }
}
