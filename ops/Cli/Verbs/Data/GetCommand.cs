using System.CommandLine;
using Cluster.Cli.Display;
using Cluster.Workers.Data;

namespace Cluster.Cli.Verbs.Data;

/// <summary><c>cluster data get</c>: downloads a set.</summary>
internal sealed class GetCommand : IDataCommand
{
    private readonly Argument<string?> _name = new("name") { Arity = ArgumentArity.ZeroOrOne };

    public GetCommand() => Command = new Command("get", "Download a data set.") { _name };

    public Command Command { get; }

    public IReadOnlyList<(string Usage, string Meaning)> Help { get; } =
        [("cluster data get cifar10[:DIR]", "Download CIFAR-10 into the cache folder, or into DIR. What is already right is kept.")];

    public async Task<int> RunAsync(ParseResult parse, CancellationToken stop)
    {
        var spec = DataSpec.Parse(parse.GetValue(_name), "get", ["cifar10"]);
        var folder = await DownloadDisplay.ShowAsync(progress => Cifar10Source.GetAsync(spec.Folder, progress, stop));
        Console.Out.WriteLine($"cifar10 is in {folder}");
        return ExitCodes.Done;
    }
}
