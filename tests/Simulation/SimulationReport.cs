using System.Globalization;
using System.Text;

namespace Cluster.Simulation;

/// <summary>What a campaign says about itself.</summary>
public static class SimulationReport
{
    private const int ShownViolations = 10;

    /// <summary>Seeds, events, faults, what the protocol did about them, and every broken promise with the command that replays it.</summary>
    /// <param name="steps">As given to the campaign; a part of the command.</param>
    /// <param name="elapsed">Real time that it took.</param>
    public static string Format(IReadOnlyList<SeedResult> results, int steps, TimeSpan elapsed) => Format(results, seed => ReplayCommand(seed, steps), elapsed);

    /// <param name="replay">The command that replays a seed.</param>
    public static string Format(IReadOnlyList<SeedResult> results, Func<ulong, string> replay, TimeSpan elapsed)
    {
        ArgumentNullException.ThrowIfNull(results);
        ArgumentNullException.ThrowIfNull(replay);
        var counts = results.SelectMany(static r => r.Counts).GroupBy(static c => c.Key, StringComparer.Ordinal).ToDictionary(static g => g.Key, static g => g.Sum(static c => c.Value), StringComparer.Ordinal);
        var text = new StringBuilder();
        var needed = results.Sum(static r => (long)Enumerable.Range(1, r.Scenario.Steps).Sum(step => r.Scenario.Plan(new Contracts.StepId(step)).LeafCount));
        Line($"{results.Count} seeds, {results.Sum(static r => r.Events)} events, {results.Sum(static r => r.VirtualMilliseconds) / 3_600_000:0.0} virtual hours in {elapsed.TotalSeconds:0.0} s");
        Line($"faults: {string.Join(", ", counts.Where(static c => c.Key.StartsWith("fault, ", StringComparison.Ordinal)).OrderByDescending(static c => c.Value).Select(static c => $"{c.Value} x {c.Key["fault, ".Length..]}"))}");
        Line($"network: {Of("messages lost")} messages lost, {Of("messages doubled")} doubled, {Of("messages held up")} held up; disk: {Of("appends torn")} appends interrupted");
        Line($"protocol: {Of("steps committed")} steps committed, {results.Sum(static r => r.Term)} terms, {Of("takeovers")} takeovers, {Of("promotions")} promotions, {Of("steps replayed")} steps replayed, {Of("attempts abandoned")} attempts abandoned, {Of("samples left out")} samples left out, {Of("leaves computed") - needed} leaves computed again, {Of("checkpoints")} checkpoints");
        var broken = results.Where(static r => r.Violation is not null).ToArray();
        if (broken.Length == 0)
        {
            Line($"broken invariants: none of {InvariantNames.All.Count} ({string.Join("; ", InvariantNames.All)})");
            return text.ToString();
        }
        Line($"broken invariants: in {broken.Length} seeds ({string.Join(", ", broken.GroupBy(static r => r.Invariant, StringComparer.Ordinal).Select(static g => $"{g.Key}: {g.Count()}"))})");
        foreach (var result in broken.Take(ShownViolations))
        {
            Line($"  seed {result.Scenario.Seed}: {result.Violation}");
            Line($"    replay: {replay(result.Scenario.Seed)}");
        }
        if (broken.Length > ShownViolations) Line($"  and {broken.Length - ShownViolations} more");
        return text.ToString();

        long Of(string what) => counts.GetValueOrDefault(what);
        void Line(FormattableString line) => text.AppendLine(line.ToString(CultureInfo.InvariantCulture));
    }

    /// <summary>Prints the event log of one seed again.</summary>
    public static string ReplayCommand(ulong seed, int steps) =>
        FormattableString.Invariant($"./cluster chaos --sim --seed {seed}") + (steps > 0 ? FormattableString.Invariant($" --steps {steps}") : "");
}
