using Cluster.Contracts;
using Cluster.Coordinator.Core;

namespace Cluster.Core.Tests;

public sealed class StepScalingSpecs
{
    private const int Samples = 96, TrainingSamples = 1000;
    private static readonly ParameterLayout Even = ArithmeticFixtures.Layout(), Rows = ArithmeticFixtures.Layout(wholeRows: true);
    private static readonly float[] Summed = ArithmeticFixtures.Floats(Even.StateFloats, 1), Weights = ArithmeticFixtures.Floats(Even.StateFloats, 2);

    /// <summary>What P shards say of <see cref="Summed"/> and <see cref="Weights"/>.</summary>
    private static ShardReduced[] Reduced(OptimizerOptions options, ParameterLayout layout, int shards, double extreme = 0) =>
    [
        .. ShardPlan.Deal(layout, shards).Ranges.Select(r => new ShardReduced(
            Term.First, new StepId(1), 1, r.Shard, r.FirstChunk, [], [], default,
            PieceSums.For(r, layout, options)?.Of(Summed.AsSpan(r.Offset, r.Length), Weights.AsSpan(r.Offset, r.Length)),
            // The largest is not the last one's.
            r.FirstChunk == 0 ? extreme : extreme / 2)),
    ];

    private static double NormOf(float[] values, StateEntry entry) =>
        Math.Sqrt(values.AsSpan(entry.Offset, entry.Length).ToArray().Sum(static x => (double)x * x));

    private static double GlobalNormOf(ParameterLayout layout) => Math.Sqrt(layout.Parameters.Sum(p => Math.Pow(NormOf(Summed, p), 2))) / Samples;

    private static void AssertNear(double expected, double actual) => Assert.InRange(actual, expected * (1 - 1e-12), expected * (1 + 1e-12));

    public static TheoryData<OptimizerOptions> Rules =>
    [
        new OptimizerOptions { ClipParameterNorm = 0.25 },
        new OptimizerOptions { Kind = "lars", ClipNorm = 3 },
    ];

    [Theory]
    [MemberData(nameof(Rules))]
    public void Factors_have_the_same_bits_for_any_number_of_shards(OptimizerOptions options)
    {
        foreach (var layout in new[] { Even, Rows })
        {
            var scaling = StepScaling.Of(options, layout, TrainingSamples);
            var expected = scaling.Of(GlobalNormOf(layout), Samples, Reduced(options, layout, 1));
            for (var shards = 2; shards <= layout.ChunkCount; shards++)
            {
                var actual = scaling.Of(GlobalNormOf(layout), Samples, Reduced(options, layout, shards));
                Assert.Equal(BitConverter.DoubleToInt64Bits(expected.Scale), BitConverter.DoubleToInt64Bits(actual.Scale));
                Assert.Equal(expected.Tensors!.Select(BitConverter.DoubleToInt64Bits), actual.Tensors!.Select(BitConverter.DoubleToInt64Bits));
            }
        }
    }

    [Fact]
    public void Clipping_per_parameter_brings_every_tensor_down_to_the_norm_and_reports_the_smallest_factor()
    {
        var options = new OptimizerOptions { ClipParameterNorm = 0.25 };
        var (scale, tensors) = StepScaling.Of(options, Even, TrainingSamples).Of(GlobalNormOf(Even), Samples, Reduced(options, Even, 2));
        foreach (var (entry, factor) in Even.Parameters.Zip(tensors!)) AssertNear(Math.Min(1, 0.25 / (NormOf(Summed, entry) / Samples + 1e-6)), factor);
        Assert.Contains(1.0, tensors!);
        Assert.True(scale < 1);
        Assert.Equal(tensors!.Min(), scale);
    }

    [Fact]
    public void Rates_of_lars_follow_the_paper_and_biases_keep_the_plain_rate()
    {
        var options = new OptimizerOptions { Kind = "lars", TrustCoefficient = 0.02, WeightDecay = 1e-3, ClipNorm = 3 };
        var (scale, tensors) = StepScaling.Of(options, Even, TrainingSamples).Of(GlobalNormOf(Even), Samples, Reduced(options, Even, 3));
        Assert.Equal(Clipping.Scale(GlobalNormOf(Even), 3), scale);
        Assert.True(scale < 1);
        foreach (var (entry, factor) in Even.Parameters.Zip(tensors!))
        {
            if (entry.Shape.Count < 2) Assert.Equal(1, factor);
            else AssertNear(0.02 * NormOf(Weights, entry) / (NormOf(Summed, entry) / Samples * scale + 1e-3 * NormOf(Weights, entry)), factor);
        }
    }

    [Theory]
    [InlineData(0.0, 1.0)]
    [InlineData(1.0, 0.0)]
    public void Tensor_without_weights_or_without_gradient_keeps_the_plain_rate(double gradient, double weights)
    {
        var scaling = StepScaling.Of(new OptimizerOptions { Kind = "lars" }, new TensorPieces([0], [true], [0]));
        var (_, tensors) = scaling.Of(1, 1, [new ShardReduced(Term.First, new StepId(1), 1, new ShardId(0), 0, [], [], default, [gradient, weights])]);
        Assert.Equal([1.0], tensors!);
    }

    [Theory]
    [InlineData(0.5, 96, 0.5)]
    [InlineData(0.5, 12, 1.0)]
    [InlineData(0.5, 0, 1.0)]
    public void Elements_and_units_that_are_clipped_by_themselves_report_the_largest_of_all_shards(double limit, double extreme, double expected)
    {
        foreach (var options in new[] { new OptimizerOptions { ClipValue = limit }, new OptimizerOptions { ClipAdaptive = limit } })
        {
            var (scale, tensors) = StepScaling.Of(options, Rows, TrainingSamples).Of(8, Samples, Reduced(options, Rows, 3, extreme));
            Assert.Equal(expected, scale);
            Assert.Null(tensors);
        }
    }

    [Fact]
    public void Sums_of_another_layout_are_no_answer()
    {
        var options = new OptimizerOptions { ClipParameterNorm = 1 };
        var scaling = StepScaling.Of(options, Even, TrainingSamples);
        var reduced = Reduced(options, Even, 2);
        Assert.Throws<StepProtocolException>(() => scaling.Of(1, Samples, [reduced[0], reduced[1] with { PieceSums = null }]));
        Assert.Throws<StepProtocolException>(() => scaling.Of(1, Samples, [reduced[0], reduced[1] with { PieceSums = [.. reduced[1].PieceSums!, 1] }]));
    }

    [Fact]
    public void Two_ways_of_clipping_are_refused_and_so_is_what_lars_cannot_see()
    {
        Assert.Contains("--clip-norm and --clip-value", Mistake(new OptimizerOptions { ClipNorm = 1, ClipValue = 1 }));
        Assert.Contains("--clip-adaptive", Mistake(new OptimizerOptions { Kind = "lars", ClipAdaptive = 1 }));

        static string Mistake(OptimizerOptions options) => Assert.Throws<UserMistakeException>(() => StepScaling.Of(options, Even, TrainingSamples)).Message;
    }
}
