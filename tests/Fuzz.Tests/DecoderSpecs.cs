using Cluster.Cli.Bench.Fuzz;

namespace Cluster.Fuzz.Tests;

/// <summary>
/// Every decoder that faces a network or a file from elsewhere, against inputs that a fixed seed damages. The million is
/// <c>cluster bench fuzz --cases 1000000</c>; these are as many as take some seconds.
/// </summary>
public sealed class DecoderSpecs
{
    /// <summary>Of all decoders together; each gets a share, and its samples in any case.</summary>
    private const long Cases = 60_000;

    private const ulong Seed = 20_261_122;

    public static TheoryData<string> Names => [.. FuzzTargets.All.Select(static target => target.Name)];

    [Theory]
    [MemberData(nameof(Names))]
    public void Damaged_input_is_answered_or_refused_with_a_typed_error_in_bounded_time_and_memory(string name)
    {
        var target = FuzzTargets.All.Single(t => t.Name == name);
        var cases = Math.Max(target.Samples().Count + 20, FuzzTargets.ShareOf(target, FuzzTargets.All, Cases));
        var outcome = new FuzzRunner(target, Seed).Run(0, cases, TestContext.Current.CancellationToken);
        Assert.True(outcome.Failure is null, outcome.Failure);
        Assert.Equal(cases, outcome.Cases);
        // The samples are taken, so the decoder is reached; and damage is refused, so it looks.
        Assert.True(outcome.Taken >= target.Samples().Count, $"{outcome.Taken} of {outcome.Cases} taken");
    }

    [Fact]
    public void Names_are_different_and_every_decoder_has_samples()
    {
        Assert.Distinct(FuzzTargets.All.Select(static t => t.Name));
        Assert.True(FuzzTargets.All.Count >= 40, $"only {FuzzTargets.All.Count} decoders");
        Assert.All(FuzzTargets.All, static target => Assert.NotEmpty(target.Samples()));
    }
}
