using System.Runtime.CompilerServices;
using Cluster.Contracts;

namespace Cluster.Coordinator.Core;

/// <summary>
/// Stochastic gradient descent: momentum in the form of torch.optim.SGD
/// (https://pytorch.org/docs/stable/generated/torch.optim.SGD.html), b = μ·b + (1 − dampening)·g, w −= lr·b, the first step
/// undamped; or in the classical form (Sutskever et al., 2013), v = μ·v − lr·g, w += v. The classical form's Nesterov
/// variant is the paper's, seen from the point where it takes the gradient: w += μ·v − lr·g (Bengio et al., 2013).
/// Nesterov without momentum is plain SGD; PyTorch refuses it.
/// </summary>
public sealed class SgdRule : UpdateRule
{
    /// <summary>PyTorch's name of the momentum in an optimizer's state.</summary>
    public const string MomentumSlot = "momentum_buffer";

    internal SgdRule(OptimizerOptions options, long trainingSamples) : base(options, trainingSamples) { }

    public override IReadOnlyList<string> SlotNames => Options.Momentum != 0 ? [MomentumSlot] : [];

    internal override void Run(in PassMemory memory, in GradientTerms terms, double rate, in ApplyArguments step, VectorWidth width)
    {
        if (Options.MomentumForm == "classical")
        {
            FusedPass.Run(memory, terms, new ClassicalKernel((float)rate, (float)Options.Momentum, Options.Momentum != 0, Options.Nesterov), width);
            return;
        }
        var kernel = new Kernel((float)rate, (float)Options.Momentum, (float)(1 - Options.Dampening), Options.Momentum != 0, step.AppliedSteps == 0, Options.Nesterov);
        FusedPass.Run(memory, terms, kernel, width);
    }

    private readonly record struct Kernel(float Rate, float Momentum, float GradientShare, bool HasMomentum, bool IsFirst, bool Nesterov) : IStepKernel
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public unsafe TVector Step<TLanes, TVector>(TVector weight, TVector gradient, in PassMemory memory, nint i)
            where TLanes : struct, ILanes<TVector>
            where TVector : struct
        {
            if (HasMomentum)
            {
                var mu = TLanes.Of(Momentum);
                var buffer = IsFirst ? gradient : TLanes.Add(TLanes.Multiply(mu, TLanes.Load(memory.First + i)), TLanes.Multiply(TLanes.Of(GradientShare), gradient));
                TLanes.Store(buffer, memory.First + i);
                gradient = Nesterov ? TLanes.Add(gradient, TLanes.Multiply(mu, buffer)) : buffer;
            }
            return TLanes.Subtract(weight, TLanes.Multiply(TLanes.Of(Rate), gradient));
        }
    }

    private readonly record struct ClassicalKernel(float Rate, float Momentum, bool HasMomentum, bool Nesterov) : IStepKernel
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public unsafe TVector Step<TLanes, TVector>(TVector weight, TVector gradient, in PassMemory memory, nint i)
            where TLanes : struct, ILanes<TVector>
            where TVector : struct
        {
            var step = TLanes.Multiply(TLanes.Of(Rate), gradient);
            if (!HasMomentum) return TLanes.Subtract(weight, step);
            var mu = TLanes.Of(Momentum);
            var velocity = TLanes.Subtract(TLanes.Multiply(mu, TLanes.Load(memory.First + i)), step);
            TLanes.Store(velocity, memory.First + i);
            return TLanes.Add(weight, Nesterov ? TLanes.Subtract(TLanes.Multiply(mu, velocity), step) : velocity);
        }
    }
}
