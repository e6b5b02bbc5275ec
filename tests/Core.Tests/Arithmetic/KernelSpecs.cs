using Cluster.Coordinator.Core;

namespace Cluster.Core.Tests;

public sealed class KernelSpecs
{
    private static readonly int[] Lengths = [0, 1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 33, 63, 64, 65, 100, 1000, 2047, 2048, 2049, 4096, 5003];

    internal static readonly VectorWidth[] Widths = [VectorWidth.Scalar, VectorWidth.Bits128, VectorWidth.Bits256, VectorWidth.Bits512];

    /// <summary>The definition, written without any vector: element i to lane i mod 8, lanes added in pairs.</summary>
    private static double EightLanes(ReadOnlySpan<float> values)
    {
        var lanes = new double[8];
        for (var i = 0; i < values.Length; i++) lanes[i % 8] += (double)values[i] * values[i];
        return (lanes[0] + lanes[4] + (lanes[2] + lanes[6])) + (lanes[1] + lanes[5] + (lanes[3] + lanes[7]));
    }

    [Fact]
    public void Sum_adds_elementwise_with_the_same_bits_at_every_width_and_alignment()
    {
        foreach (var length in Lengths)
        {
            for (var shift = 0; shift < 3; shift++)
            {
                var a = ArithmeticFixtures.Floats(length + shift, 1).AsSpan(shift);
                var b = ArithmeticFixtures.Floats(length + shift, 2).AsSpan(shift);
                var expected = new float[length];
                for (var i = 0; i < length; i++) expected[i] = a[i] + b[i];
                foreach (var width in Widths)
                {
                    var actual = new float[length];
                    Sum.Add(actual, a, b, width);
                    ArithmeticFixtures.SameBits(expected, actual, $"{width}, {length} floats");
                }
                var accumulator = a.ToArray();
                Sum.AddInto(accumulator, b);
                ArithmeticFixtures.SameBits(expected, accumulator, $"in place, {length} floats");
            }
        }
    }

    [Fact]
    public void Sum_of_squares_has_the_bits_of_eight_scalar_lanes_at_every_width()
    {
        foreach (var length in Lengths)
        {
            var values = ArithmeticFixtures.Floats(length, 3);
            var expected = EightLanes(values);
            foreach (var width in Widths)
                Assert.Equal(BitConverter.DoubleToInt64Bits(expected), BitConverter.DoubleToInt64Bits(ChunkNorm.SumOfSquares(values, width)));
        }
    }

    [Fact]
    public void Add_and_square_equals_the_two_passes()
    {
        foreach (var length in Lengths)
        {
            var (a, b) = (ArithmeticFixtures.Floats(length, 4), ArithmeticFixtures.Floats(length, 5));
            var expected = new float[length];
            Sum.Add(expected, a, b);
            foreach (var width in Widths)
            {
                var actual = new float[length];
                var square = Sum.AddAndSquare(actual, a, b, width);
                ArithmeticFixtures.SameBits(expected, actual);
                Assert.Equal(BitConverter.DoubleToInt64Bits(ChunkNorm.SumOfSquares(expected)), BitConverter.DoubleToInt64Bits(square));
            }
        }
    }

    [Fact]
    public void Sum_refuses_operands_of_different_lengths()
    {
        Assert.Throws<ArgumentException>(() => Sum.Add(new float[4], new float[4], new float[5]));
        Assert.Throws<ArgumentException>(() => Sum.AddAndSquare(new float[3], new float[4], new float[4]));
    }

    [Fact]
    public void Global_norm_is_the_root_of_the_chunk_sums_in_order()
    {
        double[] sums = [1e16, 1, 1, 1, 1];
        Assert.Equal(Math.Sqrt(((((0 + 1e16) + 1) + 1) + 1) + 1), GlobalNorm.Of(sums));
        Assert.Equal(5.0, GlobalNorm.Of([9.0, 16.0]));
        Assert.Equal(2.5, GlobalNorm.OfMean([9.0, 16.0], 2));
        Assert.True(double.IsNaN(GlobalNorm.Of([1, double.NaN])));
    }

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    [InlineData(float.NegativeInfinity)]
    public void Finite_check_finds_the_first_bad_element_wherever_it_is(float bad)
    {
        var values = ArithmeticFixtures.Floats(2100, 6);
        values[3] = float.MaxValue;
        Assert.Equal(-1, FiniteCheck.FirstBad(values));
        Assert.True(FiniteCheck.All(values));
        foreach (var at in new[] { 2099, 1500, 1024, 1023, 40, 0 })
        {
            values[at] = bad;
            Assert.Equal(at, FiniteCheck.FirstBad(values));
            Assert.Equal(-1, FiniteCheck.FirstBad(values.AsSpan(0, at)));
        }
    }
}
