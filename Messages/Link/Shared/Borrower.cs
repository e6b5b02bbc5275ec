using Cluster.Contracts;
using Microsoft.Win32.SafeHandles;
using static Cluster.Link.MemoryCalls;

namespace Cluster.Link;

/// <summary>
/// The segments of one peer that this process has mapped, for reading only. Nothing in one is touched before its descriptor has
/// been found to be the announced file, whole, and sealed: a file that could still shrink would end this process with SIGBUS.
/// The bulk reader's thread alone; what it lends on may be released on any.
/// </summary>
/// <param name="giveBack">Called with the ticket when a lent tensor is released; any thread, must not throw.</param>
internal sealed class Borrower(Action<ulong> giveBack) : IDisposable
{
    private readonly Dictionary<ulong, Mapping> _segments = [];
    private long _bytes;

    /// <summary>Maps what a frame announced.</summary>
    /// <param name="take">The next descriptor that came over the connection; null = none is left.</param>
    /// <param name="id">The segment.</param>
    /// <param name="isMapped">False: there is no such descriptor (something between the processes passes bytes only), or no memory. The peer goes on to send copies.</param>
    public FrameFault? Introduce(ReadOnlySpan<byte> head, Func<SafeFileHandle?> take, out ulong id, out bool isMapped)
    {
        isMapped = false;
        if (!SharedFrames.TryReadSegment(head, out id, out var bytes, out var tag) || bytes < SharedMemory.TagBytes) return Wrong("a shared segment was announced in a way that cannot be read");
        if (_segments.ContainsKey(id)) return Wrong($"shared segment {id} was announced twice");
        if (_segments.Count >= Limits.LinkSegments || bytes > Limits.LinkMappedBytes - _bytes)
            return new FrameFault(LinkEnd.Oversize, $"shared segment {id} of {bytes} bytes was announced, {_segments.Count} of {_bytes} bytes are mapped: at most {Limits.LinkSegments} of {Limits.LinkMappedBytes} are allowed");
        // Descriptors come in order, but one may have been lost on the way: those before ours are nobody's.
        while (take() is { } file)
        {
            using (file)
            {
                if (Mapping.TryMap(file, bytes, tag) is not { } mapping) continue;
                _segments.Add(id, mapping);
                _bytes += bytes;
                isMapped = true;
                return null;
            }
        }
        return null;
    }

    /// <summary>The peer has freed a segment: its memory is ours alone until the last tensor in it is released.</summary>
    public FrameFault? Forget(ReadOnlySpan<byte> head)
    {
        if (!SharedFrames.TryReadNumber(head, out var id)) return Wrong("a shared segment was withdrawn in a way that cannot be read");
        // Unknown = announced, but not mapped here.
        if (!_segments.Remove(id, out var mapping)) return null;
        _bytes -= mapping.Bytes;
        mapping.Release();
        return null;
    }

    /// <summary>The tensor of a lent frame, as a buffer with one reference; with the last one its ticket goes back.</summary>
    public FrameFault? Borrow(in LentHead lent, out NativeBuffer? buffer)
    {
        buffer = null;
        if (!_segments.TryGetValue(lent.Segment, out var mapping)) return Wrong($"a tensor was lent in shared segment {lent.Segment}, which is not mapped");
        if (lent.Floats is < 1 or > Limits.LinkBulkFloats || lent.First < 0 || lent.First > mapping.Floats - lent.Floats)
            return new FrameFault(LinkEnd.Oversize, $"floats {lent.First} to {lent.First + lent.Floats} were lent of a shared segment that has {mapping.Floats}");
        buffer = NativeBuffer.Over(new Loan(mapping, lent.First, lent.Ticket, giveBack), lent.Floats);
        return null;
    }

    /// <summary>The link has ended. Tensors that somebody still holds keep their memory.</summary>
    public void Dispose()
    {
        foreach (var mapping in _segments.Values) mapping.Release();
        _segments.Clear();
        _bytes = 0;
    }

    private static FrameFault Wrong(string sentence) => new(LinkEnd.Protocol, sentence);

    /// <summary>A part of a mapping that one tensor lies in.</summary>
    private sealed unsafe class Loan(Mapping mapping, long first, ulong ticket, Action<ulong> giveBack) : MemoryBlock(mapping.Share().At(first))
    {
        protected override void Free()
        {
            mapping.Release();
            giveBack(ticket);
        }
    }

    /// <summary>A peer's segment in this process' memory, until its last reference is released.</summary>
    private sealed unsafe class Mapping
    {
        private readonly void* _start;
        private int _references = 1;

        private Mapping(void* start, long bytes)
        {
            _start = start;
            Bytes = bytes;
        }

        public long Bytes { get; }

        public long Floats => (Bytes - SharedMemory.TagBytes) / sizeof(float);

        public float* At(long first) => (float*)_start + first;

        public static Mapping? TryMap(SafeFileHandle file, long bytes, ReadOnlySpan<byte> tag)
        {
            // -1: no file that can be sealed, such as a pipe.
            var seals = Control(file, GetSeals, 0);
            if (seals < 0 || (seals & (SealShrink | SealGrow)) != (SealShrink | SealGrow) || RandomAccess.GetLength(file) != bytes) return null;
            var start = Map(null, (nuint)bytes, ProtectRead, MapShared, file, 0);
            if (start == MapFailed) return null;
            var mapping = new Mapping(start, bytes);
            if (!tag.SequenceEqual(new ReadOnlySpan<byte>((byte*)start + bytes - SharedMemory.TagBytes, SharedMemory.TagBytes)))
            {
                mapping.Release();
                return null;
            }
            // Page tables now rather than page by page in the first step; older kernels do without.
            _ = Advise(start, (nuint)bytes, HugePages);
            _ = Advise(start, (nuint)bytes, PopulateRead);
            return mapping;
        }

        public Mapping Share()
        {
            Interlocked.Increment(ref _references);
            return this;
        }

        public void Release()
        {
            if (Interlocked.Decrement(ref _references) == 0) _ = Unmap(_start, (nuint)Bytes);
        }
    }
}
