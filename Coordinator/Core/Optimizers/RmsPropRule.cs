using System.Runtime.CompilerServices;
using Cluster.Contracts;

namespace Cluster.Coordinator.Core;

/// <summary>
/// RMSprop (Hinton, 2012; centered: Graves, 2013) as torch.optim.RMSprop computes it
/// (https://pytorch.org/docs/stable/generated/torch.optim.RMSprop.html). A variance that rounding makes negative counts as 0.
/// </summary>
public sealed class RmsPropRule : UpdateRule
{
    public const string SquareSlot = "square_avg", MeanSlot = "grad_avg";

    internal RmsPropRule(OptimizerOptions options, long trainingSamples) : base(options, trainingSamples) { }

    /// <remarks>The momentum's place does not depend on <see cref="OptimizerOptions.Centered"/>, the mean's on whether there is a momentum.</remarks>
    public override IReadOnlyList<string> SlotNames =>
        [SquareSlot, .. Options.Momentum != 0 ? [SgdRule.MomentumSlot] : Array.Empty<string>(), .. Options.Centered ? [MeanSlot] : Array.Empty<string>()];

    internal override void Run(in PassMemory memory, in GradientTerms terms, double rate, in ApplyArguments step, VectorWidth width)
    {
        var kernel = new Kernel((float)rate, (float)Options.Alpha, (float)(1 - Options.Alpha), (float)(Options.Epsilon ?? 1e-8), (float)Options.Momentum, Options.Momentum != 0, Options.Centered);
        FusedPass.Run(memory, terms, kernel, width);
    }

    private readonly record struct Kernel(float Rate, float Alpha, float Share, float Epsilon, float Momentum, bool HasMomentum, bool Centered) : IStepKernel
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public unsafe TVector Step<TLanes, TVector>(TVector weight, TVector gradient, in PassMemory memory, nint i)
            where TLanes : struct, ILanes<TVector>
            where TVector : struct
        {
            var alpha = TLanes.Of(Alpha);
            var share = TLanes.Of(Share);
            var square = TLanes.Add(TLanes.Multiply(alpha, TLanes.Load(memory.First + i)), TLanes.Multiply(share, TLanes.Multiply(gradient, gradient)));
            TLanes.Store(square, memory.First + i);
            if (Centered)
            {
                var place = HasMomentum ? memory.Third : memory.Second;
                var mean = TLanes.Add(TLanes.Multiply(alpha, TLanes.Load(place + i)), TLanes.Multiply(share, gradient));
                TLanes.Store(mean, place + i);
                square = TLanes.Max(TLanes.Subtract(square, TLanes.Multiply(mean, mean)), TLanes.Of(0));
            }
            var step = TLanes.Divide(gradient, TLanes.Add(TLanes.Sqrt(square), TLanes.Of(Epsilon)));
            if (HasMomentum)
            {
                step = TLanes.Add(TLanes.Multiply(TLanes.Of(Momentum), TLanes.Load(memory.Second + i)), step);
                TLanes.Store(step, memory.Second + i);
            }
            return TLanes.Subtract(weight, TLanes.Multiply(TLanes.Of(Rate), step));
        }
    }
}
