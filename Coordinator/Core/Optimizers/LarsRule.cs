using System.Runtime.CompilerServices;
using Cluster.Contracts;

namespace Cluster.Coordinator.Core;

/// <summary>
/// Layer-wise adaptive rate scaling (You, Gitman and Ginsburg, 2017, algorithm 1): v = μ·v + lr·l·(g + λ·w), w −= v, where
/// the factor l of each tensor, η·‖w‖ / (‖g‖ + λ·‖w‖), comes with the step: a tensor may lie on several shards.
/// </summary>
public sealed class LarsRule : UpdateRule
{
    internal LarsRule(OptimizerOptions options, long trainingSamples) : base(options, trainingSamples) { }

    public override IReadOnlyList<string> SlotNames => Options.Momentum != 0 ? [SgdRule.MomentumSlot] : [];

    internal override void Run(in PassMemory memory, in GradientTerms terms, double rate, in ApplyArguments step, VectorWidth width) =>
        FusedPass.Run(memory, terms, new Kernel((float)rate, (float)Options.Momentum, Options.Momentum != 0), width);

    private readonly record struct Kernel(float Rate, float Momentum, bool HasMomentum) : IStepKernel
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public unsafe TVector Step<TLanes, TVector>(TVector weight, TVector gradient, in PassMemory memory, nint i)
            where TLanes : struct, ILanes<TVector>
            where TVector : struct
        {
            var step = TLanes.Multiply(TLanes.Of(Rate), gradient);
            if (HasMomentum)
            {
                step = TLanes.Add(TLanes.Multiply(TLanes.Of(Momentum), TLanes.Load(memory.First + i)), step);
                TLanes.Store(step, memory.First + i);
            }
            return TLanes.Subtract(weight, step);
        }
    }
}
