namespace Cluster.Coordinator.Monitor.Health;

/// <summary>When something that should turn over last did. Thread-safe.</summary>
/// <param name="what">For a person: <c>the thread that watches</c>.</param>
public sealed class Turns(string what, DateTimeOffset started)
{
    /// <summary>A busy machine may hold a thread up for seconds; loading a large state takes some too.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private long _last = started.UtcTicks;

    public void Turned(DateTimeOffset now) => Interlocked.Exchange(ref _last, now.UtcTicks);

    /// <returns>Null when it turned over of late; else since when it has not.</returns>
    public string? Stall(DateTimeOffset now) =>
        now.UtcTicks - Interlocked.Read(ref _last) is var ticks && ticks <= Patience.Ticks ? null : $"{what} has stood still for {TimeSpan.FromTicks(ticks).TotalSeconds:0} s";
}
