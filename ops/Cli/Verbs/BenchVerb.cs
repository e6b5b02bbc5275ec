using System.CommandLine;
using System.Text;
using Cluster.Cli.Bench;
using Cluster.Cli.Configuration;
using Cluster.Contracts;

namespace Cluster.Cli.Verbs;

/// <summary><c>cluster bench NAME</c>: measures on this machine, prints a table, writes JSON.</summary>
internal sealed class BenchVerb : IVerb
{
    private const string ToStandardOutput = "-";

    private readonly IReadOnlyList<IBenchmark> _benchmarks;
    private readonly Dictionary<Command, IBenchmark> _byCommand = [];
    private readonly Dictionary<Command, Dictionary<Option<string>, BenchmarkFlag>> _flags = [];
    private readonly Dictionary<Command, Option<string>> _json = [];

    public BenchVerb(IReadOnlyList<IBenchmark> benchmarks)
    {
        _benchmarks = benchmarks;
        Command = new Command("bench", "Measure this machine, and us against PyTorch.");
        foreach (var benchmark in benchmarks)
        {
            var command = new Command(benchmark.Name, benchmark.Description);
            _byCommand[command] = benchmark;
            _flags[command] = benchmark.Flags.ToDictionary(static flag => new Option<string>(flag.Name) { Description = flag.Meaning });
            _json[command] = new Option<string>("--json") { Description = "Write the report as one JSON object." };
            command.Options.Add(_json[command]);
            foreach (var option in _flags[command].Keys) command.Options.Add(option);
            Command.Subcommands.Add(command);
        }
    }

    public Command Command { get; }

    public string HelpText
    {
        get
        {
            var text = new StringBuilder("cluster bench NAME [options]\n\nMeasures on this machine. Nothing else should run meanwhile: the load at the start is part of the report.\n");
            text.Append("Every figure has its unit, n, median, minimum and maximum; a bound, where one is set, is held against the median.\n");
            foreach (var benchmark in _benchmarks)
            {
                text.Append($"\ncluster bench {benchmark.Name}: {benchmark.Description}\n");
                if (benchmark.Details.Length > 0) text.Append("  ").Append(benchmark.Details.Replace("\n", "\n  ", StringComparison.Ordinal)).Append('\n');
                foreach (var flag in benchmark.Flags)
                {
                    var value = flag.Read(benchmark.Defaults);
                    text.Append($"    {flag.Name + " " + flag.ValueName,-20}{flag.Meaning}{(value.Length == 0 ? "" : $" [default {value}]")}\n");
                }
            }
            text.Append($"\n    {"--json FILE",-20}Of each: write the report as one JSON object into FILE; with - to standard output, instead of the table.\n");
            return text.ToString();
        }
    }

    public async Task<int> RunAsync(ParseResult parse, IReadOnlyList<string> mistakes, CancellationToken stop)
    {
        var command = parse.CommandResult.Command;
        if (!_byCommand.TryGetValue(command, out var benchmark)) throw Unnamed(parse, mistakes);
        var found = new List<string>(mistakes);
        var options = Options(parse, _flags[command], benchmark.Defaults, found);
        var json = RowOptions.TextOf(parse, _json[command]);
        if (json is { Length: 0 }) found.Add("--json needs a file, or - for standard output");
        else if (json is not null and not ToStandardOutput && Path.GetDirectoryName(Path.GetFullPath(json)) is { } parent && !Directory.Exists(parent))
            found.Add($"--json {json}: there is no folder {parent}");
        else if (json is not null && Directory.Exists(json)) found.Add($"--json {json} is a folder: name a file");
        HelpVerb.Refuse(found);

        // Before the measurement, which would itself raise the load.
        var machine = MachineFacts.Read();
        var date = DateTimeOffset.UtcNow;
        var report = await benchmark.RunAsync(options with { Progress = static line => Console.Error.WriteLine($"cluster: {line}") }, stop);
        var versions = new Dictionary<string, string> { ["cluster"] = ProgramVersion.Text, [".NET"] = $"{Environment.Version}" };
        foreach (var (name, version) in report.Versions) versions[name] = version;
        if (json is not null) Write(json, BenchmarkJson.Write(report, machine, versions, date));
        if (json is not ToStandardOutput) Console.Out.Write(BenchmarkText.Write(report, machine, versions, date));
        return report.Failed ? ExitCodes.Failed : ExitCodes.Done;
    }

    private UserMistakeException Unnamed(ParseResult parse, IReadOnlyList<string> mistakes)
    {
        HelpVerb.Refuse([.. mistakes.Where(static mistake => mistake.StartsWith("unknown", StringComparison.Ordinal))]);
        var names = _benchmarks.Select(static benchmark => benchmark.Name).ToArray();
        var word = parse.UnmatchedTokens is [var first, ..] ? first : null;
        return new UserMistakeException(word is null
            ? $"bench needs to know what to measure: cluster bench {string.Join('|', names)}"
            : $"unknown benchmark {word}{NearestName.Hint(word, names)}");
    }

    private static BenchmarkOptions Options(ParseResult parse, Dictionary<Option<string>, BenchmarkFlag> flags, BenchmarkOptions defaults, List<string> mistakes)
    {
        var options = defaults;
        foreach (var (option, flag) in flags)
        {
            if (RowOptions.TextOf(parse, option) is not { } text) continue;
            try
            {
                options = flag.Write(options, text);
            }
            catch (FormatException e)
            {
                mistakes.Add($"{flag.Name} {text}: must be {e.Message}");
            }
        }
        return options;
    }

    private static void Write(string path, string json)
    {
        if (path == ToStandardOutput)
        {
            Console.Out.Write(json);
            return;
        }
        try
        {
            File.WriteAllText(path, json);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The measurement took minutes: it is not lost with the file.
            Console.Error.WriteLine($"cluster: cannot write {path}: {e.Message.ReplaceLineEndings(" ")}; the report goes to standard error");
            Console.Error.Write(json);
        }
    }
}
