using System.CommandLine;
using System.Text;
using Cluster.Cli.Configuration;
using Cluster.Contracts;

namespace Cluster.Cli.Verbs;

/// <summary><c>cluster version</c>.</summary>
internal sealed class VersionVerb : IVerb
{
    public static string Line => $"cluster {ProgramVersion.Text} (.NET {Environment.Version})";

    public Command Command { get; } = new("version", "Print the version.");

    public string HelpText => "cluster version\n\nPrints the version of cluster and of .NET.";

    public Task<int> RunAsync(ParseResult parse, IReadOnlyList<string> mistakes, CancellationToken stop)
    {
        HelpVerb.Refuse(mistakes);
        Console.Out.WriteLine(Line);
        return Task.FromResult(ExitCodes.Done);
    }
}

/// <summary><c>cluster help [VERB]</c>.</summary>
internal sealed class HelpVerb : IVerb
{
    private readonly IReadOnlyList<IVerb> _verbs;
    private readonly Argument<string?> _verb = new("verb") { Arity = ArgumentArity.ZeroOrOne };
    private readonly Option<bool> _markdown = new("--markdown") { Hidden = true };
    private readonly Option<bool> _telemetry = new("--telemetry") { Hidden = true };

    public HelpVerb(IReadOnlyList<IVerb> verbs)
    {
        _verbs = verbs;
        Command = new Command("help", "Explain a verb.") { _verb, _markdown, _telemetry };
    }

    public Command Command { get; }

    public string HelpText => Overview(_verbs);

    public Task<int> RunAsync(ParseResult parse, IReadOnlyList<string> mistakes, CancellationToken stop)
    {
        Refuse(mistakes);
        if (parse.GetValue(_markdown))
        {
            Console.Out.Write(OptionHelp.Markdown());
            return Task.FromResult(ExitCodes.Done);
        }
        if (parse.GetValue(_telemetry))
        {
            Console.Out.Write(Telemetry.TelemetryHelp.Markdown());
            return Task.FromResult(ExitCodes.Done);
        }
        var name = parse.GetValue(_verb);
        var verb = _verbs.FirstOrDefault(known => known.Command.Name == name);
        if (name is not null && verb is null)
            throw new UserMistakeException($"unknown verb {name}{NearestName.Hint(name, [.. _verbs.Select(known => known.Command.Name)])}");
        Console.Out.WriteLine((verb?.HelpText ?? Overview(_verbs)).TrimEnd());
        return Task.FromResult(ExitCodes.Done);
    }

    public static string Overview(IReadOnlyList<IVerb> verbs)
    {
        var text = new StringBuilder("cluster: data-parallel training with bit-for-bit the same result for any number of workers.\n\n");
        foreach (var verb in verbs) text.Append($"  cluster {verb.Command.Name,-10} {verb.Command.Description}\n");
        text.Append("  ./cluster test     Build everything and run the whole test suite (the script does this).\n");
        text.Append("\n'cluster help VERB' explains a verb. Exit codes: 0 done, 1 failed, 2 bad arguments or data, 130 interrupted.\n");
        return text.ToString();
    }

    /// <exception cref="UserMistakeException">There is a mistake.</exception>
    public static void Refuse(IReadOnlyList<string> mistakes)
    {
        if (mistakes.Count > 0) throw new UserMistakeException(string.Join('\n', mistakes));
    }
}
