namespace Cluster.Link;

/// <summary>
/// Time that this process was awake and looking. Silence is counted on it, so that a process that was itself stopped, swapped out
/// or starved accuses nobody for that time. Pure: the time now is an argument.
/// </summary>
/// <param name="Last">Monotonic time of the last look.</param>
/// <param name="Attended">Time attended so far.</param>
/// <param name="MissedLast">How long the last gap between two looks was, if it was too long to count; else zero.</param>
public readonly record struct AttentionClock(TimeSpan Last, TimeSpan Attended, TimeSpan MissedLast)
{
    public static AttentionClock StartingAt(TimeSpan now) => new(now, TimeSpan.Zero, TimeSpan.Zero);

    /// <summary>A look at the peers, due at most <paramref name="every"/> after the last. One that comes <paramref name="tolerance"/> too late does not count at all.</summary>
    public AttentionClock Look(TimeSpan now, TimeSpan every, TimeSpan tolerance)
    {
        var gap = now - Last;
        return gap > every + tolerance ? new AttentionClock(now, Attended, gap) : new AttentionClock(now, Attended + gap, TimeSpan.Zero);
    }
}

/// <summary>When was a peer last heard, on the <see cref="AttentionClock"/>. Pure.</summary>
/// <param name="HeardAt">Attended time at the last sign of life.</param>
public readonly record struct SilenceDetector(TimeSpan HeardAt)
{
    /// <summary>A look later than this after its time means that this process was paused: two heartbeats.</summary>
    public static readonly TimeSpan PauseTolerance = TimeSpan.FromMilliseconds(100);

    public static SilenceDetector Heard(AttentionClock clock) => new(clock.Attended);

    /// <summary>How long the peer has been silent while we listened.</summary>
    public TimeSpan SilentFor(AttentionClock clock) => clock.Attended - HeardAt;

    /// <summary>True when it has been too long.</summary>
    public bool IsSilent(AttentionClock clock, TimeSpan limit) => SilentFor(clock) >= limit;
}
