using System.Buffers;

namespace Cluster.Chaos.Proxy;

/// <summary>Bytes on their way, in order, each segment with the time at which it may arrive. Copies what it is given. One thread.</summary>
public sealed class SegmentQueue
{
    private readonly Queue<Segment> _segments = new();
    private int _taken;
    private TimeSpan _lastDue;

    /// <summary>Bytes that wait.</summary>
    public int Bytes { get; private set; }

    /// <summary>When the first of them may arrive; <see cref="TimeSpan.MaxValue"/> if none waits.</summary>
    public TimeSpan NextDue => _segments.TryPeek(out var first) ? first.Due : TimeSpan.MaxValue;

    /// <summary>Due no earlier than what was added before: bytes of a stream do not overtake each other.</summary>
    public void Add(ReadOnlySpan<byte> bytes, TimeSpan due)
    {
        if (bytes.IsEmpty) return;
        if (due < _lastDue) due = _lastDue;
        _lastDue = due;
        var copy = ArrayPool<byte>.Shared.Rent(bytes.Length);
        bytes.CopyTo(copy);
        _segments.Enqueue(new Segment(copy, bytes.Length, due));
        Bytes += bytes.Length;
    }

    /// <summary>What may arrive now, of the first segment; empty if nothing.</summary>
    public ReadOnlySpan<byte> Peek(TimeSpan now) =>
        _segments.TryPeek(out var first) && first.Due <= now ? first.Bytes.AsSpan(_taken, first.Length - _taken) : [];

    /// <summary>So many bytes of what <see cref="Peek"/> returned have arrived.</summary>
    public void Take(int bytes)
    {
        _taken += bytes;
        Bytes -= bytes;
        if (_taken < _segments.Peek().Length) return;
        ArrayPool<byte>.Shared.Return(_segments.Dequeue().Bytes);
        _taken = 0;
    }

    /// <summary>Nothing that waits is due later than this: the delay has become shorter.</summary>
    public void Hasten(TimeSpan latest)
    {
        if (_lastDue <= latest) return;
        _lastDue = latest;
        for (var count = _segments.Count; count > 0; count--)
        {
            var segment = _segments.Dequeue();
            _segments.Enqueue(segment.Due > latest ? segment with { Due = latest } : segment);
        }
    }

    public void Clear()
    {
        while (_segments.TryDequeue(out var segment)) ArrayPool<byte>.Shared.Return(segment.Bytes);
        (_taken, Bytes) = (0, 0);
    }

    private readonly record struct Segment(byte[] Bytes, int Length, TimeSpan Due);
}
