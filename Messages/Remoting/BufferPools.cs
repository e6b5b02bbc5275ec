using System.Collections.Concurrent;
using Cluster.Contracts;

namespace Cluster.Remoting;

/// <summary>Buffers for tensors that arrive, by length: a run has few lengths, and they come back every step. Thread-safe.</summary>
public sealed class BufferPools : IDisposable
{
    private readonly ConcurrentDictionary<int, NativeBufferPool> _pools = new();

    /// <summary>By length; for the tests that look for leaks.</summary>
    internal IEnumerable<NativeBufferPool> All => _pools.Values;

    public NativeBuffer Rent(int length) => _pools.GetOrAdd(length, static l => new NativeBufferPool(l)).Rent();

    public void Dispose()
    {
        foreach (var pool in _pools.Values) pool.Dispose();
    }
}
