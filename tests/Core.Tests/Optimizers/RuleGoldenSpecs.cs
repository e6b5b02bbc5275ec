using System.Text.Json;
using Cluster.Contracts;
using Cluster.Coordinator.Core;

namespace Cluster.Core.Tests;

/// <summary>A hundred steps of every rule and option beside PyTorch, or the paper's formula in float64 (<c>tests/fixtures/optimizers/rules.py</c>).</summary>
public sealed class RuleGoldenSpecs
{
    private const int WeightCount = 30, BiasCount = 7, Count = WeightCount + BiasCount, Samples = 48, Steps = 100, TrainingSamples = 20;

    public static TheoryData<string> Names => [.. ArithmeticGolden.Cases("rules.json").Select(Name)];

    private static string Name(JsonElement c) => $"{c.Text("oracle")}: {c.GetProperty("options").GetRawText()}";

    private static double Initial(int i) => (i * 37 % 19 - 9) / 16.0;
    private static double SummedGradient(int i, int step) => ((i * 7919 + step * 104729 + 12345) % 2001 - 1000) / 64.0;
    private static double Rate(int step) => 0.05 / (1 + 0.01 * step);

    [Theory]
    [MemberData(nameof(Names))]
    public void Rule_follows_its_definition_over_a_hundred_steps(string name)
    {
        var golden = ArithmeticGolden.Cases("rules.json").Single(c => Name(c) == name);
        var options = golden.GetProperty("options").Deserialize<OptimizerOptions>()!;
        var tolerance = options.Kind is "sgd" or "lars" ? 1e-6 : 1e-5;
        var layout = ParameterLayout.Of([("weight", [5, 6], StateKind.Parameter, true), ("bias", [BiasCount], StateKind.Parameter, false)], options.NeedsWholeRows());
        var update = new ShardUpdate(ShardPlan.Deal(layout, 1).Ranges[0], layout, UpdateRule.Create(options, TrainingSamples));
        float[] summed = new float[layout.StateFloats], weights = new float[layout.StateFloats], next = new float[layout.StateFloats];
        for (var i = 0; i < Count; i++) weights[i] = (float)Initial(i);
        var slots = update.Slots.Select(s => NativeBuffer.Allocate(s.Length)).ToArray();
        for (var s = 0; s < slots.Length; s++) update.Begin(s, weights, slots[s].Span);
        var compared = 0;
        for (var step = 1; step <= Steps; step++)
        {
            for (var i = 0; i < Count; i++) summed[i] = (float)SummedGradient(i, step);
            update.Apply(summed, weights, next, slots, new ApplyArguments(Samples, 8, 1, Rate(step), step - 1, TensorScales(options, summed, weights)));
            (weights, next) = (next, weights);
            if (!golden.GetProperty("weights").TryGetProperty($"{step}", out var expected)) continue;
            AssertClose(expected.Doubles(), weights.AsSpan(0, Count), tolerance, $"weights after step {step}");
            compared++;
        }
        Assert.Equal(3, compared);
        Assert.Equal(golden.GetProperty("slots").EnumerateObject().Select(static p => p.Name), update.Slots.Select(static s => s.Name));
        for (var s = 0; s < slots.Length; s++) AssertClose(golden.GetProperty("slots").GetProperty(update.Slots[s].Name).Doubles(), slots[s].Span[..Count], tolerance, update.Slots[s].Name);
        foreach (var slot in slots) slot.Dispose();
    }

    /// <summary>What the coordinator sends to a rule that needs norms of single tensors.</summary>
    private static double[]? TensorScales(OptimizerOptions options, float[] summed, float[] weights)
    {
        if (!options.NeedsTensorSums()) return null;
        return [Scale(0, WeightCount, options.WeightDecay), Scale(WeightCount, BiasCount, 0)];

        double Scale(int start, int length, double decay)
        {
            var gradient = Math.Sqrt(ChunkNorm.SumOfSquares(summed.AsSpan(start, length))) / Samples;
            var weight = Math.Sqrt(ChunkNorm.SumOfSquares(weights.AsSpan(start, length)));
            return options.Kind == "lars" ? options.TrustCoefficient * weight / (gradient + decay * weight) : Clipping.Scale(gradient, options.ClipParameterNorm);
        }
    }

    /// <summary>Error relative to the tensor's norm.</summary>
    private static void AssertClose(double[] expected, ReadOnlySpan<float> actual, double tolerance, string what)
    {
        Assert.Equal(expected.Length, actual.Length);
        double error = 0, size = 0;
        for (var i = 0; i < expected.Length; i++)
        {
            error += (actual[i] - expected[i]) * (actual[i] - expected[i]);
            size += expected[i] * expected[i];
        }
        var relative = Math.Sqrt(error / size);
        Assert.True(relative <= tolerance, $"{what}: relative error {relative:E2}");
    }
}
