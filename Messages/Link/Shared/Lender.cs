using Cluster.Contracts;

namespace Cluster.Link;

/// <summary>How a tensor travels.</summary>
internal enum Passage
{
    /// <summary>Its bytes, through the socket.</summary>
    Copy,

    /// <summary>Its bytes, and before them the segment that it lies in, so that the next tensor there can be lent.</summary>
    Introduce,

    /// <summary>Only where it lies.</summary>
    Lend,
}

/// <summary>
/// What one link has lent to its peer. A lent buffer keeps a reference until its ticket comes back; when the link ends before, the
/// buffer is retired: nobody can say whether the peer still reads it, so nobody writes to it again. Thread-safe; does no input or output.
/// </summary>
/// <param name="isAllowed">False: everything is copied.</param>
/// <param name="maxLentBytes">Beyond this, and with something lent already, tensors are copied.</param>
internal sealed class Lender(bool isAllowed, long maxLentBytes)
{
    private sealed class Segment(SharedBlock block)
    {
        public SharedBlock Block { get; } = block;

        /// <summary>The peer has mapped it.</summary>
        public bool IsMapped { get; set; }
    }

    private readonly Dictionary<ulong, Segment> _segments = [];
    private readonly Dictionary<ulong, (NativeBuffer Buffer, long Bytes)> _lent = [];
    private long _introducedBytes, _lentBytes;
    private ulong _lastTicket;
    private bool _hasEnded;

    /// <summary>Buffers that the peer holds now.</summary>
    public int LentCount
    {
        get
        {
            lock (_segments) return _lent.Count;
        }
    }

    /// <summary>Segments that the peer has mapped.</summary>
    public int MappedCount
    {
        get
        {
            lock (_segments) return _segments.Values.Count(static s => s.IsMapped);
        }
    }

    /// <summary>Tensors lent so far.</summary>
    public long TotalLent { get; private set; }

    /// <summary>
    /// How this tensor travels. <see cref="Passage.Lend"/> takes over the item's reference, under <paramref name="ticket"/>;
    /// <see cref="Passage.Introduce"/> counts on the caller to introduce the segment.
    /// </summary>
    public Passage Decide(BulkItem item, out ulong ticket)
    {
        ticket = 0;
        if (!isAllowed || item.Floats < Limits.SharedBufferFloats || item.Header.Length > Limits.LinkHeaderBytes - SharedFrames.LentBytes || item.Payload.Block is not SharedBlock block)
            return Passage.Copy;
        lock (_segments)
        {
            if (_hasEnded) return Passage.Copy;
            if (!_segments.TryGetValue(block.Id, out var segment))
            {
                if (_segments.Count >= Limits.LinkSegments || _introducedBytes + block.Bytes > Limits.LinkMappedBytes) return Passage.Copy;
                _segments.Add(block.Id, new Segment(block));
                _introducedBytes += block.Bytes;
                return Passage.Introduce;
            }
            if (!segment.IsMapped || _lent.Count >= Limits.LinkBulkQueueFrames || (_lent.Count > 0 && _lentBytes + item.Bytes > maxLentBytes)) return Passage.Copy;
            ticket = ++_lastTicket;
            _lent.Add(ticket, (item.Payload, item.Bytes));
            _lentBytes += item.Bytes;
            TotalLent++;
            return Passage.Lend;
        }
    }

    /// <summary>Segments whose memory is gone, once each: the peer is to forget them before it hears of new ones.</summary>
    public IReadOnlyList<ulong> TakeFreed()
    {
        lock (_segments)
        {
            List<ulong>? freed = null;
            foreach (var (id, segment) in _segments)
                if (segment.Block.IsFreed) (freed ??= []).Add(id);
            if (freed is null) return [];
            foreach (var id in freed)
                if (_segments.Remove(id, out var gone)) _introducedBytes -= gone.Block.Bytes;
            return freed;
        }
    }

    /// <summary>The peer has mapped a segment. It may have been freed meanwhile.</summary>
    public void Confirm(ulong id)
    {
        lock (_segments)
        {
            if (_segments.TryGetValue(id, out var segment)) segment.IsMapped = true;
        }
    }

    /// <summary>The peer has let go of a tensor.</summary>
    /// <returns>False: it was never lent, or has come back before.</returns>
    public bool TakeBack(ulong ticket)
    {
        (NativeBuffer Buffer, long Bytes) back;
        lock (_segments)
        {
            if (_hasEnded) return true;
            if (!_lent.Remove(ticket, out back)) return false;
            _lentBytes -= back.Bytes;
        }
        back.Buffer.Dispose();
        return true;
    }

    /// <summary>The link has ended: whatever the peer still holds is never written again.</summary>
    public void End()
    {
        NativeBuffer[] held;
        lock (_segments)
        {
            if (_hasEnded) return;
            _hasEnded = true;
            held = [.. _lent.Values.Select(static l => l.Buffer)];
            _lent.Clear();
            _segments.Clear();
        }
        foreach (var buffer in held)
        {
            buffer.Retire();
            buffer.Dispose();
        }
    }
}
