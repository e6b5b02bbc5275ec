namespace Cluster.Contracts.Tests;

public sealed class RefusalTallySpecs
{
    private RefusalTally _tally = RefusalTally.Empty;

    private (bool IsTold, long Before) Add(string refusal, double seconds)
    {
        (_tally, var isTold, var before) = _tally.Add(refusal, TimeSpan.FromSeconds(seconds));
        return (isTold, before);
    }

    [Fact]
    public void Same_refusal_is_told_once_in_a_window_and_counted_after_that()
    {
        Assert.Equal((true, 0L), Add("worker-1 is taken", 0));
        Assert.Equal((false, 0L), Add("worker-1 is taken", 1));
        Assert.Equal((true, 0L), Add("worker-2 is taken", 2));
        Assert.Equal((true, 1L), Add("worker-1 is taken", Limits.RefusalWindowSeconds));
    }

    [Fact]
    public void Crowd_of_strangers_is_told_up_to_the_bound_and_counted_beyond_it()
    {
        var told = Enumerable.Range(0, 1000).Count(i => Add($"stranger {i}", i / 1000.0).IsTold);
        Assert.Equal(Limits.ToldRefusals, told);
        Assert.Equal(1000 - Limits.ToldRefusals, _tally.Untold);
        Assert.Equal(Limits.ToldRefusals, _tally.Told.Count);
        Assert.Equal((true, 1000L - Limits.ToldRefusals), Add("stranger 0", 61));
        Assert.Equal(0, _tally.Untold);
    }
}
