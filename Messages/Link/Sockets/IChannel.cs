using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Cluster.Link;

/// <summary>A stretch of native or pinned memory; laid out as <c>struct iovec</c> (readv(2)).</summary>
[StructLayout(LayoutKind.Sequential)]
internal readonly unsafe struct Segment(void* start, nuint length)
{
    public readonly void* Start = start;
    public readonly nuint Length = length;

    public Segment Skip(nuint count) => new((byte*)Start + count, Length - count);
}

/// <summary>
/// One connection as a stream of bytes: the seam between the frame codec and what carries it (a plain socket, or TLS over one). One thread reads and one writes at a time.
/// </summary>
internal interface IChannel : IDisposable
{
    /// <summary>
    /// Writes without waiting. Returns the number of bytes taken, 0 if none; -1: the connection is gone. A channel that encrypts takes all or
    /// nothing, and may keep some of it (<see cref="HasUnsent"/>).
    /// </summary>
    nint TrySend(ReadOnlySpan<Segment> segments);

    /// <summary>Bytes that were taken wait for room; the next call that sends writes them first, and a <see cref="SendAll(Span{Segment})"/> of nothing waits for it. The sender's thread.</summary>
    bool HasUnsent { get; }

    /// <summary>Writes everything, waiting for room. False: the connection is gone.</summary>
    bool SendAll(Span<Segment> segments);

    /// <summary>As <see cref="SendAll"/>, and hands a descriptor over with the first byte. Only where <see cref="CarriesDescriptors"/>.</summary>
    bool SendAll(Span<Segment> segments, SafeHandle descriptor);

    /// <summary>True for a channel over which descriptors can go: a Unix socket. Whether they arrive is another matter.</summary>
    bool CarriesDescriptors { get; }

    /// <summary>The next descriptor that came with what <see cref="Receive"/> has read; null: none. The caller disposes it. The reader's thread.</summary>
    SafeFileHandle? TakeDescriptor();

    /// <summary>Reads at least one byte into the segments, in order. 0: end of stream; -1: the connection is gone.</summary>
    nint Receive(ReadOnlySpan<Segment> segments);

    /// <summary>Reads what is there without waiting. 0: nothing yet; -1: end of stream or gone.</summary>
    nint TryReceive(Span<byte> to);

    /// <summary>True when bytes (or an end) are there within the time.</summary>
    bool WaitReadable(TimeSpan limit);

    /// <summary>No more is sent; the peer reads to the end.</summary>
    void FinishSending();

    /// <summary>Wakes whoever reads or writes; both see the end. The descriptor stays until Dispose.</summary>
    void Abort();

    /// <summary>For poll(2).</summary>
    int Descriptor { get; }
}
