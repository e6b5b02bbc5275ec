using System.CommandLine;
using System.Text;
using System.Text.Json;
using Cluster.Cli.Configuration;
using Cluster.Contracts;
using Cluster.Coordinator.Core.Audit;

namespace Cluster.Cli.Verbs;

/// <summary><c>cluster audit DIR</c>: proves from commits.jsonl and config.yaml that every sample was taken once per epoch.</summary>
internal sealed class AuditVerb : IVerb
{
    public const string ReportName = "audit.json";

    private readonly Argument<string?> _folder = new("folder") { Arity = ArgumentArity.ZeroOrOne };
    private readonly Option<bool> _json = new("--json") { Description = "Print the report as one JSON object." };

    public AuditVerb() => Command = new Command("audit", "Prove that a run took every sample exactly once per epoch.") { _folder, _json };

    public Command Command { get; }

    public string HelpText =>
        """
        cluster audit DIR [--json]

        Recomputes, from seed and epoch alone, the sample ids of every leaf of every committed step of the run in DIR and holds
        their digests against what the workers reported. Checks on the way: steps without gap or repeat, terms, checksums, epochs,
        learning rate, clipping. Needs commits.jsonl and config.yaml, not the data set; the run may be interrupted or still going.

          --json    Print the report as one JSON object and nothing else.

        Writes audit.json into DIR. Exit codes: 0 clean, 1 not clean, 2 DIR is no run.
        """;

    public Task<int> RunAsync(ParseResult parse, IReadOnlyList<string> mistakes, CancellationToken stop)
    {
        HelpVerb.Refuse(mistakes);
        var folder = parse.GetValue(_folder) ?? throw new UserMistakeException("cluster audit needs the folder of a run: cluster audit runs/NAME ('cluster runs' lists them)");
        var run = ConfigReader.Read(folder);
        folder = Path.GetDirectoryName(run.Path) is { Length: > 0 } parent ? parent : ".";
        var report = CommitAudit.Run(InputOf(run, folder));
        var json = AuditJson.Write(report, run);
        WriteReport(Path.Combine(folder, ReportName), json);
        Console.Out.Write(parse.GetValue(_json) ? json : AuditText.Write(report, run, folder));
        return Task.FromResult(report.IsClean ? ExitCodes.Done : ExitCodes.Failed);
    }

    /// <exception cref="UserMistakeException">Something that an audit needs is not there.</exception>
    internal static AuditInput InputOf(StoredRun run, string folder)
    {
        var samples = run.TrainingSamples ?? throw new UserMistakeException($"{run.Path} does not say how many training-samples the run had (under {RecipeReader.FactsKey}): the run ended before its data was open, or the file was changed by hand");
        var log = Path.Combine(folder, RunFolder.CommitsName);
        if (!File.Exists(log)) throw new UserMistakeException($"{folder} holds no {RunFolder.CommitsName}: the run committed nothing that could be audited");
        try
        {
            if (new FileInfo(log).Length > Array.MaxLength) throw new UserMistakeException($"{log} is larger than {Array.MaxLength >> 20} MiB, which is more than an audit can hold");
            return new AuditInput(File.ReadAllBytes(log), run.Options, samples) { SampleOrder = run.SampleOrder, TotalSteps = run.TotalSteps, ClaimedSteps = ClaimedSteps(folder) };
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new UserMistakeException($"cannot read {log}: {e.Message.ReplaceLineEndings(" ")}", e);
        }
    }

    /// <summary>What summary.json says; null without a readable one, since the audit does not depend on it.</summary>
    private static long? ClaimedSteps(string folder)
    {
        try
        {
            using var json = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(folder, RunFolder.SummaryName)));
            return json.RootElement.ValueKind == JsonValueKind.Object && json.RootElement.TryGetProperty("steps", out var steps)
                && steps.ValueKind == JsonValueKind.Number && steps.TryGetInt64(out var claimed) ? claimed : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or JsonException)
        {
            return null;
        }
    }

    private static void WriteReport(string path, string json)
    {
        try
        {
            var temporary = path + ".new";
            File.WriteAllText(temporary, json, new UTF8Encoding(encoderShouldEmitUTF8Identifier: false));
            File.Move(temporary, path, overwrite: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The verdict is what was asked for; it is printed all the same.
            Console.Error.WriteLine($"cluster: cannot write {path}: {e.Message.ReplaceLineEndings(" ")}");
        }
    }
}
