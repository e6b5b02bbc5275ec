using System.CommandLine;
using Cluster.Contracts;

namespace Cluster.Cli.Verbs.Data;

/// <summary>One sub-verb of <c>cluster data</c>.</summary>
internal interface IDataCommand
{
    /// <summary>Name, options and arguments.</summary>
    Command Command { get; }

    /// <summary>Lines of <c>cluster help data</c>: what to type, and what it does.</summary>
    IReadOnlyList<(string Usage, string Meaning)> Help { get; }

    /// <returns>The process's exit code.</returns>
    /// <exception cref="UserMistakeException">The arguments are wrong, or the data are.</exception>
    Task<int> RunAsync(ParseResult parse, CancellationToken stop);
}
