namespace Cluster.Link;

/// <summary>
/// Round trip and clock offset out of the last heartbeats: of <see cref="Samples"/>, the one with the smallest round trip has
/// waited least in queues, so its offset is the best (the clock filter of NTP, RFC 5905, section 10). One thread writes, any reads.
/// </summary>
internal sealed class RoundTripEstimate
{
    /// <summary>Samples looked at: 0.8 s of heartbeats.</summary>
    private const int Samples = 16;

    private readonly (TimeSpan RoundTrip, TimeSpan Offset)[] _samples = new (TimeSpan, TimeSpan)[Samples];
    private int _count;
    private Best? _best;

    private sealed record Best(TimeSpan RoundTrip, TimeSpan Offset);

    /// <summary>Samples so far.</summary>
    public int Count => Volatile.Read(ref _count);

    public TimeSpan? RoundTrip => Volatile.Read(ref _best)?.RoundTrip;

    public TimeSpan? Offset => Volatile.Read(ref _best)?.Offset;

    /// <summary>A heartbeat that echoes one of ours came.</summary>
    /// <param name="heartbeat">The heartbeat.</param>
    /// <param name="now">Our monotonic clock at its arrival.</param>
    /// <param name="wallClock">Our UTC at its arrival.</param>
    /// <returns>This sample's round trip; null if the numbers are impossible.</returns>
    public TimeSpan? Add(in Heartbeat heartbeat, TimeSpan now, DateTime wallClock)
    {
        // Looked at before anything is subtracted: a peer may send any number, and this thread serves every link.
        if (heartbeat.Echo <= TimeSpan.Zero || heartbeat.Echo > now || heartbeat.Held < TimeSpan.Zero || heartbeat.Held > now) return null;
        var roundTrip = now - heartbeat.Echo - heartbeat.Held;
        if (roundTrip < TimeSpan.Zero) return null;
        _samples[_count++ % Samples] = (roundTrip, heartbeat.WallClock - wallClock + (roundTrip / 2));
        var best = _samples[0];
        for (var i = 1; i < Math.Min(_count, Samples); i++) best = _samples[i].RoundTrip < best.RoundTrip ? _samples[i] : best;
        Volatile.Write(ref _best, new Best(best.RoundTrip, best.Offset));
        return roundTrip;
    }
}
