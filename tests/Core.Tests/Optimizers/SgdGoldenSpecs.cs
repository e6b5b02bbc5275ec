using System.Text.Json;
using Cluster.Contracts;
using Cluster.Coordinator.Core;

namespace Cluster.Core.Tests;

/// <summary>A hundred steps of the fused update beside torch.optim.SGD, for every combination of its options.</summary>
public sealed class SgdGoldenSpecs
{
    private const int WeightCount = 30, BiasCount = 7, Samples = 48, Steps = 100;
    private const double WeightDecay = 0.05, Clip = 1.1, Tolerance = 1e-6;

    private static readonly ParameterLayout Layout = ParameterLayout.Of(
        [("weight", [5, 6], StateKind.Parameter, true), ("bias", [BiasCount], StateKind.Parameter, false)]);

    public static TheoryData<string> Names => [.. ArithmeticGolden.Cases("sgd.json").Select(Name)];

    private static string Name(JsonElement c) =>
        $"momentum {c.Number("momentum")}, dampening {c.Number("dampening")}, Nesterov {c.Flag("nesterov")}, {c.Text("decay")} decay, clip {c.Flag("clip")}";

    private static double Initial(int i) => (i * 37 % 19 - 9) / 16.0;
    private static double SummedGradient(int i, int step) => ((i * 7919 + step * 104729 + 12345) % 2001 - 1000) / 64.0;
    private static double Rate(int step) => 0.05 / (1 + 0.01 * step);

    [Theory]
    [MemberData(nameof(Names))]
    public void Fused_update_follows_torch_over_a_hundred_steps(string name)
    {
        var golden = ArithmeticGolden.Cases("sgd.json").Single(c => Name(c) == name);
        var decay = golden.Text("decay");
        var options = new OptimizerOptions
        {
            Momentum = golden.Number("momentum"),
            Dampening = golden.Number("dampening"),
            Nesterov = golden.Flag("nesterov"),
            WeightDecay = decay == "none" ? 0 : WeightDecay,
            Penalty = decay == "decoupled" ? "decoupled" : null,
            ClipNorm = golden.Flag("clip") ? Clip : 0,
        };
        var update = new ShardUpdate(ShardPlan.Deal(Layout, 1).Ranges[0], Layout, UpdateRule.Create(options));
        float[] summed = new float[Layout.StateFloats], weights = new float[Layout.StateFloats], next = new float[Layout.StateFloats];
        var slots = update.Slots.Select(s => NativeBuffer.Allocate(s.Length)).ToArray();
        const int Count = WeightCount + BiasCount;
        for (var i = 0; i < Count; i++) weights[i] = (float)Initial(i);
        var kept = golden.GetProperty("weights");
        var compared = 0;
        for (var step = 1; step <= Steps; step++)
        {
            for (var i = 0; i < Count; i++) summed[i] = (float)SummedGradient(i, step);
            var norm = GlobalNorm.OfMean([ChunkNorm.SumOfSquares(summed)], Samples);
            var arguments = new ApplyArguments(Samples, 8, Clipping.Scale(norm, options.ClipNorm), Rate(step), step - 1);
            update.Apply(summed, weights, next, slots, arguments);
            (weights, next) = (next, weights);
            if (!kept.TryGetProperty(step.ToString(), out var expected)) continue;
            AssertClose(expected.Floats(), weights.AsSpan(0, Count), $"weights after step {step}");
            compared++;
        }
        Assert.Equal(4, compared);
        if (options.Momentum != 0) AssertClose(golden.GetProperty("momentum_buffer").Floats(), slots[0].Span[..Count], "momentum");
        foreach (var slot in slots) slot.Dispose();
    }

    /// <summary>Error relative to the tensor's norm.</summary>
    private static void AssertClose(ReadOnlySpan<float> expected, ReadOnlySpan<float> actual, string what)
    {
        Assert.Equal(expected.Length, actual.Length);
        double error = 0, size = 0;
        for (var i = 0; i < expected.Length; i++)
        {
            error += Math.Pow((double)actual[i] - expected[i], 2);
            size += Math.Pow(expected[i], 2);
        }
        var relative = Math.Sqrt(error / size);
        Assert.True(relative <= Tolerance, $"{what}: relative error {relative:E2}");
    }

    [Fact]
    public void Golden_cases_cover_every_combination()
    {
        var cases = ArithmeticGolden.Cases("sgd.json");
        Assert.Equal(24, cases.Count);
        Assert.Equal(24, cases.Select(Name).Distinct().Count());
    }
}
