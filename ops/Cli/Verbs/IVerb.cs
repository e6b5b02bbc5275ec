using System.CommandLine;

namespace Cluster.Cli.Verbs;

/// <summary>One verb of the command line. System.CommandLine parses; the verb decides and acts.</summary>
internal interface IVerb
{
    /// <summary>Names, options and arguments; added to the root.</summary>
    Command Command { get; }

    /// <summary>Shown by <c>cluster help VERB</c>.</summary>
    string HelpText { get; }

    /// <param name="mistakes">What is wrong with the command line so far, one line each.</param>
    /// <returns>The process's exit code.</returns>
    Task<int> RunAsync(ParseResult parse, IReadOnlyList<string> mistakes, CancellationToken stop);
}
