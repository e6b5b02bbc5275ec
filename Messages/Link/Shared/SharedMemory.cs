using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Cluster.Contracts;
using Microsoft.Win32.SafeHandles;
using static Cluster.Link.MemoryCalls;

namespace Cluster.Link;

/// <summary>
/// Memory that a peer on this machine can map too: one anonymous file (memfd_create(2)) per buffer, which has no name and is gone with
/// the last process that maps it. A link over a Unix socket hands tensors in it over without copying them. Small buffers, and
/// those beyond <see cref="Limits.SharedSegments"/>, get memory of this process alone, as do all where the system has no such files.
/// </summary>
public sealed class SharedMemory : IBufferMemory
{
    private static long _lastId;
    private static int _count;

    /// <summary>For all of this process: its bound is a bound of descriptors, which are the process' too.</summary>
    public static readonly SharedMemory Instance = new();

    private SharedMemory() { }

    /// <summary>Bytes of tag behind the floats: tells a receiver that the descriptor it got belongs to the frame that it came with.</summary>
    internal const int TagBytes = 32;

    /// <summary>Draws the second half of every tag of this process.</summary>
    private static readonly byte[] Nonce = RandomNumberGenerator.GetBytes(TagBytes - sizeof(ulong));

    /// <summary>Segments that exist now; for tests.</summary>
    internal static int Count => Volatile.Read(ref _count);

    /// <inheritdoc />
    public MemoryBlock Allocate(int floats)
    {
        if (floats < Limits.SharedBufferFloats) return PrivateMemory.Instance.Allocate(floats);
        if (Interlocked.Increment(ref _count) <= Limits.SharedSegments && TryMake(floats) is { } made) return made;
        Interlocked.Decrement(ref _count);
        return PrivateMemory.Instance.Allocate(floats);
    }

    private static unsafe SharedBlock? TryMake(int floats)
    {
        var bytes = FileBytes(floats);
        // Hardened systems want the third flag, kernels before 6.3 do not know it.
        var descriptor = Create("cluster-tensor", CloseOnExec | AllowSealing | NeverExecutable);
        if (descriptor < 0) descriptor = Create("cluster-tensor", CloseOnExec | AllowSealing);
        if (descriptor < 0) return null;
        var handle = new SafeFileHandle(descriptor, ownsHandle: true);
        if (Truncate(handle, bytes) == 0 && Map(null, (nuint)bytes, ProtectRead | ProtectWrite, MapShared, handle, 0) is var start && start != MapFailed)
        {
            // Advice where the system takes it; the pages themselves are wanted now: later their lack would be a SIGBUS.
            _ = Advise(start, (nuint)bytes, HugePages);
            // FutureWrite: the receiver can map it for reading only. Kernels before 5.1 do not know it.
            if (Reserve(handle, start, bytes) && (Control(handle, AddSeals, Seals | FutureWrite) == 0 || Control(handle, AddSeals, Seals) == 0))
            {
                var block = new SharedBlock((float*)start, (ulong)Interlocked.Increment(ref _lastId), bytes, handle);
                SharedBlock.Count(block);
                WriteTag(block.Id, new Span<byte>((byte*)start + bytes - TagBytes, TagBytes));
                return block;
            }
            _ = Unmap(start, (nuint)bytes);
        }
        handle.Dispose();
        return null;
    }

    private static unsafe bool Reserve(SafeFileHandle handle, void* start, long bytes) =>
        Advise(start, (nuint)bytes, PopulateWrite) == 0 || (Marshal.GetLastPInvokeError() == EINVAL && ReserveBlocks(handle, 0, 0, bytes) == 0);

    /// <summary>The floats, then the tag, up to the edge of a page.</summary>
    private static long FileBytes(int floats) => (((long)floats * sizeof(float)) + TagBytes + Environment.SystemPageSize - 1) / Environment.SystemPageSize * Environment.SystemPageSize;

    internal static void WriteTag(ulong id, Span<byte> to)
    {
        BitConverter.TryWriteBytes(to, id);
        Nonce.CopyTo(to[sizeof(ulong)..]);
    }

    internal static void Freed() => Interlocked.Decrement(ref _count);
}

/// <summary>A buffer's own anonymous file, mapped for writing.</summary>
/// <param name="id">Never used again in this process.</param>
/// <param name="bytes">Of the file: the floats, and the tag at its end.</param>
/// <param name="file">For handing it to a peer.</param>
internal sealed unsafe class SharedBlock(float* start, ulong id, long bytes, SafeFileHandle file) : MemoryBlock(start)
{
    private volatile bool _isFreed;

    public ulong Id { get; } = id;

    public long Bytes { get; } = bytes;

    public SafeFileHandle File { get; } = file;

    /// <summary>Peers that have mapped it may let go of it.</summary>
    public bool IsFreed => _isFreed;

    /// <summary>Once it is made for good.</summary>
    public static void Count(SharedBlock block) => Allocated(block.Bytes);

    protected override void Free()
    {
        _isFreed = true;
        _ = Unmap(Start, (nuint)Bytes);
        File.Dispose();
        SharedMemory.Freed();
        Allocated(-Bytes);
    }
}
