using System.Runtime.CompilerServices;
using Cluster.Contracts;

namespace Cluster.Coordinator.Core;

/// <summary>Adagrad (Duchi et al., 2011) as torch.optim.Adagrad computes it (https://pytorch.org/docs/stable/generated/torch.optim.Adagrad.html).</summary>
public sealed class AdagradRule : UpdateRule
{
    public const string SumSlot = "sum";

    internal AdagradRule(OptimizerOptions options, long trainingSamples) : base(options, trainingSamples) { }

    public override IReadOnlyList<string> SlotNames => [SumSlot];

    public override float FirstValueOf(string slot) => (float)Options.InitialAccumulator;

    internal override void Run(in PassMemory memory, in GradientTerms terms, double rate, in ApplyArguments step, VectorWidth width) =>
        FusedPass.Run(memory, terms, new Kernel((float)(rate / (1 + step.AppliedSteps * Options.RateDecay)), (float)(Options.Epsilon ?? 1e-10)), width);

    private readonly record struct Kernel(float Rate, float Epsilon) : IStepKernel
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public unsafe TVector Step<TLanes, TVector>(TVector weight, TVector gradient, in PassMemory memory, nint i)
            where TLanes : struct, ILanes<TVector>
            where TVector : struct
        {
            var sum = TLanes.Add(TLanes.Load(memory.First + i), TLanes.Multiply(gradient, gradient));
            TLanes.Store(sum, memory.First + i);
            return TLanes.Subtract(weight, TLanes.Multiply(TLanes.Of(Rate), TLanes.Divide(gradient, TLanes.Add(TLanes.Sqrt(sum), TLanes.Of(Epsilon)))));
        }
    }
}
