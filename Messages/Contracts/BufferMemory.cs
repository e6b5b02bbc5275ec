using System.Runtime.InteropServices;

namespace Cluster.Contracts;

/// <summary>The memory under a <see cref="NativeBuffer"/>.</summary>
/// <param name="start">Its first float.</param>
public abstract unsafe class MemoryBlock(float* start)
{
    private static long _live;

    public float* Start { get; } = start;

    /// <summary>Bytes that this process has allocated for buffers and not freed; what peers have lent it is theirs.</summary>
    public static long LiveBytes => Interlocked.Read(ref _live);

    /// <summary>Called with what was allocated, and with its negative when it is freed. Any thread.</summary>
    protected static void Allocated(long bytes) => Interlocked.Add(ref _live, bytes);

    /// <summary>Gives the memory back. Called once, on any thread, the finalizer's included: it must not throw.</summary>
    protected internal abstract void Free();
}

/// <summary>Where the memory of buffers comes from. Thread-safe.</summary>
public interface IBufferMemory
{
    /// <summary>Zeroed memory for <paramref name="floats"/> floats, aligned to <see cref="Limits.TensorAlignmentBytes"/>.</summary>
    /// <exception cref="OutOfMemoryException">There is none.</exception>
    MemoryBlock Allocate(int floats);
}

/// <summary>Memory of this process alone.</summary>
public sealed unsafe class PrivateMemory : IBufferMemory
{
    public static readonly PrivateMemory Instance = new();

    private PrivateMemory() { }

    public MemoryBlock Allocate(int floats) => new Block((nuint)floats * sizeof(float));

    private sealed class Block : MemoryBlock
    {
        private readonly long _bytes;

        public Block(nuint bytes)
            : base((float*)NativeMemory.AlignedAlloc(bytes, Limits.TensorAlignmentBytes))
        {
            _bytes = (long)bytes;
            NativeMemory.Clear(Start, bytes);
            GC.AddMemoryPressure(_bytes);
            Allocated(_bytes);
        }

        protected internal override void Free()
        {
            NativeMemory.AlignedFree(Start);
            GC.RemoveMemoryPressure(_bytes);
            Allocated(-_bytes);
        }
    }
}
