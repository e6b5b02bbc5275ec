using Cluster.Architectures;
using Cluster.Contracts;

namespace Cluster.Engine;

/// <summary>
/// First weights with the distributions of PyTorch and torchvision, drawn from counter-based streams: a parameter's
/// values depend on the seed and its index alone. No libtorch generator is involved.
/// </summary>
internal static class WeightInitialization
{
    /// <summary>Fills <paramref name="state"/> [StateFloats]; the padding becomes zero.</summary>
    public static void Fill(ParameterLayout layout, Initialization rule, ulong seed, Span<float> state)
    {
        state.Clear();
        var index = 0;
        foreach (var entry in layout.Parameters)
        {
            var stream = new PhiloxStream(seed, RandomPurpose.Initialization, (ulong)index++);
            FillParameter(layout, entry, rule, ref stream, state.Slice(entry.Offset, entry.Length));
        }
        foreach (var entry in layout.Buffers)
        {
            // Running means start at 0, running variances at 1 (torch.nn.BatchNorm2d).
            if (entry.Name.EndsWith("running_var", StringComparison.Ordinal)) state.Slice(entry.Offset, entry.Length).Fill(1f);
        }
    }

    /// <summary>Inputs that one output of the tensor sums over: every dimension but the first.</summary>
    public static int FanIn(StateEntry entry) => entry.Length / entry.Shape[0];

    private static void FillParameter(
        ParameterLayout layout, StateEntry entry, Initialization rule, ref PhiloxStream stream, Span<float> values)
    {
        switch (entry.Shape.Count)
        {
            case 4 or 2 when DeviationOf(entry, rule) is { } deviation:
                Normal(ref stream, deviation, values);
                break;
            case 4 or 2:
                // kaiming_uniform with a = sqrt(5): gain sqrt(2 / (1 + 5)), bound = gain * sqrt(3 / fan_in) = 1 / sqrt(fan_in).
                Uniform(ref stream, 1.0 / Math.Sqrt(FanIn(entry)), values);
                break;
            case 1 when WeightBeside(layout, entry) is { } weight:
                if (weight.Shape.Count == 4 ? rule.ZeroConvolutionBiases : rule.ZeroLinearBiases) break;
                // The bias of a linear or convolution layer: uniform in ±1/√fan_in of its weight (torch.nn.Linear).
                Uniform(ref stream, 1.0 / Math.Sqrt(FanIn(weight)), values);
                break;
            case 1:
                // Norm layers: weight 1, bias 0 (already cleared).
                if (entry.Name.EndsWith(".weight", StringComparison.Ordinal)) values.Fill(1f);
                break;
            default:
                throw new ClusterException($"no initialisation is known for '{entry.Name}' with shape [{string.Join(", ", entry.Shape)}]: add one to {nameof(WeightInitialization)}");
        }
    }

    /// <summary>Of normal weights; null where they are uniform.</summary>
    private static double? DeviationOf(StateEntry weight, Initialization rule)
    {
        if (weight.Shape.Count == 2) return rule.SmallLinears ? Initialization.SmallDeviation : null;
        return rule.Convolutions switch
        {
            ConvolutionInitialization.KaimingNormalFanOut => Math.Sqrt(2.0 / (weight.Shape[0] * weight.Shape[2] * weight.Shape[3])),
            ConvolutionInitialization.KaimingNormalFanIn => Math.Sqrt(2.0 / FanIn(weight)),
            ConvolutionInitialization.Small => Initialization.SmallDeviation,
            _ => null,
        };
    }

    /// <summary>The layer's weight when <paramref name="entry"/> is a bias and that weight has more than one dimension; null for norm layers.</summary>
    private static StateEntry? WeightBeside(ParameterLayout layout, StateEntry entry)
    {
        const string bias = ".bias";
        if (!entry.Name.EndsWith(bias, StringComparison.Ordinal)) return null;
        return layout.TryGet(entry.Name[..^bias.Length] + ".weight", out var weight) && weight!.Shape.Count > 1 ? weight : null;
    }

    private static void Normal(ref PhiloxStream stream, double deviation, Span<float> values)
    {
        foreach (ref var value in values) value = (float)(stream.NextGaussian() * deviation);
    }

    private static void Uniform(ref PhiloxStream stream, double bound, Span<float> values)
    {
        foreach (ref var value in values) value = (float)((stream.NextDouble() * 2 - 1) * bound);
    }
}
