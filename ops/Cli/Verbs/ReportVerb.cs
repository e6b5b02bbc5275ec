using System.CommandLine;
using Cluster.Cli.Report;
using Cluster.Contracts;

namespace Cluster.Cli.Verbs;

/// <summary><c>cluster report RUN</c>: report.html, from what lies in the run's folder.</summary>
internal sealed class ReportVerb : IVerb
{
    private readonly Argument<string?> _folder = new("folder") { Arity = ArgumentArity.ZeroOrOne };
    private readonly Option<string> _out = new("--out") { Description = "Where the page goes; unset: report.html in the run's folder." };

    public ReportVerb() => Command = new Command("report", "Make a page about a run: curves, classes, phases, workers, faults.") { _folder, _out };

    public Command Command { get; }

    public string HelpText =>
        """
        cluster report RUN [--out FILE]

        Makes report.html of the run in the folder RUN: what ran, result, curves, accuracy per class and confusion matrix of the last
        evaluation, time per phase, throughput per worker, faults and events, checkpoints. The page asks for nothing else: one file
        that opens anywhere. Every run makes it when it ends; this makes it anew, from the folder alone, also of a run that was
        killed or still goes on.

          --out FILE    Where the page goes; unset: report.html in RUN, or run.html where 'cluster chaos' has made its own report.html.

        Exit codes: 0 done, 2 RUN is no run, or FILE cannot be written.
        """;

    public Task<int> RunAsync(ParseResult parse, IReadOnlyList<string> mistakes, CancellationToken stop)
    {
        HelpVerb.Refuse(mistakes);
        var folder = parse.GetValue(_folder) ?? throw new UserMistakeException("cluster report needs the folder of a run: cluster report runs/NAME ('cluster runs' lists them)");
        var given = RowOptions.TextOf(parse, _out);
        if (given is not null && Directory.Exists(given)) throw new UserMistakeException($"--out {given} is a folder: give the name of a file");
        var path = given ?? RunReport.PathIn(Directory.Exists(folder) ? folder : Path.GetDirectoryName(folder) ?? ".");
        var run = RunReport.Make(folder, path);
        if (run.Commits.Trouble is { } trouble) Console.Error.WriteLine($"cluster: {trouble}");
        Console.Out.WriteLine(path);
        return Task.FromResult(ExitCodes.Done);
    }
}
