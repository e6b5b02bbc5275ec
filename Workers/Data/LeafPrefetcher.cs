using System.Diagnostics;
using Cluster.Contracts;

namespace Cluster.Workers.Data;

/// <summary>
/// Prepares the leaves of one worker ahead of its device: a thread of its own (never the thread pool's) reads, augments
/// and normalises into a few slots that are reused for the whole run. In steady state nothing is allocated.
/// </summary>
/// <remarks>
/// <see cref="Request"/> and <see cref="Forget"/> may come from any thread; <see cref="Take"/> from one, the worker's
/// compute thread. A request is a hint: a leaf that nobody asked for, or whose request was dropped, is prepared when taken.
/// </remarks>
public sealed class LeafPrefetcher : IDisposable
{
    /// <summary>Leaves that may wait in the queue: all of two steps. A hint beyond that is dropped.</summary>
    private const int MostRequests = 2 * Limits.MaxMicrobatches;

    private readonly object _gate = new();
    private readonly List<(StepPlan Plan, int Leaf)> _queue = new(64);
    private readonly LeafSlot[] _slots;
    private readonly IDataset _dataset;
    private readonly AugmentationPipeline _pipeline;
    private readonly ulong _seed;
    private readonly int _maxLeafSamples;
    private readonly Thread _thread;
    private readonly byte[] _pixels;

    /// <summary>The orders of the current epoch and of the next, by parity: leaves of both are asked for around its end.</summary>
    private readonly SampleOrder?[] _orders = new SampleOrder?[2];
    private long _sequence;
    private bool _closed;

    /// <param name="dataset">The training split. Stays the caller's to dispose, after this.</param>
    /// <param name="pipeline">Made for the same shape and the same seed.</param>
    /// <param name="seed">The run's seed: keys the sample order.</param>
    /// <param name="maxLeafSamples">Samples of the largest leaf: B / K.</param>
    /// <param name="name">For the thread's name, for example <c>worker-0</c>.</param>
    /// <param name="slots">At least 2; memory is slots · maxLeafSamples images of float32.</param>
    public LeafPrefetcher(IDataset dataset, AugmentationPipeline pipeline, ulong seed, int maxLeafSamples, string name, int slots = Limits.PrefetchedLeaves)
    {
        ArgumentNullException.ThrowIfNull(dataset);
        ArgumentNullException.ThrowIfNull(pipeline);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(maxLeafSamples);
        ArgumentOutOfRangeException.ThrowIfLessThan(slots, 2);
        if (pipeline.Shape != dataset.Shape) throw new ArgumentException($"the pipeline is for {pipeline.Shape}, the data set has {dataset.Shape}", nameof(pipeline));
        (_dataset, _pipeline, _seed, _maxLeafSamples) = (dataset, pipeline, seed, maxLeafSamples);
        _pixels = new byte[dataset.Shape.Floats];
        _slots = new LeafSlot[slots];
        for (var i = 0; i < slots; i++) _slots[i] = new LeafSlot(maxLeafSamples, dataset.Shape);
        _thread = new Thread(FillUntilClosed) { IsBackground = true, Name = $"prefetch {name}" };
        _thread.Start();
    }

    /// <summary>Says that a leaf will be wanted; leaves are prepared in the order of the requests. Returns at once; a repeated request does nothing.</summary>
    /// <exception cref="ArgumentException">The leaf is larger than this prefetcher's slots.</exception>
    public void Request(StepPlan plan, int leaf)
    {
        ThrowUnlessItFits(plan, leaf);
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_closed, this);
            if (_queue.Count >= MostRequests || Find(plan, leaf) is not null || _queue.Contains((plan, leaf))) return;
            _queue.Add((plan, leaf));
            Monitor.PulseAll(_gate);
        }
    }

    /// <summary>Blocks until the leaf is ready. Ahead of everything else when it was not begun yet.</summary>
    /// <returns>A claim on a slot; dispose it.</returns>
    /// <exception cref="ClusterException">A sample of it could not be read or augmented; a further call tries again.</exception>
    /// <exception cref="InvalidOperationException">All slots are held by leaves that were taken and not disposed.</exception>
    public PreparedLeaf Take(StepPlan plan, int leaf)
    {
        ThrowUnlessItFits(plan, leaf);
        long waitingSince = 0;
        lock (_gate)
        {
            while (true)
            {
                ObjectDisposedException.ThrowIf(_closed, this);
                var slot = Find(plan, leaf);
                if (slot is { State: SlotState.Ready })
                {
                    slot.State = SlotState.Taken;
                    return new PreparedLeaf(this, slot, waitingSince == 0 ? TimeSpan.Zero : Stopwatch.GetElapsedTime(waitingSince));
                }
                if (slot is { State: SlotState.Failed })
                {
                    var failure = slot.Failure!;
                    Release(slot);
                    throw failure;
                }
                if (waitingSince == 0) waitingSince = Stopwatch.GetTimestamp();
                if (slot is null) PutFirst(plan, leaf);
                Monitor.Wait(_gate);
            }
        }
    }

    /// <summary>Drops every leaf of steps before <paramref name="before"/> that nobody has taken.</summary>
    public void Forget(StepId before)
    {
        lock (_gate)
        {
            for (var i = _queue.Count - 1; i >= 0; i--)
                if (_queue[i].Plan.Step < before) _queue.RemoveAt(i);
            foreach (var slot in _slots)
            {
                if (slot.State is SlotState.Free or SlotState.Taken || slot.Plan.Step >= before) continue;
                if (slot.State == SlotState.Filling) slot.Unwanted = true;
                else Release(slot);
            }
        }
    }

    /// <summary>Stops the thread, after the leaf in work, and frees the slots; one that is still taken is freed when it is returned.</summary>
    public void Dispose()
    {
        lock (_gate)
        {
            if (_closed) return;
            _closed = true;
            Monitor.PulseAll(_gate);
        }
        _thread.Join();
        lock (_gate)
        {
            foreach (var slot in _slots)
                if (slot.State != SlotState.Taken) slot.Images.Dispose();
        }
    }

    internal void Return(LeafSlot slot, int claim)
    {
        lock (_gate)
        {
            if (slot.Claim != claim || slot.State != SlotState.Taken) return;
            Release(slot);
            if (_closed) slot.Images.Dispose();
        }
    }

    private void ThrowUnlessItFits(StepPlan plan, int leaf)
    {
        var count = plan.Leaf(leaf).Count;
        if (count > _maxLeafSamples) throw new ArgumentException($"leaf {leaf} of step {plan.Step} has {count} samples, the slots hold {_maxLeafSamples}", nameof(plan));
    }

    /// <summary>The slot that holds or will hold the leaf. A taken one does not count: its claim belongs to someone else.</summary>
    private LeafSlot? Find(StepPlan plan, int leaf)
    {
        foreach (var slot in _slots)
            if (slot.State is SlotState.Filling or SlotState.Ready or SlotState.Failed && !slot.Unwanted && slot.Leaf == leaf && slot.Plan == plan) return slot;
        return null;
    }

    /// <summary>Makes the leaf the next to be filled, and room for it: the prepared leaf that is needed last goes back to the queue.</summary>
    private void PutFirst(StepPlan plan, int leaf)
    {
        if (_queue.Count == 0 || _queue[0] != (plan, leaf))
        {
            _queue.Remove((plan, leaf));
            _queue.Insert(0, (plan, leaf));
        }
        LeafSlot? last = null;
        var filling = false;
        foreach (var slot in _slots)
        {
            if (slot.State == SlotState.Free)
            {
                Monitor.PulseAll(_gate);
                return;
            }
            filling |= slot.State == SlotState.Filling;
            if (slot.State is SlotState.Ready or SlotState.Failed && (last is null || slot.Sequence > last.Sequence)) last = slot;
        }
        if (last is not null)
        {
            _queue.Insert(1, (last.Plan, last.Leaf));
            Release(last);
        }
        else if (!filling)
        {
            _queue.RemoveAt(0);
            throw new InvalidOperationException($"all {_slots.Length} slots of {_thread.Name} are held: dispose a prepared leaf before taking leaf {leaf} of step {plan.Step}");
        }
    }

    private void Release(LeafSlot slot)
    {
        slot.State = SlotState.Free;
        slot.Failure = null;
        slot.Unwanted = false;
        slot.Claim++;
        Monitor.PulseAll(_gate);
    }

    private void FillUntilClosed()
    {
        while (Next() is { } slot)
        {
            Exception? failure = null;
            try
            {
                Fill(slot);
            }
#pragma warning disable CA1031 // whatever it is, it belongs to the thread that takes the leaf
            catch (Exception e)
#pragma warning restore CA1031
            {
                failure = e;
            }
            lock (_gate)
            {
                if (slot.Unwanted)
                {
                    Release(slot);
                    continue;
                }
                slot.Failure = failure;
                slot.State = failure is null ? SlotState.Ready : SlotState.Failed;
                Monitor.PulseAll(_gate);
            }
        }
    }

    /// <summary>Waits for a request and a free slot; null when closed.</summary>
    private LeafSlot? Next()
    {
        lock (_gate)
        {
            while (!_closed)
            {
                var free = _queue.Count == 0 ? null : Array.Find(_slots, static s => s.State == SlotState.Free);
                if (free is not null)
                {
                    (free.Plan, free.Leaf) = _queue[0];
                    _queue.RemoveAt(0);
                    free.State = SlotState.Filling;
                    free.Sequence = _sequence++;
                    return free;
                }
                Monitor.Wait(_gate);
            }
            return null;
        }
    }

    private void Fill(LeafSlot slot)
    {
        var plan = slot.Plan;
        var (first, count) = plan.Leaf(slot.Leaf);
        var floats = _dataset.Shape.Floats;
        var images = slot.Images.Span;
        var order = OrderOf(plan.Epoch);
        var digest = new SampleDigest();
        for (var i = 0; i < count; i++)
        {
            var sample = order.SampleAt(first + i);
            try
            {
                slot.Labels[i] = _dataset.Read(sample, _pixels);
                _pipeline.Apply(plan.Epoch, sample, _pixels, images.Slice(i * floats, floats));
            }
            catch (Exception e)
            {
                throw new ClusterException(
                    $"sample {sample} of {_dataset.Name} ({_dataset.Split}) could not be prepared for leaf {slot.Leaf} of step {plan.Step}: {e.Message}", e);
            }
            digest.Add(sample);
        }
        (slot.SampleCount, slot.Digest) = (count, digest.Value);
    }

    private SampleOrder OrderOf(long epoch)
    {
        ref var order = ref _orders[epoch & 1];
        if (order is null || order.Epoch != epoch) order = new SampleOrder(_seed, epoch, _dataset.Count);
        return order;
    }
}
