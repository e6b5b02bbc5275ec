using System.Collections.Immutable;

namespace Cluster.Cli.Study;

/// <summary>How far a study is. A value.</summary>
/// <param name="Outcomes">Of the cells that have ended, by name.</param>
internal sealed record StudyState(StudyPlan Plan, ImmutableDictionary<string, CellOutcome> Outcomes)
{
    public static StudyState Of(StudyPlan plan) => new(plan, ImmutableDictionary.Create<string, CellOutcome>(StringComparer.Ordinal));

    /// <summary>The cell that comes next; null when there is none.</summary>
    public StudyCell? Next => Plan.Cells.FirstOrDefault(cell => !Outcomes.ContainsKey(cell.Name));

    /// <summary>Cells that have ended, in the plan's order.</summary>
    public IEnumerable<(StudyCell Cell, CellOutcome Outcome)> Ended => Plan.Cells.Where(cell => Outcomes.ContainsKey(cell.Name)).Select(cell => (cell, Outcomes[cell.Name]));

    public int Done => Outcomes.Count;

    public bool IsComplete => Next is null;

    public StudyState With(CellOutcome outcome)
    {
        ArgumentNullException.ThrowIfNull(outcome);
        return this with { Outcomes = Outcomes.SetItem(outcome.Cell, outcome) };
    }

    public CellOutcome? OutcomeOf(string model, string variant) =>
        Plan.Cells.FirstOrDefault(cell => cell.Model == model && cell.Variant == variant) is { } cell ? Outcomes.GetValueOrDefault(cell.Name) : null;

    /// <summary>
    /// Estimated time until the last cell has ended. A model that has been trained takes what it took; another one what its
    /// probe says, times what the measured ones took beyond their probes. Null while nothing is known.
    /// </summary>
    /// <param name="running">Share of the next cell that is done, 0 to 1.</param>
    public TimeSpan? Remaining(double running = 0)
    {
        var seconds = 0.0;
        var isFirst = true;
        foreach (var cell in Plan.Cells.Where(cell => !Outcomes.ContainsKey(cell.Name)))
        {
            if (SecondsOf(cell.Model) is not { } whole) return null;
            seconds += isFirst ? whole * (1 - Math.Clamp(running, 0, 1)) : whole;
            isFirst = false;
        }
        return TimeSpan.FromSeconds(seconds);
    }

    private double? SecondsOf(string model)
    {
        var whole = Ended.Where(static e => e.Outcome.Failure is null).ToList();
        if (whole.Where(e => e.Cell.Model == model).Select(static e => e.Outcome.Seconds).ToList() is { Count: > 0 } own) return own.Average();
        if (StudyPlanner.SecondsOf(Plan, model) is not { } probed) return whole.Count == 0 ? null : whole.Average(static e => e.Outcome.Seconds);
        var expected = whole.Sum(e => StudyPlanner.SecondsOf(Plan, e.Cell.Model) ?? 0);
        return expected > 0 ? probed * whole.Sum(static e => e.Outcome.Seconds) / expected : probed;
    }
}
