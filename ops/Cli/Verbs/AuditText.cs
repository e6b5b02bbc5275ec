using System.Text;
using Cluster.Cli.Configuration;
using Cluster.Coordinator.Core.Audit;

namespace Cluster.Cli.Verbs;

/// <summary>An audit's report for a person: the verdict first, then figures, then what is wrong.</summary>
internal static class AuditText
{
    private const int WorkersShown = 8, LeftOutShown = 8;

    public static string Write(AuditReport report, StoredRun run, string folder)
    {
        var text = new StringBuilder();
        void Line(string line) => text.Append("  ").Append(line).Append('\n');

        text.Append(folder).Append(": ").Append(Verdict(report)).Append('\n');
        Line($"steps    {Number(report.Steps)} of {Number(report.TotalSteps)}{Unusual(report)}");
        Line($"epochs   {Epochs(report)}");
        Line($"samples  {Number(report.SamplesProven)} in {Number(report.Leaves)} leaves proven from seed {run.Options.Seed}, {Number(report.SamplesApplied)} of them applied");
        if (report.SkippedCount > 0)
            Line($"skipped  {Count(report.SkippedCount, "step")}, whose samples were seen and not applied: {string.Join(", ", report.Skipped.Select(s => s.Step))}{(report.SkippedCount > report.Skipped.Count ? ", …" : "")}");
        if (report.LeftOutCount > 0)
            Line($"left out {Count(report.LeftOutCount, "sample")}, because {(report.LeftOutCount == 1 ? "it" : "they")} could not be decoded: {string.Join(", ", report.LeftOut.Take(LeftOutShown).Select(static l => $"step {l.Step} sample {l.Sample}"))}{(report.LeftOutCount > Math.Min(LeftOutShown, report.LeftOut.Count) ? ", …" : "")}");
        if (report.Workers.Count > 0)
            Line($"workers  {string.Join(", ", report.Workers.Take(WorkersShown).Select(w => $"{w.Worker} {Count(w.Leaves, "leaf", "leaves")}"))}{(report.Workers.Count > WorkersShown ? $", and {report.Workers.Count - WorkersShown} more" : "")}");
        if (report.CutBytes > 0) Line($"cut      the last line stops after {Number(report.CutBytes)} bytes: that step was never committed, and is not counted");
        if (report.FindingCount > 0)
        {
            text.Append('\n');
            foreach (var finding in report.Findings) Line(finding.ToString());
            if (report.FindingCount > report.Findings.Count) Line($"… and {Number(report.FindingCount - report.Findings.Count)} more");
        }
        return text.ToString();
    }

    private static string Verdict(AuditReport report) => report switch
    {
        { FindingCount: > 0 } => $"NOT CLEAN, {Count(report.FindingCount, "finding")}",
        { Steps: 0 } => "clean, but empty: no step was committed",
        { LeftOutCount: > 0, SkippedCount: > 0 } => "clean: every sample was taken exactly once per epoch, but those left out, and those of skipped steps without effect",
        { LeftOutCount: > 0 } => $"clean: every sample was taken exactly once per epoch, but {Count(report.LeftOutCount, "sample")} that {(report.LeftOutCount == 1 ? "was" : "were")} left out",
        { SkippedCount: > 0 } => "clean: every sample was taken exactly once per epoch, those of skipped steps without effect",
        _ => "clean: every sample was taken exactly once per epoch",
    };

    private static string Unusual(AuditReport report)
    {
        var parts = new List<string>();
        if (report.Steps < report.TotalSteps) parts.Add("the run is not finished");
        if (report.Retried > 0) parts.Add($"{Count(report.Retried, "step")} needed more than one attempt");
        if (report.Terms > 1) parts.Add($"terms {report.FirstTerm} to {report.LastTerm}");
        return parts.Count == 0 ? "" : "; " + string.Join("; ", parts);
    }

    private static string Epochs(AuditReport report)
    {
        var epochs = $"{Number(report.EpochsWhole)} whole, of {Number(report.TrainingSamples)} samples each";
        if (report.EpochsFaulty > 0) epochs += $"; {Number(report.EpochsFaulty)} not proven";
        if (report.Partial is { } partial) epochs += $"; epoch {partial.Epoch} (from 0) up to {Number(partial.Samples)} samples";
        return epochs;
    }

    private static string Number(long value) => value.ToString("N0");

    private static string Count(long count, string one, string? many = null) => $"{Number(count)} {(count == 1 ? one : many ?? one + "s")}";
}
