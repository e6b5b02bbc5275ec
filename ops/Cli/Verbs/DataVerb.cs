using System.CommandLine;
using Cluster.Cli.Display;
using Cluster.Cli.Verbs.Data;
using Cluster.Contracts;
using Cluster.Workers.Data;

namespace Cluster.Cli.Verbs;

/// <summary><c>cluster data</c>: its sub-verbs, each a class of its own.</summary>
internal sealed class DataVerb : IVerb
{
    private readonly IReadOnlyList<IDataCommand> _commands = [new GetCommand(), new CheckCommand(), new PackCommand()];

    public DataVerb()
    {
        Command = new Command("data", "Get, check or pack a data set.");
        foreach (var command in _commands) Command.Subcommands.Add(command.Command);
    }

    public Command Command { get; }

    public string HelpText
    {
        get
        {
            var rows = _commands.SelectMany(static command => command.Help).ToList();
            var width = rows.Max(static row => row.Usage.Length) + 2;
            return $"""
                {string.Join('\n', rows.Select(row => row.Usage.PadRight(width) + row.Meaning))}

                The cache folder is $CLUSTER_CACHE, else $XDG_CACHE_HOME/cluster, else ~/.cache/cluster; now: {CacheFolder.Default()}
                'cluster train' gets what it needs by itself, and makes the index of a folder when it has none.
                """;
        }
    }

    public async Task<int> RunAsync(ParseResult parse, IReadOnlyList<string> mistakes, CancellationToken stop)
    {
        var verb = parse.CommandResult.Command;
        if (verb == Command)
        {
            HelpVerb.Refuse([.. mistakes.Where(mistake => mistake.StartsWith("unknown", StringComparison.Ordinal))]);
            var word = parse.UnmatchedTokens is [var first, ..] ? first : null;
            throw new UserMistakeException(word is null
                ? "data needs to know what to do: cluster data get cifar10, or cluster data check cifar10"
                : $"data cannot {word}{NearestName.Hint(word, [.. _commands.Select(static command => command.Command.Name)])}");
        }
        HelpVerb.Refuse(mistakes);
        return await _commands.First(command => command.Command == verb).RunAsync(parse, stop);
    }

    /// <summary>Downloads or indexes what a run needs and does not find; nothing when it is there.</summary>
    public static async Task EnsureAsync(RunOptions options, CancellationToken stop)
    {
        if (!Datasets.NeedsPreparation(options.Data)) return;
        await DownloadDisplay.ShowAsync(async progress =>
        {
            await Datasets.PrepareAsync(options.Data, progress: progress, cancellation: stop);
            return true;
        });
    }
}
