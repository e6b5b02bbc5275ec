using Cluster.Contracts;
using Cluster.Coordinator.Core;

namespace Cluster.Core.Tests;

/// <summary>What a rule refuses, begins with and does to single units; its formulas are held against PyTorch in <see cref="RuleGoldenSpecs"/>.</summary>
public sealed class UpdateRuleSpecs
{
    private static readonly OptimizerOptions Plain = new() { Momentum = 0, WeightDecay = 0 };

    private static readonly ParameterLayout Layout = ParameterLayout.Of(
        [("fc.weight", [4, 5], StateKind.Parameter, true), ("fc.bias", [4], StateKind.Parameter, false), ("bn.running_mean", [3], StateKind.Buffer, false)], wholeRows: true);

    private static ShardUpdate Update(OptimizerOptions options) => new(ShardPlan.Deal(Layout, 1).Ranges[0], Layout, UpdateRule.Create(options));

    public static TheoryData<OptimizerOptions, string> Mistakes => new()
    {
        { new() { Momentum = -0.1 }, "momentum" },
        { new() { Momentum = double.NaN }, "momentum" },
        { new() { Momentum = 0.9, Dampening = 0.5, Nesterov = true }, "damped" },
        { new() { Dampening = -1, Nesterov = false }, "dampening" },
        { new() { Dampening = 0.1, Nesterov = false, MomentumForm = "classical" }, "dampening" },
        { new() { MomentumForm = "heavy" }, "heavy" },
        { new() { WeightDecay = -1 }, "weight decay" },
        { new() { ClipNorm = -1 }, "clip norm" },
        { new() { ClipNorm = 1, ClipAdaptive = 0.1 }, "one way only" },
        { new() { Kind = "lars", ClipValue = 1 }, "lars" },
        { new() { Kind = "lars", L1 = 1 }, "lars" },
        { new() { Kind = "adam", Beta2 = 1 }, "beta2" },
        { new() { Kind = "adma" }, "adam" },
        { new() { Groups = "fc.*" }, "fc.*" },
    };

    [Theory]
    [MemberData(nameof(Mistakes))]
    public void Impossible_or_contradictory_options_are_user_mistakes(OptimizerOptions options, string named) =>
        Assert.Contains(named, Assert.Throws<UserMistakeException>(() => UpdateRule.Create(options)).Message, StringComparison.Ordinal);

    [Fact]
    public void Bias_corrections_are_powers_by_repeated_squaring()
    {
        Assert.Equal(1, AdamRule.Power(0.9, 0));
        Assert.Equal(Math.ScaleB(1, -1000), AdamRule.Power(0.5, 1000));
        Assert.Equal(0.9 * (0.9 * 0.9), AdamRule.Power(0.9, 3));
        Assert.Equal(Math.Pow(0.999, 123_456), AdamRule.Power(0.999, 123_456), 1e-60);
        Assert.Equal(0, AdamRule.Power(0.9, long.MaxValue));
    }

    [Fact]
    public void Slots_begin_as_zeros_as_the_initial_accumulator_or_as_the_first_weights()
    {
        var weights = ArithmeticFixtures.Floats(Layout.StateFloats, 1);
        var update = Update(new OptimizerOptions { Kind = "adagrad", InitialAccumulator = 0.5, EmaDecay = 0.9 });
        Assert.Equal([new ShardSlot("sum", Layout.BufferOffset), new ShardSlot("ema", Layout.StateFloats)], update.Slots);
        float[] sum = new float[Layout.BufferOffset], average = new float[Layout.StateFloats];
        update.Begin(0, weights, sum);
        update.Begin(1, weights, average);
        Assert.All(sum, static x => Assert.Equal(0.5f, x));
        ArithmeticFixtures.SameBits(weights, average);
        var momentum = ArithmeticFixtures.Floats(Layout.BufferOffset, 2);
        Update(new OptimizerOptions()).Begin(0, weights, momentum);
        Assert.All(momentum, static x => Assert.Equal(0, x));
    }

    [Fact]
    public void Average_covers_buffers_and_leaves_padding_at_zero()
    {
        var update = Update(Plain with { EmaDecay = 0.75 });
        float[] summed = new float[Layout.StateFloats], weights = new float[Layout.StateFloats], next = new float[Layout.StateFloats];
        summed.AsSpan(Layout.BufferOffset).Fill(8);
        using var average = NativeBuffer.Allocate(Layout.StateFloats);
        average.Span[Layout.BufferOffset..].Fill(1);
        update.Apply(summed, weights, next, [average], new ApplyArguments(2, 4, 1, 0.1, 5));
        Assert.All(average.Span[Layout.BufferOffset..].ToArray(), static x => Assert.Equal(0.75f * 1 + 0.25f * 2, x));
        Assert.All(average.Span[..Layout.BufferOffset].ToArray(), static x => Assert.Equal(0, x));
    }

    [Fact]
    public void Extreme_is_the_largest_element_or_the_largest_ratio_of_a_unit()
    {
        float[] summed = new float[Layout.StateFloats], weights = new float[Layout.StateFloats];
        (summed[7], summed[21], summed[Layout.BufferOffset]) = (-6, 3, 100); // second row, bias, buffer
        (weights[5], weights[6]) = (3, 4);
        Assert.Equal(0, Update(Plain).Extreme(summed, weights));
        Assert.Equal(6, Update(Plain with { ClipValue = 1 }).Extreme(summed, weights));
        // The bias has no weights yet: its ratio is to the least norm.
        Assert.Equal(3 / 1e-3, Update(Plain with { ClipAdaptive = 0.1 }).Extreme(summed, weights));
        summed[21] = 0;
        Assert.Equal(6 / 5.0, Update(Plain with { ClipAdaptive = 0.1 }).Extreme(summed, weights));
    }

    [Fact]
    public void Largest_norm_bounds_rows_after_the_step_and_leaves_biases_alone()
    {
        float[] summed = new float[Layout.StateFloats], weights = new float[Layout.StateFloats], next = new float[Layout.StateFloats];
        (weights[0], weights[1], weights[5], weights[20]) = (3, 4, 0.5f, 100);
        Update(Plain with { MaxNorm = 1 }).Apply(summed, weights, next, [], new ApplyArguments(1, 1, 1, 0.1, 0));
        Assert.Equal([3 * 0.2f, 4 * 0.2f, 0, 0, 0, 0.5f], next[..6]);
        Assert.Equal(100, next[20]);
    }

    [Fact]
    public void Rule_with_a_factor_per_tensor_refuses_a_step_without_them()
    {
        var update = Update(new OptimizerOptions { Kind = "lars", Momentum = 0 });
        var values = new float[Layout.StateFloats];
        Assert.Throws<ClusterException>(() => update.Apply(values, values, new float[Layout.StateFloats], [], new ApplyArguments(1, 1, 1, 0.1, 0)));
        Assert.Throws<ClusterException>(() => update.Apply(values, values, new float[Layout.StateFloats], [], new ApplyArguments(1, 1, 1, 0.1, 0, [1])));
    }

    [Fact]
    public void Chunk_that_cuts_an_output_unit_is_refused()
    {
        var cut = ParameterLayout.Of([("weight", [3, 40_000], StateKind.Parameter, true)]);
        Assert.Throws<ClusterException>(() => new ShardUpdate(ShardPlan.Deal(cut, 1).Ranges[0], cut, UpdateRule.Create(Plain with { MaxNorm = 1 })));
    }
}
