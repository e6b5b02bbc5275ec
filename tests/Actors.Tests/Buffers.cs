using Cluster.Contracts;

namespace Cluster.Actors.Tests;

/// <summary>Buffers whose way back a test can prove.</summary>
internal sealed class Buffers : IDisposable
{
    private readonly Dictionary<int, NativeBufferPool> _pools = [];

    /// <summary>[length], every float the same.</summary>
    public NativeBuffer Of(int length, float value = 0)
    {
        if (!_pools.TryGetValue(length, out var pool)) _pools[length] = pool = new NativeBufferPool(length);
        var buffer = pool.Rent();
        buffer.Span.Fill(value);
        return buffer;
    }

    /// <summary>How many are not back: so many new ones are needed to have as many as were made.</summary>
    public int Held
    {
        get
        {
            var held = 0;
            foreach (var pool in _pools.Values)
            {
                var made = pool.Created;
                var rented = Enumerable.Range(0, made).Select(_ => pool.Rent()).ToArray();
                held += pool.Created - made;
                foreach (var buffer in rented) buffer.Dispose();
            }
            return held;
        }
    }

    public void Dispose()
    {
        foreach (var pool in _pools.Values) pool.Dispose();
    }
}
