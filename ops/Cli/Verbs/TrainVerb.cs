using System.CommandLine;
using System.CommandLine.Parsing;
using Cluster.Cli.Configuration;
using Cluster.Cli.Display;
using Cluster.Contracts;

namespace Cluster.Cli.Verbs;

/// <summary><c>cluster train</c>: all roles in one process.</summary>
internal sealed class TrainVerb : IVerb
{
    private readonly TrainingJob _job;
    private readonly Option<string> _recipe = new("--recipe");
    private readonly Option<bool> _resume = new("--resume");
    private readonly Option<bool> _check = new("--check");
    private readonly Option<string> _log = new("--log");
    private readonly Option<bool> _insecure = new("--insecure");
    private readonly Dictionary<Option<string>, OptionRow> _rows;

    public TrainVerb(TrainingJob job)
    {
        _job = job;
        _rows = OptionTable.Rows.ToDictionary(
            row => new Option<string>(row.Flag, [.. row.Spellings.Skip(1)]) { Arity = row.IsSwitch ? ArgumentArity.ZeroOrOne : ArgumentArity.ExactlyOne, Description = row.Description },
            row => row);
        Command = new Command("train", "Train a model on this machine.") { _recipe, _resume, _check, _log, _insecure };
        foreach (var option in _rows.Keys) Command.Options.Add(option);
    }

    public Command Command { get; }

    public string HelpText => OptionHelp.Train();

    public async Task<int> RunAsync(ParseResult parse, IReadOnlyList<string> mistakes, CancellationToken stop)
    {
        var recipe = parse.GetResult(_recipe)?.Tokens is [{ Value: var name }] ? name : null;
        var log = RowOptions.TextOf(parse, _log);
        mistakes = [.. mistakes, .. LogForm.Mistakes(log)];
        LogForm.Take(log, "coordinator");
        var environment = new ResolveEnvironment();
        var run = parse.GetValue(_resume)
            ? ResumeResolver.Resolve(recipe, Given(parse), mistakes, environment)
            : RunResolver.Resolve(recipe, Given(parse), mistakes, environment);
        if (Nodes.MonitorExposure.Mistake(run.Options.Monitor, parse.GetValue(_insecure)) is { } exposed) throw new UserMistakeException(exposed);
        if (parse.GetValue(_check))
        {
            Console.Out.Write(ConfigWriter.Write(run, new Dictionary<string, string>()));
            return ExitCodes.Done;
        }

        await DataVerb.EnsureAsync(run.Options, stop);
        using var folder = run.Resumes is null ? RunFolder.Create(run) : RunFolder.Resume(run);
        var display = Displays.ForThisProcess(log);
        var summary = await display.ShowAsync(observer => RunSession.RunAsync(_job, run, folder, observer, stop));
        display.Finished(summary, folder.Location);
        return ExitCodes.Done;
    }

    /// <summary>What was given on the command line, as the rows read it; a switch without a value means true.</summary>
    private List<Setting> Given(ParseResult parse)
    {
        var given = new List<Setting>();
        foreach (var (option, row) in _rows)
        {
            if (parse.GetResult(option) is not { Implicit: false } result || result.Errors.Any()) continue;
            var text = result.Tokens.Count == 0 ? "true" : result.Tokens[^1].Value;
            given.Add(new Setting(row, text, $"{row.Flag} {text}", RunResolver.FromCommandLine));
        }
        return given;
    }
}
