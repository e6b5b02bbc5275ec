using Cluster.Contracts;
using Cluster.Workers.Data.Images;

namespace Cluster.Workers.Data.Shards;

/// <summary>Reads and transforms samples on several threads and gives them back in their order. Owns its threads; dispose it.</summary>
internal sealed class PackPipeline : IDisposable
{
    /// <summary>Images ahead of the writer, per thread: one that takes long does not stop the others at once.</summary>
    private const int AheadPerThread = 4;

    private sealed class Slot
    {
        public byte[] Bytes = [];
        public int Length;
        public bool IsReady;
        public Exception? Failure;
    }

    private readonly object _gate = new();
    private readonly IEncodedImages _images;
    private readonly SampleOrder _order;
    private readonly Slot[] _slots;
    private readonly Thread[] _threads;
    private int _begun;
    private int _taken;
    private bool _closed;

    /// <param name="first">Position of <paramref name="order"/> to begin at.</param>
    /// <param name="transform">Made once per thread.</param>
    public PackPipeline(IEncodedImages images, SampleOrder order, int first, int threads, Func<IPackTransform> transform)
    {
        (_images, _order, _begun, _taken) = (images, order, first, first);
        _slots = [.. Enumerable.Range(0, threads * AheadPerThread).Select(static _ => new Slot())];
        _threads = [.. Enumerable.Range(0, threads).Select(i => new Thread(() => Work(transform)) { IsBackground = true, Name = $"pack {i}" })];
        foreach (var thread in _threads) thread.Start();
    }

    /// <summary>Waits for the next sample and hands it to <paramref name="use"/>, which must not keep the bytes.</summary>
    /// <exception cref="ClusterException">The sample could not be read or transformed.</exception>
    public void Take(PackedImage use)
    {
        Slot slot;
        lock (_gate)
        {
            slot = _slots[_taken % _slots.Length];
            while (!slot.IsReady) Monitor.Wait(_gate);
        }
        if (slot.Failure is { } failure) throw failure;
        use(_order.SampleAt(_taken), slot.Bytes.AsSpan(0, slot.Length));
        lock (_gate)
        {
            slot.IsReady = false;
            _taken++;
            Monitor.PulseAll(_gate);
        }
    }

    public void Dispose()
    {
        lock (_gate)
        {
            _closed = true;
            Monitor.PulseAll(_gate);
        }
        foreach (var thread in _threads) thread.Join();
    }

    private void Work(Func<IPackTransform> make)
    {
        IPackTransform? transform = null;
        try
        {
            while (Begin() is var (slot, position))
            {
                Exception? failure = null;
                try
                {
                    transform ??= make();
                    Fill(slot, _order.SampleAt(position), transform);
                }
#pragma warning disable CA1031 // whatever it is, it belongs to the thread that writes
                catch (Exception e)
#pragma warning restore CA1031
                {
                    failure = e;
                }
                lock (_gate)
                {
                    (slot.Failure, slot.IsReady) = (failure, true);
                    Monitor.PulseAll(_gate);
                }
            }
        }
        finally
        {
            transform?.Dispose();
        }
    }

    private (Slot Slot, int Position)? Begin()
    {
        lock (_gate)
        {
            while (!_closed && _begun < _order.Count && _begun - _taken >= _slots.Length) Monitor.Wait(_gate);
            if (_closed || _begun >= _order.Count) return null;
            var position = _begun++;
            return (_slots[position % _slots.Length], position);
        }
    }

    private void Fill(Slot slot, int sample, IPackTransform transform)
    {
        slot.Length = _images.Read(sample, ref slot.Bytes);
        if (transform.Apply(ref slot.Bytes, ref slot.Length) is { } fault) throw new UnreadableSampleException(sample, $"{_images.PlaceOf(sample)}: the image {fault}");
    }
}

/// <param name="sample">Its number in the source.</param>
/// <param name="image">Encoded; valid during the call.</param>
internal delegate void PackedImage(int sample, ReadOnlySpan<byte> image);
