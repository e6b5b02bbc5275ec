namespace Cluster.Contracts;

/// <summary>
/// Floats in native memory, aligned and zeroed, shared by reference count: the in-process form of a tensor message.
/// Created with one reference; whoever sends it on adds one for the receiver, who releases it. The memory goes back to
/// <see cref="NativeBufferPool"/> (or to where it came from) when the last reference is released.
/// </summary>
/// <remarks>
/// Counting is thread-safe; the content is not: a buffer is written by its creator only, and only before it is shared. One
/// that came from another process (<see cref="Over"/>) may be mapped for reading alone: writing to it ends this process.
/// </remarks>
public sealed unsafe class NativeBuffer : IDisposable
{
    private readonly NativeBufferPool? _pool;
    private float* _pointer;
    private int _references;
    private volatile bool _isRetired;

    internal NativeBuffer(int length, MemoryBlock block, NativeBufferPool? pool)
    {
        Length = length;
        Block = block;
        _pool = pool;
        _pointer = block.Start;
    }

    /// <summary>A buffer of its own, outside any pool.</summary>
    /// <param name="memory">Where from; null = memory of this process alone.</param>
    public static NativeBuffer Allocate(int length, IBufferMemory? memory = null)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(length);
        return new(length, (memory ?? PrivateMemory.Instance).Allocate(length), null) { _references = 1 };
    }

    /// <summary>A buffer over memory that is there already, with one reference. The block is freed with the last one.</summary>
    /// <param name="length">Floats; the block has at least as many. Its start may have any alignment of a float.</param>
    public static NativeBuffer Over(MemoryBlock block, int length)
    {
        ArgumentNullException.ThrowIfNull(block);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(length);
        return new(length, block, null) { _references = 1 };
    }

    /// <summary>Number of floats.</summary>
    public int Length { get; }

    /// <summary>What lies under it.</summary>
    public MemoryBlock Block { get; }

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

    /// <summary>
    /// Nobody writes to this memory any more: with its last reference it is freed and does not return to its pool. For whoever cannot
    /// learn whether another process still reads it; that process keeps a mapping of its own. Called by the holder of a reference.
    /// </summary>
    public void Retire() => _isRetired = true;

    /// <summary>Releases one reference.</summary>
    public void Dispose()
    {
        var left = Interlocked.Decrement(ref _references);
        if (left < 0) throw new ObjectDisposedException(nameof(NativeBuffer), "released more often than shared");
        if (left > 0 || (_pool is not null && _pool.TakeBack(this, _isRetired))) return;
        Free();
    }

    internal void Revive() => Volatile.Write(ref _references, 1);

    internal void Free()
    {
        if (_pointer == null) return;
        _pointer = null;
        GC.SuppressFinalize(this);
        Block.Free();
    }

    ~NativeBuffer() => Free();
}

/// <summary>Buffers of one length, kept for the next step instead of being freed. Thread-safe.</summary>
/// <param name="memory">Where they come from; null = memory of this process alone.</param>
public sealed class NativeBufferPool(int length, IBufferMemory? memory = null) : IDisposable
{
    private readonly Stack<NativeBuffer> _free = new();
    private readonly IBufferMemory _memory = memory ?? PrivateMemory.Instance;
    private bool _closed;

    public int Length { get; } = length > 0 ? length : throw new ArgumentOutOfRangeException(nameof(length));

    /// <summary>Buffers made so far and not retired (<see cref="NativeBuffer.Retire"/>): constant in steady state.</summary>
    public int Created { get; private set; }

    /// <summary>A buffer with one reference. Its content is that of its last use.</summary>
    public NativeBuffer Rent()
    {
        lock (_free)
        {
            ObjectDisposedException.ThrowIf(_closed, this);
            if (!_free.TryPop(out var buffer))
            {
                buffer = new NativeBuffer(Length, _memory.Allocate(Length), this);
                Created++;
            }
            buffer.Revive();
            return buffer;
        }
    }

    internal bool TakeBack(NativeBuffer buffer, bool isRetired)
    {
        lock (_free)
        {
            if (isRetired) Created--;
            if (_closed || isRetired) return false;
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
