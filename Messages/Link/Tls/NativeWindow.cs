using System.Buffers;

namespace Cluster.Link;

/// <summary>Native or pinned memory as <see cref="Memory{T}"/>, for calls that take no pointer and finish before they return. One thread; moved from call to call.</summary>
internal sealed unsafe class NativeWindow : MemoryManager<byte>
{
    private byte* _start;
    private int _length;

    /// <summary>A stretch of memory, at most 2^31 - 1 bytes. The last one must not be used any more.</summary>
    public Memory<byte> Over(void* start, int length)
    {
        _start = (byte*)start;
        _length = length;
        return Memory;
    }

    public override Span<byte> GetSpan() => new(_start, _length);

    public override MemoryHandle Pin(int elementIndex = 0) => new(_start + elementIndex);

    public override void Unpin() { }

    protected override void Dispose(bool disposing) { }
}
