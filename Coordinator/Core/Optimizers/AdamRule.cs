using System.Runtime.CompilerServices;
using Cluster.Contracts;

namespace Cluster.Coordinator.Core;

/// <summary>
/// Adam (Kingma and Ba, 2015) as torch.optim.Adam computes it (https://pytorch.org/docs/stable/generated/torch.optim.Adam.html).
/// AdamW (Loshchilov and Hutter, 2019) is the same rule; its name makes a weight decay decoupled unless the penalty is named.
/// </summary>
public sealed class AdamRule : UpdateRule
{
    public const string MeanSlot = "exp_avg", SquareSlot = "exp_avg_sq";

    internal AdamRule(OptimizerOptions options, long trainingSamples) : base(options, trainingSamples) { }

    public override IReadOnlyList<string> SlotNames => [MeanSlot, SquareSlot];

    internal override void Run(in PassMemory memory, in GradientTerms terms, double rate, in ApplyArguments step, VectorWidth width)
    {
        var t = step.AppliedSteps + 1;
        var kernel = new Kernel(
            Beta1: (float)Options.Beta1,
            Share1: (float)(1 - Options.Beta1),
            Beta2: (float)Options.Beta2,
            Share2: (float)(1 - Options.Beta2),
            Rate: (float)(rate / (1 - Power(Options.Beta1, t))),
            Correction: (float)Math.Sqrt(1 - Power(Options.Beta2, t)),
            Epsilon: (float)(Options.Epsilon ?? 1e-8));
        FusedPass.Run(memory, terms, kernel, width);
    }

    /// <summary>x to the n-th by repeated squaring: the same bits everywhere, unlike the C library's pow.</summary>
    internal static double Power(double x, long n)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(n);
        var result = 1.0;
        for (; n > 0; n >>= 1)
        {
            if ((n & 1) != 0) result *= x;
            x *= x;
        }
        return result;
    }

    private readonly record struct Kernel(float Beta1, float Share1, float Beta2, float Share2, float Rate, float Correction, float Epsilon) : IStepKernel
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public unsafe TVector Step<TLanes, TVector>(TVector weight, TVector gradient, in PassMemory memory, nint i)
            where TLanes : struct, ILanes<TVector>
            where TVector : struct
        {
            var mean = TLanes.Add(TLanes.Multiply(TLanes.Of(Beta1), TLanes.Load(memory.First + i)), TLanes.Multiply(TLanes.Of(Share1), gradient));
            var square = TLanes.Add(TLanes.Multiply(TLanes.Of(Beta2), TLanes.Load(memory.Second + i)), TLanes.Multiply(TLanes.Of(Share2), TLanes.Multiply(gradient, gradient)));
            TLanes.Store(mean, memory.First + i);
            TLanes.Store(square, memory.Second + i);
            var root = TLanes.Add(TLanes.Divide(TLanes.Sqrt(square), TLanes.Of(Correction)), TLanes.Of(Epsilon));
            return TLanes.Subtract(weight, TLanes.Multiply(TLanes.Of(Rate), TLanes.Divide(mean, root)));
        }
    }
}
