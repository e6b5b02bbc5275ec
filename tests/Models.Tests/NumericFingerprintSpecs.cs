using Cluster.Engine;

namespace Cluster.Models.Tests;

public sealed class NumericFingerprintSpecs
{
    [Fact]
    public void Fingerprint_is_equal_for_two_engines_and_puts_the_loaded_state_back()
    {
        using var problem = Problem.WithSmallCnn(2);
        using var other = new GradientEngine(Problem.SmallCnn);
        var before = problem.Leaf();

        var first = NumericFingerprint.Of(problem.Engine, samples: 4);
        var second = NumericFingerprint.Of(other, samples: 4);

        Assert.Equal(first, second);
        Assert.Equal(64, first.Sha256.Length);
        Assert.Equal("", first.DifferencesFrom(second));
        Assert.Equal(before.Node, problem.Leaf().Node);
        Assert.False(other.HasState);
    }

    [Fact]
    public void Fingerprint_differs_when_the_arithmetic_does_and_names_the_difference()
    {
        using var one = new GradientEngine(Problem.SmallCnn);
        using var smoothed = new GradientEngine(Problem.SmallCnn with { ChannelsLast = false, Loss = new() { LabelSmoothing = 0.1 } });

        var (first, second) = (NumericFingerprint.Of(one, samples: 4), NumericFingerprint.Of(smoothed, samples: 4));

        Assert.NotEqual(first.Sha256, second.Sha256);
        Assert.Equal("channels-last True against False", first.DifferencesFrom(second));
        Assert.NotEmpty(first.LibTorch);
        Assert.NotEmpty(first.CpuCapability);
    }
}
