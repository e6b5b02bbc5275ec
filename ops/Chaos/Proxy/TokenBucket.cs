namespace Cluster.Chaos.Proxy;

/// <summary>
/// Lets bytes pass at a rate: they cost tokens, which come back with time up to a burst (the token bucket of RFC 2697 with one
/// colour). Time is an argument, of one monotonic clock. One thread.
/// </summary>
/// <param name="rate">Bytes per second, above 0.</param>
/// <param name="burst">Bytes that may pass at once after a pause.</param>
public sealed class TokenBucket(double rate, int burst, TimeSpan now)
{
    private double _tokens = burst;
    private TimeSpan _at = now;

    /// <summary>Takes as many of the bytes as there are tokens for.</summary>
    public int Take(TimeSpan now, int wanted)
    {
        Fill(now);
        var taken = Math.Min(wanted, (int)_tokens);
        _tokens -= taken;
        return taken;
    }

    /// <summary>Gives back what was taken and not used.</summary>
    public void Return(int bytes) => _tokens = Math.Min(burst, _tokens + bytes);

    /// <summary>When so many bytes may pass, at most a burst; now or later.</summary>
    public TimeSpan ReadyAt(TimeSpan now, int bytes)
    {
        Fill(now);
        var missing = Math.Min(bytes, burst) - _tokens;
        // A microsecond more than the division says: rounded down, the last token would be missed again and again.
        return missing <= 0 ? now : now + TimeSpan.FromSeconds(missing / rate) + TimeSpan.FromMicroseconds(1);
    }

    private void Fill(TimeSpan now)
    {
        if (now <= _at) return;
        _tokens = Math.Min(burst, _tokens + ((now - _at).TotalSeconds * rate));
        _at = now;
    }
}
