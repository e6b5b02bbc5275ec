using System.Globalization;
using System.Text;
using Cluster.Contracts;

namespace Cluster.Chaos.Tests;

/// <summary>What a real storm of the default plan left: thirty steps, three workers, two shards, one death of the supervisor.</summary>
internal static class RecordedRun
{
    public const string Hash = "a1e6821512060fb63065a3f2c3cc3568cb10a5b975cf1161ff5442bdde1c3647";

    public static readonly RunShape Run = new(30, 3, 2);

    public static ChaosOptions Options { get; } = new()
    {
        Program = "cluster",
        Arguments = ["--seed", "5"],
        Run = Run,
        Plan = PlanFile.Read(PathOf("plan.yaml"), Run),
        Out = "runs/storm",
    };

    public static ChaosFindings Findings { get; } = Read();

    public static string PathOf(string name) => Path.Combine(AppContext.BaseDirectory, "Recorded", name);

    public static ChaosReport Report(Func<ChaosFindings, ChaosFindings>? change = null, string expected = Hash) =>
        ReportMaker.Make(Options, change is null ? Findings : change(Findings), expected, "the undisturbed run");

    private static ChaosFindings Read()
    {
        var calm = File.ReadLines(PathOf("undisturbed.jsonl")).Select(static line => CommitRow.Parse(Encoding.UTF8.GetBytes(line))!).ToList();
        var appeared = File.ReadLines(PathOf("appeared.txt")).Select(static line => line.Split(' ')).ToDictionary(static p => long.Parse(p[0], CultureInfo.InvariantCulture), static p => DateTimeOffset.Parse(p[1], CultureInfo.InvariantCulture));
        var death = new SupervisorDeath(26, DateTimeOffset.Parse("2026-11-21T18:33:09.309299+00:00", CultureInfo.InvariantCulture), 0, TimeSpan.FromMilliseconds(20), "model.safetensors of the newest checkpoint, step-000024, was cut from 1715944 to 857972 bytes", 24);
        var storm = RunRecords.Read(Path.GetDirectoryName(PathOf("plan.yaml"))!);
        return new ChaosFindings(storm, new RunRecords(Hash, calm, [], ""), appeared, [death], null, null, true, "the audit recomputed the digests of 1920 samples in 240 leaves", storm.Events[0].Time, TimeSpan.FromSeconds(75), 2);
    }
}
