using Cluster.Cli.Nodes;

namespace Cluster.Cli.Tests.Nodes;

public sealed class PauseWatchSpecs
{
    [Theory]
    [InlineData(100, null)]
    [InlineData(900, null)]
    [InlineData(2_100, "The coordinator stood still for 2.0 s")]
    public void Gap_of_a_second_and_more_between_two_looks_is_a_pause(int milliseconds, string? beginning)
    {
        var sentence = PauseWatch.SentenceOf(TimeSpan.FromMilliseconds(milliseconds));
        Assert.Equal(beginning, sentence?[..(beginning?.Length ?? 0)]);
    }
}
