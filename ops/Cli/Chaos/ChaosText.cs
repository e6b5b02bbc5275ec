using System.Globalization;
using System.Text;
using Cluster.Chaos;

namespace Cluster.Cli.Chaos;

/// <summary>A report as the last lines of <c>cluster chaos</c>.</summary>
internal static class ChaosText
{
    public static string Write(ChaosReport report)
    {
        var text = new StringBuilder();
        foreach (var fault in report.Faults)
        {
            var recovery = fault.RecoveryMilliseconds is not { } took ? "" : fault.BoundMilliseconds is { } bound ? $"{Seconds(took)} of {Seconds(bound)}" : Seconds(took);
            text.Append(fault.Outcome switch { FaultOutcome.Struck => fault.IsWithinBound ? "  struck " : "  late   ", FaultOutcome.Missed => "  missed ", _ => "  untold " });
            text.Append(fault.Fault.PadRight(30)).Append(' ').Append(recovery.PadRight(18)).Append(' ').Append(fault.Outcome == FaultOutcome.Struck ? fault.Noticed?.Sentence ?? "" : fault.Said).Append('\n');
        }
        foreach (var invariant in report.Invariants) text.Append(invariant.Held ? "  kept   " : invariant.Decides ? "  BROKEN " : "  not    ").Append(invariant.Name).Append(": ").Append(invariant.Sentence).Append('\n');
        text.Append("report ").Append(Path.Combine(report.Folder, ChaosRun.HtmlName)).Append('\n');
        if (report.StateSha256 is { } hash) text.Append("state sha256 ").Append(hash).Append('\n');
        return text.Append(report.Passed ? "verdict: " : "verdict: FAILED: ").Append(report.Sentence).Append('\n').ToString();
    }

    private static string Seconds(double milliseconds) => (milliseconds / 1000).ToString("0.00", CultureInfo.InvariantCulture) + " s";
}
