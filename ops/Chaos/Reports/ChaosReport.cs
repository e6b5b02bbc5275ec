namespace Cluster.Chaos;

public enum Verdict
{
    /// <summary>The state's SHA-256 is that of the undisturbed run.</summary>
    SameBits,

    /// <summary>It is another.</summary>
    OtherBits,

    /// <summary>The disturbed run did not finish.</summary>
    Unfinished,
}

public enum FaultOutcome
{
    Struck,

    /// <summary>There was nothing to strike, or the run passed by.</summary>
    Missed,

    /// <summary>The supervisor died before its word about it was written down.</summary>
    Untold,
}

/// <summary>A promise, and whether it was kept.</summary>
/// <param name="Decides">Whether the run counts as failed when it was not.</param>
public sealed record Invariant(string Name, bool Held, bool Decides, string Sentence);

/// <summary>Something that was said in the run about a fault.</summary>
/// <param name="Milliseconds">After the strike. What the supervisor sees may be stamped a few ms before the strike is done.</param>
public sealed record Notice(double Milliseconds, string Kind, string Node, string Sentence);

/// <summary>One fault and what became of it.</summary>
/// <param name="Fault">As in the plan.</param>
/// <param name="Said">The run's own sentence about the strike, or why there was none.</param>
/// <param name="Noticed">The first word of the run about it, other than the strike itself; null if nobody had to notice.</param>
/// <param name="Done">What the run did about it, first things first.</param>
/// <param name="RecoveryMilliseconds">From the strike to the next record; null without a strike.</param>
/// <param name="LongestWaitMilliseconds">The longest time without a record from the strike to the next fault's.</param>
/// <param name="BoundMilliseconds">What the recovery may take; null where nothing is promised.</param>
/// <param name="Bound">The arithmetic of the bound, or why there is none.</param>
public sealed record FaultReport(
    string Fault,
    string Kind,
    string Node,
    long Step,
    FaultOutcome Outcome,
    string Said,
    DateTimeOffset? StruckAt,
    Notice? Noticed,
    IReadOnlyList<Notice> Done,
    double? RecoveryMilliseconds,
    double? LongestWaitMilliseconds,
    double? BoundMilliseconds,
    string Bound)
{
    public bool IsWithinBound => RecoveryMilliseconds is not { } took || BoundMilliseconds is not { } bound || took <= bound;
}

/// <summary>Recovery times of all faults of one kind against one role, in ms.</summary>
/// <param name="Kind"><c>kill worker</c>.</param>
public sealed record KindReport(string Kind, int Struck, double P50, double P95, double Max, int OverBound);

/// <summary>A record of the disturbed run.</summary>
/// <param name="Time">When it appeared in the log.</param>
/// <param name="WaitMilliseconds">Since the record before it.</param>
public sealed record StepReport(long Step, DateTimeOffset Time, double WaitMilliseconds, int Samples, double Loss, long Term, int Attempt);

/// <summary>A record of the undisturbed run.</summary>
public sealed record CalmStep(long Step, double Milliseconds, double Loss);

/// <summary>Everything that report.json and report.html tell.</summary>
public sealed record ChaosReport
{
    /// <summary>Of the form of report.json: a reader of version 1 may meet more fields.</summary>
    public int Version { get; init; } = 1;

    public required Verdict Verdict { get; init; }

    /// <summary>The verdict in words.</summary>
    public required string Sentence { get; init; }

    /// <summary>Whether all that decides was kept: exit code 0.</summary>
    public required bool Passed { get; init; }

    /// <summary>SHA-256 of the disturbed run's state; null when it did not finish.</summary>
    public required string? StateSha256 { get; init; }

    public required string Expected { get; init; }

    /// <summary>Where <see cref="Expected"/> comes from.</summary>
    public required string ExpectedFrom { get; init; }

    public required string Plan { get; init; }

    /// <summary>Rows that the plan's maker left out.</summary>
    public required IReadOnlyList<string> LeftOut { get; init; }

    public required RunShape Run { get; init; }

    public required DateTimeOffset Began { get; init; }

    public required TimeSpan Elapsed { get; init; }

    /// <summary>How often the run was started: once, and again after each death of its supervisor.</summary>
    public required int Starts { get; init; }

    public required string Command { get; init; }

    public required IReadOnlyList<Invariant> Invariants { get; init; }

    public required IReadOnlyList<FaultReport> Faults { get; init; }

    public required IReadOnlyList<KindReport> Kinds { get; init; }

    public required IReadOnlyList<StepReport> Steps { get; init; }

    /// <summary>Empty when the expected hash was given.</summary>
    public required IReadOnlyList<CalmStep> Undisturbed { get; init; }

    public required IReadOnlyList<EventRow> Events { get; init; }

    /// <summary>config.yaml of the disturbed run.</summary>
    public required string Config { get; init; }

    /// <summary>Folder of the run and of the report.</summary>
    public required string Folder { get; init; }

    public int Struck => Faults.Count(static f => f.Outcome == FaultOutcome.Struck);
}
