using System.CommandLine;
using System.CommandLine.Parsing;
using Cluster.Cli.Configuration;
using Cluster.Cli.Hosting;
using Cluster.Contracts;

namespace Cluster.Cli.Verbs;

/// <summary>Performs a checked run in its claimed folder; the composition of actors lies behind it.</summary>
/// <returns>What the run left behind.</returns>
/// <exception cref="ClusterException">It failed, or <paramref name="stop"/> was triggered and the open step is finished.</exception>
public delegate Task<TrainingSummary> TrainingJob(ResolvedRun run, RunFolder folder, ITrainingObserver observer, CancellationToken stop);

/// <summary>All verbs, and the way from arguments to an exit code.</summary>
public sealed class CommandLine
{
    private readonly List<IVerb> _verbs;
    private readonly RootCommand _root = new("Data-parallel training with bit-for-bit the same result for any number of workers.");
    private readonly Option<bool> _help = new("--help", "-h", "-?") { Recursive = true };
    private readonly Option<bool> _version = new("--version");

    /// <param name="train">What <c>train</c> runs.</param>
    public CommandLine(TrainingJob train)
    {
        _verbs = [new TrainVerb(train), new LaunchVerb(), new NodeVerb(), new CertsVerb(), new ProxyVerb(), new EvalVerb(), new ImportVerb(), new ExportVerb(), new DataVerb(), new AuditVerb(), new TraceVerb(), new ReportVerb(), new ChaosVerb(), new StudyVerb(train), new BenchVerb(Bench.BenchmarkRegistry.All), new RunsVerb(), new RecipesVerb(), new VersionVerb()];
        _verbs.Add(new HelpVerb(_verbs));

        // Our own help and version: the built-in ones know neither units nor the option table's groups.
        _root.Options.Clear();
        _root.Directives.Clear();
        _root.Options.Add(_help);
        _root.Options.Add(_version);
        foreach (var verb in _verbs) _root.Subcommands.Add(verb.Command);
        AllowUnmatched(_root);
    }

    /// <summary>Runs the verb that the arguments name.</summary>
    /// <exception cref="UserMistakeException">The arguments are wrong.</exception>
    /// <exception cref="OperationCanceledException"><paramref name="stop"/> was triggered.</exception>
    public async Task<int> RunAsync(IReadOnlyList<string> arguments, CancellationToken stop)
    {
        var parse = _root.Parse(arguments, new ParserConfiguration { ResponseFileTokenReplacer = null, EnablePosixBundling = false });
        var verb = VerbOf(parse.CommandResult);
        if (parse.GetValue(_version) || (arguments.Count == 1 && arguments[0] == "--version")) return Say(VersionVerb.Line);
        if (parse.GetValue(_help)) return Say(verb?.HelpText ?? HelpVerb.Overview(_verbs));
        if (verb is null)
        {
            if (parse.UnmatchedTokens.Count == 0) return Say(HelpVerb.Overview(_verbs));
            var word = parse.UnmatchedTokens[0];
            var kind = word.StartsWith('-') ? "option" : "verb";
            throw new UserMistakeException($"unknown {kind} {word}{NearestName.Hint(word, [.. _verbs.Select(known => known.Command.Name)])} 'cluster help' shows the verbs");
        }
        return await verb.RunAsync(parse, Mistakes(parse), stop);
    }

    private static int Say(string text)
    {
        Console.Out.WriteLine(text.TrimEnd());
        return ExitCodes.Done;
    }

    private IVerb? VerbOf(CommandResult result)
    {
        for (SymbolResult? at = result; at is not null; at = at.Parent)
        {
            if (at is CommandResult { Command: var command } && _verbs.FirstOrDefault(verb => verb.Command == command) is { } verb) return verb;
        }
        return null;
    }

    /// <summary>Unknown options with the name that was probably meant, then what the parser itself found.</summary>
    private static List<string> Mistakes(ParseResult parse)
    {
        var flags = parse.CommandResult.Command.Options.Where(option => !option.Hidden).SelectMany(option => option.Aliases.Prepend(option.Name)).ToList();
        var mistakes = new List<string>();
        var previousWasUnknownOption = false;
        foreach (var token in parse.UnmatchedTokens)
        {
            var isOption = token.StartsWith('-');
            var name = token.Split('=')[0];
            if (isOption) mistakes.Add($"unknown option {name}{Suggested(name, flags, parse.CommandResult.Command.Name)}");
            else if (!previousWasUnknownOption) mistakes.Add($"{token} is not expected here: options begin with --");
            // The word after an unknown option is most likely its value: one mistake, not two.
            previousWasUnknownOption = isOption && !token.Contains('=');
        }
        mistakes.AddRange(parse.Errors.Select(error => error.Message.ReplaceLineEndings(" ")));
        return mistakes;
    }

    private static string Suggested(string name, List<string> flags, string verb) =>
        NearestName.Of(name, flags) is { } nearest ? $"; did you mean {nearest}?" : $"; 'cluster help {verb}' lists them";

    private static void AllowUnmatched(Command command)
    {
        command.TreatUnmatchedTokensAsErrors = false;
        foreach (var inner in command.Subcommands) AllowUnmatched(inner);
    }
}
