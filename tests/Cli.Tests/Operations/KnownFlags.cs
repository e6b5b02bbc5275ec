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
        // Certificates are an option of every node.
        known.Add("--tls");
        foreach (var flag in words.Skip(1).Where(static word => word.StartsWith("--", StringComparison.Ordinal)))
            Xunit.Assert.True(known.Contains(flag.Split('=')[0]), $"{where}: '{words[0]}' does not know {flag}");
    }
}
