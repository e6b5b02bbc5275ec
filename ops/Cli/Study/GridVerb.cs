using System.CommandLine;
using System.Globalization;
using Cluster.Cli.Configuration;
using Cluster.Cli.Hosting;
using Cluster.Cli.Verbs;
using Cluster.Contracts;

namespace Cluster.Cli.Study;

/// <summary><c>cluster study NAME</c>: one of <see cref="Studies"/> on the command line.</summary>
internal sealed class GridVerb : IVerb
{
    private readonly StudyDefinition _study;
    private readonly TrainingJob _job;
    private readonly Option<double?> _minutes = new("--minutes") { Description = "Time for the whole study." };
    private readonly Option<string> _models = new("--models") { Description = "Architectures, separated by commas." };
    private readonly Option<string> _variants = new("--variants") { Description = "What is compared, separated by commas." };
    private readonly RowOptions _rows;

    public GridVerb(StudyDefinition study, TrainingJob job)
    {
        (_study, _job) = (study, job);
        Command = new Command(study.Name, $"Compare {string.Join(", ", study.Variants.Select(static variant => variant.Name))}.") { _minutes, _models, _variants };
        _rows = new RowOptions(Command, OptionTable.Rows);
    }

    public Command Command { get; }

    public string HelpText => $"cluster study {_study.Name} [--minutes M | --steps N | --epochs N] [--data NAME[:DIR]] [--out DIR] [options]";

    public async Task<int> RunAsync(ParseResult parse, IReadOnlyList<string> mistakes, CancellationToken stop)
    {
        var command = new StudyCommand(_study, parse.GetResult(_minutes) is { Errors: var errors } && errors.Any() ? null : parse.GetValue(_minutes), Names(parse, _models), Names(parse, _variants), _rows.Given(parse));
        HelpVerb.Refuse(command.Mistakes(mistakes));
        var folder = FolderOf(command);
        var display = StudyDisplay.ForThisProcess();
        var state = await new StudyRunner(command, _job, EvaluateAsync, display).RunAsync(folder, stop);
        display.Say($"{state.Done} cells, {state.Ended.Count(static ended => ended.Outcome.Failure is not null)} of them diverged; {folder} has {StudyFolder.CsvName}, {StudyFolder.JsonName} and {StudyFolder.PageName}");
        return ExitCodes.Done;
    }

    private string FolderOf(StudyCommand command)
    {
        var given = command.Given.LastOrDefault(static setting => setting.Row.Key == "out")?.Text;
        return Path.GetFullPath(given ?? Path.Combine("runs", $"study-{_study.Name}-{DateTimeOffset.Now.ToString("yyyyMMdd-HHmmss", CultureInfo.InvariantCulture)}"));
    }

    private static List<string>? Names(ParseResult parse, Option<string> option) =>
        RowOptions.TextOf(parse, option)?.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries).ToList();

    private static async Task<EvaluationResult> EvaluateAsync(RunOptions options, string folder, CancellationToken stop)
    {
        var report = await LocalEvaluation.RunAsync(options, folder, last: false, static _ => { }, stop);
        return new EvaluationResult(report.Totals.Version.Value, report.Totals.Loss, report.Totals.Accuracy, report.Totals.Top5, report.Totals.Samples);
    }
}
