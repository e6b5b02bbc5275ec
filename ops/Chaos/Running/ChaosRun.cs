using System.Diagnostics;
using System.Text.Json;
using Cluster.Contracts;

namespace Cluster.Chaos;

/// <summary>
/// Disturbs a run of real processes by a plan and holds its state against that of the undisturbed run. Drives the
/// <c>cluster</c> program from outside, as a person would.
/// </summary>
/// <example><code>
/// var report = await ChaosRun.RunAsync(new ChaosOptions { Program = "./cluster", Run = run, Plan = FaultPlan.Parse(run, "kill:worker-1@4"), Out = folder });
/// Assert.Equal(Verdict.SameBits, report.Verdict);
/// </code></example>
public static class ChaosRun
{
    public const string PlanName = "plan.yaml", JsonName = "report.json", HtmlName = "report.html", CalmFolder = "undisturbed";

    private const string CommitsName = "commits.jsonl";

    /// <summary>Runs undisturbed (unless the hash is given), then disturbed, audits, judges, and writes report.json and report.html into the folder.</summary>
    /// <param name="stop">Ends the running process in order.</param>
    /// <returns>The report, whatever the verdict.</returns>
    /// <exception cref="UserMistakeException">The options are wrong: the program's own words.</exception>
    /// <exception cref="ClusterException">The undisturbed run failed: there is nothing to compare with.</exception>
    /// <exception cref="OperationCanceledException"><paramref name="stop"/> was triggered.</exception>
    public static async Task<ChaosReport> RunAsync(ChaosOptions options, CancellationToken stop = default)
    {
        ArgumentNullException.ThrowIfNull(options);
        var began = DateTimeOffset.UtcNow;
        var clock = Stopwatch.StartNew();
        Claim(options);
        RunRecords? calm = null;
        var expected = options.Expect;
        if (expected is null)
        {
            Say(options, $"the undisturbed run: {options.Run.Steps} steps, {options.Run.Workers} workers, {options.Run.Shards} shards");
            calm = await CalmAsync(options, stop);
            expected = calm.Hash ?? throw new ClusterException($"the undisturbed run left no hash in {Path.Combine(options.Out, CalmFolder)}");
        }
        Say(options, $"the storm: {options.Plan.Count} faults, {options.Plan.Name}");
        var storm = new Storm(options);
        await storm.RunAsync(stop);
        var (isClean, audit) = await AuditAsync(options, stop);
        var findings = new ChaosFindings(RunRecords.Read(options.Out), calm, storm.Appeared, storm.Deaths, storm.WentBack, storm.Failure, isClean, audit, began, clock.Elapsed, storm.Starts);
        var report = ReportMaker.Make(options, findings, expected, options.Expect is null ? "the undisturbed run" : "the hash that was given");
        await File.WriteAllTextAsync(Path.Combine(options.Out, JsonName), ReportJson.Write(report), CancellationToken.None);
        await File.WriteAllTextAsync(Path.Combine(options.Out, HtmlName), ReportPage.Write(report), CancellationToken.None);
        return report;
    }

    internal static void Say(ChaosOptions options, string sentence) => options.Say($"[chaos]       {sentence}", true);

    private static void Claim(ChaosOptions options)
    {
        try
        {
            Directory.CreateDirectory(options.Out);
            if (new[] { "config.yaml", CommitsName, JsonName, CalmFolder }.FirstOrDefault(name => Path.Exists(Path.Combine(options.Out, name))) is { } held)
                throw new UserMistakeException($"--out {options.Out}: the folder already holds a run ({held}); nothing was touched, choose another folder");
            File.WriteAllText(Path.Combine(options.Out, PlanName), PlanFile.Write(options.Plan));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new UserMistakeException($"cannot write to {options.Out}: {e.Message.ReplaceLineEndings(" ")}", e);
        }
    }

    private static async Task<RunRecords> CalmAsync(ChaosOptions options, CancellationToken stop)
    {
        var folder = Path.Combine(options.Out, CalmFolder);
        using var process = RunProcess.Start(options.Program, ["launch", .. options.RunArguments, "--out", folder], options.Say);
        var end = await EndOf(process, stop);
        return end.ExitCode switch
        {
            0 => RunRecords.Read(folder),
            2 => throw new UserMistakeException(end.LastError),
            _ => throw new ClusterException($"the undisturbed run failed: {end.LastError}"),
        };
    }

    private static async Task<(bool IsClean, string Words)> AuditAsync(ChaosOptions options, CancellationToken stop)
    {
        if (!File.Exists(Path.Combine(options.Out, CommitsName))) return (false, "there is no log to audit");
        using var process = RunProcess.Start(options.Program, ["audit", options.Out, "--json"], static (_, _) => { }, keepsOutput: true);
        var end = await EndOf(process, stop);
        try
        {
            using var json = JsonDocument.Parse(end.Output);
            var root = json.RootElement;
            var isClean = end.ExitCode == 0 && root.GetProperty("clean").GetBoolean();
            var findings = root.GetProperty("findings");
            return (isClean, isClean
                ? $"the audit recomputed the digests of {root.GetProperty("samples_proven").GetInt64()} samples in {root.GetProperty("leaves").GetInt64()} leaves"
                : $"the audit found: {(findings.GetArrayLength() > 0 ? findings[0].GetProperty("sentence").GetString() : "nothing that it could prove")}");
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException)
        {
            return (false, $"the audit failed: {end.LastError}");
        }
    }

    /// <summary>Waits for the process; when asked to stop, ends it in order first.</summary>
    internal static async Task<ProcessEnd> EndOf(RunProcess process, CancellationToken stop)
    {
        await using var stopping = stop.Register(process.Terminate);
        var end = await process.Ended;
        stop.ThrowIfCancellationRequested();
        return end;
    }
}
