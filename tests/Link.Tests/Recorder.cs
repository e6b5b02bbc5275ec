using System.Collections.Concurrent;
using System.Diagnostics;
using Cluster.Contracts;

namespace Cluster.Link.Tests;

/// <summary>A handler that writes down what it is told. Payloads go to buffers of its own pool, so a lost or doubled release shows.</summary>
internal sealed class Recorder : ILinkHandler, IDisposable
{
    /// <summary>A deadline for what should take milliseconds: only a failing test waits so long.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private readonly ConcurrentDictionary<int, NativeBufferPool> _pools = new();
    private readonly BlockingCollection<(ushort Type, byte[] Body)> _control = [];
    private readonly BlockingCollection<Arrival> _bulk = [];
    private readonly ManualResetEventSlim _closed = new();
    private readonly TaskCompletionSource<ILink> _opened = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _closedCount, _outstanding, _lost, _disposed;

    public sealed record Arrival(ushort Type, byte[] Header, NativeBuffer Buffer, int First, int Floats) : IDisposable
    {
        public Span<float> Values => Buffer.Span.Slice(First, Floats);

        public void Dispose() => Buffer.Dispose();
    }

    /// <summary>Replaces the default reaction to control messages.</summary>
    public Action<ILink, ushort, byte[]>? OnControl { get; init; }

    /// <summary>Asked before a payload is taken; a text refuses it.</summary>
    public Func<ushort, string?>? OnOffer { get; init; }

    /// <summary>Holds the bulk reader back.</summary>
    public ManualResetEventSlim? BulkGate { get; init; }

    /// <summary>Holds the control reader back.</summary>
    public ManualResetEventSlim? ControlGate { get; init; }

    public bool TakeReferences { get; init; }

    public LinkClosure? Closure { get; private set; }

    public long ClosedAt { get; private set; }

    public int ClosedCount => Volatile.Read(ref _closedCount);

    public int Lost => Volatile.Read(ref _lost);

    /// <summary>Offered and neither arrived nor lost: 0 after the end.</summary>
    public int Outstanding => Volatile.Read(ref _outstanding);

    public ILink Link => _opened.Task.Wait(Patience) ? _opened.Task.Result : throw new TimeoutException("the link did not open");

    public void Opened(ILink link) => _opened.SetResult(link);

    public void Control(ILink link, ushort type, ReadOnlySpan<byte> body)
    {
        ControlGate?.Wait();
        var copy = body.ToArray();
        if (OnControl is { } action) action(link, type, copy);
        else _control.Add((type, copy));
    }

    public BulkTarget Bulk(ILink link, in BulkOffer offer)
    {
        BulkGate?.Wait();
        if (OnOffer?.Invoke(offer.Type) is { } reason) return BulkTarget.Refuse(reason);
        Interlocked.Increment(ref _outstanding);
        if (TakeReferences && offer.Shared is not null) return BulkTarget.ByReference();
        // One float further in than needed: an off-by-one in the offset shows.
        return BulkTarget.Into(_pools.GetOrAdd(offer.Floats + 1, n => new NativeBufferPool(n)).Rent(), 1, "tag");
    }

    public void BulkArrived(ILink link, in BulkArrival arrival)
    {
        Interlocked.Decrement(ref _outstanding);
        _bulk.Add(new Arrival(arrival.Type, arrival.Header.ToArray(), arrival.Target.Buffer!, arrival.Target.First, arrival.Floats));
    }

    public void BulkLost(ILink link, BulkTarget target)
    {
        Assert.Equal("tag", target.Tag);
        Interlocked.Decrement(ref _outstanding);
        Interlocked.Increment(ref _lost);
        target.Buffer!.Dispose();
    }

    public void Closed(ILink link, LinkClosure closure)
    {
        Closure = closure;
        ClosedAt = Stopwatch.GetTimestamp();
        Interlocked.Increment(ref _closedCount);
        _closed.Set();
    }

    public (ushort Type, byte[] Body) NextControl() => _control.TryTake(out var message, Patience) ? message : throw new TimeoutException($"no control message came; closure: {Closure}");

    public Arrival NextBulk() => _bulk.TryTake(out var arrival, Patience) ? arrival : throw new TimeoutException($"no bulk frame came; closure: {Closure}");

    public int WaitingBulk => _bulk.Count;

    public LinkClosure WaitForClosed() => _closed.Wait(Patience) ? Closure! : throw new TimeoutException("the link did not end");

    /// <summary>Releases the arrivals that nobody asked for; then every pooled buffer is back: renting as many as were made makes no new one.</summary>
    public void AssertNothingLeaked()
    {
        while (_bulk.TryTake(out var arrival)) arrival.Dispose();
        Assert.Equal(0, Outstanding);
        foreach (var pool in _pools.Values)
        {
            var made = pool.Created;
            var rented = Enumerable.Range(0, made).Select(_ => pool.Rent()).ToArray();
            Assert.Equal(made, pool.Created);
            foreach (var buffer in rented) buffer.Dispose();
        }
    }

    /// <summary>May be called twice: by its test and by <see cref="Peers"/>.</summary>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref _disposed, 1) == 1) return;
        while (_bulk.TryTake(out var arrival)) arrival.Dispose();
        foreach (var pool in _pools.Values) pool.Dispose();
        _control.Dispose();
        _bulk.Dispose();
    }
}
