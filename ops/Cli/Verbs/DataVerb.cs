using System.CommandLine;
using Cluster.Cli.Configuration;
using Cluster.Cli.Display;
using Cluster.Contracts;
using Cluster.Workers.Data;

namespace Cluster.Cli.Verbs;

/// <summary><c>cluster data get|check</c>.</summary>
internal sealed class DataVerb : IVerb
{
    private readonly Argument<string?> _getName = new("name") { Arity = ArgumentArity.ZeroOrOne };
    private readonly Argument<string?> _checkName = new("name") { Arity = ArgumentArity.ZeroOrOne };
    private readonly Command _get;
    private readonly Command _check;

    public DataVerb()
    {
        _get = new Command("get", "Download a data set.") { _getName };
        _check = new Command("check", "Read a data set's files and compare their checksums.") { _checkName };
        Command = new Command("data", "Get or check a data set.") { _get, _check };
    }

    public Command Command { get; }

    public string HelpText =>
        $"""
        cluster data get cifar10[:DIR]     Download CIFAR-10 into the cache folder, or into DIR. What is already right is kept.
        cluster data check cifar10[:DIR]   Read every file again and compare its size and checksum.

        The cache folder is $CLUSTER_CACHE, else $XDG_CACHE_HOME/cluster, else ~/.cache/cluster; now: {CacheFolder.Default()}
        'cluster train' gets what it needs by itself.
        """;

    public async Task<int> RunAsync(ParseResult parse, IReadOnlyList<string> mistakes, CancellationToken stop)
    {
        var verb = parse.CommandResult.Command;
        if (verb == Command)
        {
            HelpVerb.Refuse([.. mistakes.Where(mistake => mistake.StartsWith("unknown", StringComparison.Ordinal))]);
            var word = parse.UnmatchedTokens is [var first, ..] ? first : null;
            throw new UserMistakeException(word is null
                ? "data needs to know what to do: cluster data get cifar10, or cluster data check cifar10"
                : $"data cannot {word}{NearestName.Hint(word, ["get", "check"])}");
        }
        HelpVerb.Refuse(mistakes);
        if (verb == _get)
        {
            var folder = await GetAsync(FolderOf(parse.GetValue(_getName)), stop);
            Console.Out.WriteLine($"cifar10 is in {folder}");
            return ExitCodes.Done;
        }
        return Check(FolderOf(parse.GetValue(_checkName)));
    }

    /// <summary>Downloads what a run needs and does not find; nothing when it is there.</summary>
    public static async Task EnsureAsync(RunOptions options, CancellationToken stop)
    {
        if (!Datasets.NeedsDownload(options.Data)) return;
        await GetAsync(folder: null, stop);
    }

    private static Task<string> GetAsync(string? folder, CancellationToken stop) =>
        DownloadDisplay.ShowAsync(progress => Cifar10Source.GetAsync(folder, progress, stop));

    private static int Check(string? folder)
    {
        var findings = Cifar10Source.Check(folder);
        var faults = findings.Where(finding => finding.Fault is not null).ToList();
        foreach (var sound in findings.Except(faults)) Console.Out.WriteLine($"ok  {sound.Path}");
        if (faults.Count > 0) throw new UserMistakeException(string.Join('\n', faults.Select(finding => finding.Fault)));
        return ExitCodes.Done;
    }

    /// <summary>The folder behind the colon, null for the cache folder.</summary>
    private static string? FolderOf(string? name)
    {
        if (name is null) throw new UserMistakeException("which data set? write cifar10, or cifar10:DIR");
        var colon = name.IndexOf(':');
        var set = colon < 0 ? name : name[..colon];
        if (set == "synthetic") throw new UserMistakeException("synthetic is computed from the seed: there is nothing to download or to check");
        if (set != "cifar10") throw new UserMistakeException($"unknown data set {set}{NearestName.Hint(set, ["cifar10"])}");
        if (colon < 0) return null;
        return colon + 1 < name.Length ? Path.GetFullPath(name[(colon + 1)..]) : throw new UserMistakeException($"{name} names no folder after the colon; write cifar10 or cifar10:DIR");
    }
}
