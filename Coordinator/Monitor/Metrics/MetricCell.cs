namespace Cluster.Coordinator.Monitor.Metrics;

/// <summary>
/// One series of one instrument. Written by any thread without a lock: a reader that held one could keep a
/// thread that trains waiting. A histogram that is read while it is written may lack the last observation in its sum.
/// </summary>
internal sealed class MetricCell(IReadOnlyList<double> bounds)
{
    private readonly long[]? _buckets = bounds.Count > 0 ? new long[bounds.Count + 1] : null;
    private double _value;

    public void Set(double value) => Volatile.Write(ref _value, value);

    public void Add(double value)
    {
        for (var seen = Volatile.Read(ref _value); ;)
        {
            var found = Interlocked.CompareExchange(ref _value, seen + value, seen);
            // Bits are compared: NaN is not equal to itself, and this must end.
            if (BitConverter.DoubleToInt64Bits(found) == BitConverter.DoubleToInt64Bits(seen)) return;
            seen = found;
        }
    }

    public void Observe(double value)
    {
        if (_buckets is null) return;
        Interlocked.Increment(ref _buckets[BucketOf(bounds, value)]);
        Add(value);
    }

    /// <summary>The first bucket whose upper bound is not below the value; what is not a number counts as above all.</summary>
    public static int BucketOf(IReadOnlyList<double> bounds, double value)
    {
        for (var i = 0; i < bounds.Count; i++)
            if (value <= bounds[i]) return i;
        return bounds.Count;
    }

    public double Value => Volatile.Read(ref _value);

    /// <summary>A copy; null when this is no histogram.</summary>
    public long[]? Buckets
    {
        get
        {
            if (_buckets is null) return null;
            var copy = new long[_buckets.Length];
            for (var i = 0; i < copy.Length; i++) copy[i] = Interlocked.Read(ref _buckets[i]);
            return copy;
        }
    }
}
