using Cluster.Cli.Configuration;

namespace Cluster.Cli.Tests.Configuration;

public sealed class EventKindsSpecs
{
    [Fact]
    public void Kinds_are_told_in_the_documentation_as_they_are_in_the_code()
    {
        var rows = File.ReadAllLines(Repository.PathOf("docs/launch.md"))
            .SkipWhile(static line => line != "| kind | phase | what it tells |").Skip(2).TakeWhile(static line => line.StartsWith('|'));
        Assert.Equal(EventKinds.Table.Select(static row => $"| `{row.Kind}` | {row.Phase} | {row.Meaning} |"), rows);
    }

    [Fact]
    public void Kinds_are_unique_and_an_unknown_one_has_no_phase()
    {
        Assert.Distinct(EventKinds.Table.Select(static row => row.Kind));
        Assert.Null(EventKinds.PhaseOf("something"));
    }
}
