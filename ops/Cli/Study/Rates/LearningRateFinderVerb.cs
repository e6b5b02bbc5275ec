using System.CommandLine;
using System.Globalization;
using System.Text;
using Cluster.Cli.Configuration;
using Cluster.Cli.Display;
using Cluster.Cli.Hosting;
using Cluster.Cli.Verbs;
using Cluster.Contracts;

namespace Cluster.Cli.Study;

/// <summary><c>cluster study lr-find</c>: which learning rate to begin with.</summary>
internal sealed class LearningRateFinderVerb : IVerb
{
    private const double DefaultLowest = 1e-5, DefaultHighest = 10;
    private const long DefaultSteps = 100, FewestSteps = 10;

    private readonly LearningRateFinder _finder;
    private readonly Option<string> _recipe = new("--recipe");
    private readonly Option<string> _lowest = new("--min-lr");
    private readonly Option<string> _highest = new("--max-lr");
    private readonly RowOptions _rows;

    public LearningRateFinderVerb(TrainingJob job)
    {
        _finder = new LearningRateFinder(job);
        Command = new Command("lr-find", "Try rising learning rates and suggest one.") { _recipe, _lowest, _highest };
        _rows = new RowOptions(Command, OptionTable.Rows);
    }

    public Command Command { get; }

    public string HelpText => "cluster study lr-find [--recipe NAME] [--min-lr X] [--max-lr X] [--steps N] [--out DIR] [options]";

    public async Task<int> RunAsync(ParseResult parse, IReadOnlyList<string> mistakes, CancellationToken stop)
    {
        var found = new List<string>(mistakes);
        var given = _rows.Given(parse);
        var plan = new RangePlan(Rate(parse, _lowest, DefaultLowest, found), Rate(parse, _highest, DefaultHighest, found), Steps(given, found));
        if (plan.Highest <= plan.Lowest) found.Add($"--max-lr {OptionRow.Number(plan.Highest)} must be above --min-lr {OptionRow.Number(plan.Lowest)}");
        foreach (var setting in given.Where(static s => s.Row.Key.StartsWith("schedule.", StringComparison.Ordinal) || s.Row.Key.StartsWith("early-stopping.", StringComparison.Ordinal)))
            found.Add($"{setting.Place}: lr-find sets the rates itself, from --min-lr to --max-lr; leave it out");

        var folder = Path.GetFullPath(given.LastOrDefault(static s => s.Row.Key == "out")?.Text ?? Path.Combine("runs", $"lr-find-{DateTimeOffset.Now.ToString("yyyyMMdd-HHmmss", CultureInfo.InvariantCulture)}"));
        if (File.Exists(Path.Combine(folder, RunFolder.ConfigName))) found.Add($"--out {folder}: the folder holds a run; nothing was touched, choose another folder");
        var at = Path.Combine(folder, "run");
        given = [.. given.Where(static s => s.Row.Key is not ("out" or "steps")), new Setting(OptionTable.ByKey("out")!, at, "--out " + folder, RunResolver.FromCommandLine)];
        var run = RunResolver.Resolve(RowOptions.TextOf(parse, _recipe), given, found, new ResolveEnvironment());
        run = run with { Options = plan.OptionsOf(run.Options) };

        await DataVerb.EnsureAsync(run.Options, stop);
        var test = new RangeTest();
        var display = Displays.ForThisProcess();
        await display.ShowAsync(async observer =>
        {
            test = await _finder.RunAsync(run, observer, stop);
            return new TrainingSummary(test.Points.Length, 0, "", 0, double.NaN, null, TimeSpan.Zero);
        });
        StudyFolder.Replace(Path.Combine(folder, RangeFiles.CsvName), Encoding.UTF8.GetBytes(RangeFiles.Csv(test)));
        StudyFolder.Replace(Path.Combine(folder, RangeFiles.JsonName), RangeFiles.Json(test, run.Options));
        StudyFolder.Replace(Path.Combine(folder, RangeFiles.PageName), Encoding.UTF8.GetBytes(RangePage.Write(test, run.Options)));
        Console.Out.WriteLine($"{folder} has {RangeFiles.CsvName}, {RangeFiles.JsonName} and {RangeFiles.PageName}");
        Console.Out.WriteLine(test.Sentence);
        return ExitCodes.Done;
    }

    private static double Rate(ParseResult parse, Option<string> option, double otherwise, List<string> mistakes)
    {
        if (RowOptions.TextOf(parse, option) is not { } text) return otherwise;
        if (double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var rate) && double.IsFinite(rate) && rate > 0) return rate;
        mistakes.Add($"{option.Name} {text}: must be a number above 0");
        return otherwise;
    }

    private static long Steps(List<Setting> given, List<string> mistakes)
    {
        if (given.LastOrDefault(static s => s.Row.Key == "steps")?.Text is not { } text) return DefaultSteps;
        if (long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var steps) && steps >= FewestSteps) return steps;
        mistakes.Add($"--steps {text}: a range test needs at least {FewestSteps}");
        return DefaultSteps;
    }
}
