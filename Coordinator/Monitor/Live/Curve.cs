namespace Cluster.Coordinator.Monitor.Live;

/// <summary>Consecutive points of a curve, taken together.</summary>
/// <param name="Step">The last one's.</param>
public readonly record struct CurvePoint(long Step, double Mean, double Min, double Max);

/// <summary>
/// A curve of any number of points in bounded memory: points are taken together in buckets of equal counts, and when
/// the buckets are used up, neighbours become one. So it has between half of its capacity and all of it, evenly, and
/// the smallest and the largest value are never lost. Not for several threads.
/// </summary>
public sealed class Curve
{
    /// <summary>More than a chart has pixels in a column of a page.</summary>
    public const int DefaultCapacity = 1000;

    private struct Bucket
    {
        public long Step;
        public int Count;
        public double Sum, Min, Max;
    }

    private readonly Bucket[] _buckets;
    private int _used;
    private int _perBucket = 1;
    private int _changedFrom;

    /// <param name="capacity">Buckets, even.</param>
    public Curve(int capacity = DefaultCapacity)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(capacity, 2);
        ArgumentOutOfRangeException.ThrowIfNotEqual(capacity % 2, 0);
        _buckets = new Bucket[capacity];
    }

    public int Count => _used;

    /// <summary>Index of the first point that is new or different since <see cref="Settle"/>; <see cref="Count"/> when none is.</summary>
    public int ChangedFrom => Math.Min(_changedFrom, _used);

    public CurvePoint this[int index]
    {
        get
        {
            ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(index, _used);
            ref readonly var bucket = ref _buckets[index];
            return new CurvePoint(bucket.Step, bucket.Sum / bucket.Count, bucket.Min, bucket.Max);
        }
    }

    /// <param name="step">Not before the last one's.</param>
    /// <param name="value">What is no number has no place on a chart and is left out.</param>
    public void Add(long step, double value)
    {
        if (!float.IsFinite((float)value)) return;
        if (_used > 0 && _buckets[_used - 1].Count < _perBucket)
        {
            ref var last = ref _buckets[_used - 1];
            last.Step = step;
            last.Count++;
            last.Sum += value;
            last.Min = Math.Min(last.Min, value);
            last.Max = Math.Max(last.Max, value);
            _changedFrom = Math.Min(_changedFrom, _used - 1);
            return;
        }
        if (_used == _buckets.Length) Halve();
        _changedFrom = Math.Min(_changedFrom, _used);
        _buckets[_used++] = new Bucket { Step = step, Count = 1, Sum = value, Min = value, Max = value };
    }

    /// <summary>What there is now is known.</summary>
    public void Settle() => _changedFrom = _used;

    private void Halve()
    {
        for (var i = 0; i < _used / 2; i++)
        {
            ref readonly var left = ref _buckets[2 * i];
            ref readonly var right = ref _buckets[2 * i + 1];
            _buckets[i] = new Bucket
            {
                Step = right.Step,
                Count = left.Count + right.Count,
                Sum = left.Sum + right.Sum,
                Min = Math.Min(left.Min, right.Min),
                Max = Math.Max(left.Max, right.Max),
            };
        }
        _used /= 2;
        _perBucket *= 2;
        _changedFrom = 0;
    }
}
