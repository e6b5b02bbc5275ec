using System.Runtime.InteropServices;

namespace Cluster.Contracts;

/// <summary>
/// Floats in native memory, aligned and zeroed, shared by reference count: the in-process form of a tensor message.
/// Created with one reference; whoever sends it on adds one for the receiver, who releases it. The memory goes back to
/// <see cref="NativeBufferPool"/> (or to the system) when the last reference is released.
/// </summary>
/// <remarks>Counting is thread-safe; the content is not: a buffer is written by its creator only, and only before it is shared.</remarks>
public sealed unsafe class NativeBuffer : IDisposable
{
    private readonly NativeBufferPool? _pool;
    private float* _pointer;
    private int _references;

    internal NativeBuffer(int length, NativeBufferPool? pool)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(length);
        Length = length;
        _pool = pool;
        _pointer = (float*)NativeMemory.AlignedAlloc((nuint)length * sizeof(float), Limits.TensorAlignmentBytes);
        NativeMemory.Clear(_pointer, (nuint)length * sizeof(float));
        GC.AddMemoryPressure((long)length * sizeof(float));
    }

    /// <summary>A buffer of its own, outside any pool.</summary>
    public static NativeBuffer Allocate(int length) => new(length, null) { _references = 1 };

    /// <summary>Number of floats.</summary>
    public int Length { get; }

    /// <exception cref="ObjectDisposedException">No reference is left.</exception>
    public Span<float> Span
    {
        get
        {
            ObjectDisposedException.ThrowIf(Volatile.Read(ref _references) <= 0, this);
            return new Span<float>(_pointer, Length);
        }
    }

    /// <summary>Adds a reference for a receiver.</summary>
    public NativeBuffer Share()
    {
        if (Interlocked.Increment(ref _references) <= 1) throw new ObjectDisposedException(nameof(NativeBuffer), "the buffer was shared after its last release");
        return this;
    }

    /// <summary>Releases one reference.</summary>
    public void Dispose()
    {
        var left = Interlocked.Decrement(ref _references);
        if (left < 0) throw new ObjectDisposedException(nameof(NativeBuffer), "released more often than shared");
        if (left > 0) return;
        if (_pool is null || !_pool.TakeBack(this)) Free();
    }

    internal void Revive() => Volatile.Write(ref _references, 1);

    internal void Free()
    {
        if (_pointer == null) return;
        NativeMemory.AlignedFree(_pointer);
        _pointer = null;
        GC.RemoveMemoryPressure((long)Length * sizeof(float));
        GC.SuppressFinalize(this);
    }

    ~NativeBuffer() => Free();
}

/// <summary>Buffers of one length, kept for the next step instead of being freed. Thread-safe.</summary>
public sealed class NativeBufferPool(int length) : IDisposable
{
    private readonly Stack<NativeBuffer> _free = new();
    private bool _closed;

    public int Length { get; } = length;

    /// <summary>Buffers made so far: constant in steady state.</summary>
    public int Created { get; private set; }

    /// <summary>A buffer with one reference. Its content is that of its last use.</summary>
    public NativeBuffer Rent()
    {
        lock (_free)
        {
            ObjectDisposedException.ThrowIf(_closed, this);
            if (!_free.TryPop(out var buffer))
            {
                buffer = new NativeBuffer(Length, this);
                Created++;
            }
            buffer.Revive();
            return buffer;
        }
    }

    internal bool TakeBack(NativeBuffer buffer)
    {
        lock (_free)
        {
            if (_closed) return false;
            _free.Push(buffer);
            return true;
        }
    }

    public void Dispose()
    {
        lock (_free)
        {
            _closed = true;
            while (_free.TryPop(out var buffer)) buffer.Free();
        }
    }
}
