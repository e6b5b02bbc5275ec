using System.CommandLine;
using Cluster.Cli.Configuration;
using Cluster.Cli.Verbs;

namespace Cluster.Cli.Tests.Operations;

/// <summary>Command lines in files of ops/ against the verbs that take them: a flag that the program does not know fails.</summary>
internal static class KnownFlags
{
    /// <param name="words">Behind the program's name: the verb first.</param>
    public static void Assert(IReadOnlyList<string> words, string where)
    {
        Command verb = words[0] switch
        {
            "node" => new NodeVerb().Command,
            "launch" => new LaunchVerb().Command,
            _ => throw new InvalidOperationException($"{where}: no test knows the verb {words[0]}"),
        };
        var known = verb.Options.SelectMany(static option => option.Aliases.Prepend(option.Name)).ToHashSet(StringComparer.Ordinal);
        foreach (var flag in words.Skip(1).Where(static word => word.StartsWith("--", StringComparison.Ordinal)))
            Xunit.Assert.True(known.Contains(flag.Split('=')[0]), $"{where}: '{words[0]}' does not know {flag}");
        // A page that others can reach is not encrypted, and the program wants to hear that this is meant.
        if (words.Any(static word => word.StartsWith("--monitor=0.0.0.0:", StringComparison.Ordinal))) Xunit.Assert.Contains("--insecure", words);
    }
}
