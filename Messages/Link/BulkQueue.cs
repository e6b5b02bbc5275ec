using System.Diagnostics;
using Cluster.Contracts;

namespace Cluster.Link;

/// <summary>A tensor that waits to be written, with a reference of its own to its buffer.</summary>
internal sealed record BulkItem(ushort Type, byte[] Header, NativeBuffer Payload, int First, int Floats)
{
    public long Bytes => (long)Floats * sizeof(float);
}

/// <summary>Tensors on their way out, bounded in bytes and frames: senders wait for room, one writer takes. Thread-safe. Whatever is never taken is released by <see cref="Abandon"/>.</summary>
internal sealed class BulkQueue(long maxBytes, TimeSpan limit)
{
    private static readonly KeyValuePair<string, object?> Tag = new(ClusterTelemetry.Tags.Queue, "send");

    private readonly Queue<BulkItem> _items = new();
    private long _bytes;
    private int _frames;
    private bool _finished, _abandoned;

    /// <summary>How an attempt to add ended.</summary>
    public enum Result { Queued, Closed, TimedOut }

    /// <summary>Waits for room. Takes over the item's reference only if it was queued.</summary>
    public Result Add(BulkItem item)
    {
        var deadline = Stopwatch.GetTimestamp() + (long)(limit.TotalSeconds * Stopwatch.Frequency);
        lock (_items)
        {
            while (!_finished && _frames > 0 && (_bytes + item.Bytes > maxBytes || _frames >= Limits.LinkBulkQueueFrames))
            {
                var left = Stopwatch.GetElapsedTime(Stopwatch.GetTimestamp(), deadline);
                if (left <= TimeSpan.Zero) return Result.TimedOut;
                Monitor.Wait(_items, left);
            }
            if (_finished) return Result.Closed;
            _items.Enqueue(item);
            ClusterTelemetry.QueueDepth.Add(1, Tag);
            _bytes += item.Bytes;
            _frames++;
            Monitor.PulseAll(_items);
            return Result.Queued;
        }
    }

    /// <summary>Waits for the next item; the caller releases it and reports <see cref="Done"/>. Null: the queue has ended.</summary>
    public BulkItem? Take()
    {
        lock (_items)
        {
            for (; ; )
            {
                if (_items.TryDequeue(out var item))
                {
                    ClusterTelemetry.QueueDepth.Add(-1, Tag);
                    return item;
                }
                if (_finished) return null;
                Monitor.Wait(_items);
            }
        }
    }

    /// <summary>A taken item is written: its room is free.</summary>
    public void Done(BulkItem item)
    {
        lock (_items)
        {
            _bytes -= item.Bytes;
            _frames--;
            Monitor.PulseAll(_items);
        }
    }

    /// <summary>Nothing more is added; what is there may still be taken.</summary>
    public void Finish()
    {
        lock (_items)
        {
            _finished = true;
            Monitor.PulseAll(_items);
        }
    }

    /// <summary>True when everything that was added has been written or released.</summary>
    public bool IsEmpty
    {
        get
        {
            lock (_items) return _frames == 0;
        }
    }

    /// <summary>Nothing more is added or taken; what waits is released.</summary>
    public void Abandon()
    {
        lock (_items)
        {
            _finished = true;
            if (_abandoned) return;
            _abandoned = true;
            while (_items.TryDequeue(out var item))
            {
                _bytes -= item.Bytes;
                _frames--;
                ClusterTelemetry.QueueDepth.Add(-1, Tag);
                item.Payload.Dispose();
            }
            Monitor.PulseAll(_items);
        }
    }
}
