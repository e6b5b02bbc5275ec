using System.Text.RegularExpressions;
using Cluster.Cli.Configuration;

namespace Cluster.Cli.Tests.Configuration;

public sealed partial class EventKindsSpecs
{
    [Fact]
    public void Kinds_are_told_in_the_documentation_as_they_are_in_the_code()
    {
        var rows = File.ReadAllLines(Repository.PathOf("docs/launch.md"))
            .SkipWhile(static line => line != "| kind | phase | what it tells |").Skip(2).TakeWhile(static line => line.StartsWith('|'));
        Assert.Equal(EventKinds.Table.Select(static row => $"| `{row.Kind}` | {row.Phase} | {row.Meaning} |"), rows);
    }

    /// <summary>Found by the calls that write or say an event: a new kind without a row fails here.</summary>
    [Fact]
    public void Kinds_that_the_code_says_are_in_the_table()
    {
        var said = ((string[])["Coordinator", "ops/Cli"]).Select(Repository.PathOf)
            .SelectMany(static folder => Directory.EnumerateFiles(folder, "*.cs", SearchOption.AllDirectories))
            .Select(File.ReadAllText)
            .SelectMany(static text => Call().Matches(text))
            .Select(static call => call.Groups["call"].Value == "Wait" ? call.Groups["kind"].Value + "-waits" : call.Groups["kind"].Value)
            .Distinct().ToList();
        Assert.Contains("worker-lost", said);
        Assert.Contains("commit-waits", said);
        Assert.Contains("took-over", said);
        Assert.Contains("process-started", said);
        Assert.Empty(said.Except(EventKinds.Table.Select(static row => row.Kind)));
    }

    [GeneratedRegex("""((?<call>Say|Said|say|Append|Happened|Wait)\("(?<kind>[a-z-]+)", |(?<call>=> )\("(?<kind>[a-z-]+)", \$")""", RegexOptions.ExplicitCapture)]
    private static partial Regex Call();

    [Fact]
    public void Kinds_are_unique_and_an_unknown_one_has_no_phase()
    {
        Assert.Distinct(EventKinds.Table.Select(static row => row.Kind));
        Assert.Null(EventKinds.PhaseOf("something"));
    }
}
