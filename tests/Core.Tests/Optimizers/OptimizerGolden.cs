namespace Cluster.Core.Tests;

/// <summary>Inputs of the golden runs, exact in float32, as the generators in <c>tests/fixtures/optimizers</c> have them, and how answers are compared.</summary>
internal static class OptimizerGolden
{
    public const int Samples = 48, Steps = 100;

    public static double Initial(int i) => (i * 37 % 19 - 9) / 16.0;
    public static double SummedGradient(int i, int step) => ((i * 7919 + step * 104729 + 12345) % 2001 - 1000) / 64.0;
    public static double Rate(int step) => 0.05 / (1 + 0.01 * step);

    /// <summary>The error, relative to the tensor's norm, is at most <paramref name="tolerance"/>.</summary>
    public static void AssertClose(double[] expected, ReadOnlySpan<float> actual, double tolerance, string what)
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
