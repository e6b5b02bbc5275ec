using System.Diagnostics;
using Cluster.Contracts;

namespace Cluster.Workers.Data;

/// <summary>
/// Prepares the leaves of one worker ahead of its device: threads of its own (never the thread pool's) read, decode,
/// augment and normalise into a few slots that are reused for the whole run. In steady state nothing is allocated.
/// </summary>
/// <remarks>
/// Several threads share the samples of one leaf, so that the leaf that is needed next is ready first.
/// <see cref="Request"/> and <see cref="Forget"/> may come from any thread; <see cref="Take"/> from one, the worker's
/// compute thread. A request is a hint: a leaf that nobody asked for, or whose request was dropped, is prepared when taken.
/// </remarks>
public sealed partial class LeafPrefetcher : IDisposable
{
    /// <summary>Leaves that may wait in the queue: all of two steps. A hint beyond that is dropped.</summary>
    private const int MostRequests = 2 * Limits.MaxMicrobatches;

    private readonly object _gate = new();
    private readonly List<LeafRequest> _queue = new(64);
    private readonly LeafSlot[] _slots;
    private readonly ISampleSource _source;
    private readonly ulong _seed;
    private readonly int _maxLeafSamples;
    private readonly string _name;
    private readonly Thread[] _threads;

    /// <summary>The orders of the current epoch and of the next, by parity: leaves of both are asked for around its end.</summary>
    private readonly SampleOrder?[] _orders = new SampleOrder?[2];
    private long _sequence;
    private bool _closed;

    /// <param name="source">The training split with its transform. The data set stays the caller's to dispose, after this.</param>
    /// <param name="seed">The run's seed: keys the sample order.</param>
    /// <param name="maxLeafSamples">Samples of the largest leaf: B / K.</param>
    /// <param name="name">For the threads' names, for example <c>worker-0</c>.</param>
    /// <param name="slots">At least 2; memory is slots · maxLeafSamples images of float32.</param>
    /// <param name="threads">At least 1.</param>
    public LeafPrefetcher(ISampleSource source, ulong seed, int maxLeafSamples, string name, int slots = Limits.PrefetchedLeaves, int threads = 1)
    {
        ArgumentNullException.ThrowIfNull(source);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(maxLeafSamples);
        ArgumentOutOfRangeException.ThrowIfLessThan(slots, 2);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(threads);
        (_source, _seed, _maxLeafSamples, _name) = (source, seed, maxLeafSamples, name);
        _slots = new LeafSlot[slots];
        for (var i = 0; i < slots; i++) _slots[i] = new LeafSlot(maxLeafSamples, source.Dataset.Shape);
        _threads = [.. Enumerable.Range(0, threads).Select(i => new Thread(FillUntilClosed) { IsBackground = true, Name = threads == 1 ? $"prefetch {name}" : $"prefetch {name} {i}" })];
        foreach (var thread in _threads) thread.Start();
    }

    /// <summary>
    /// Says that a leaf will be wanted; leaves are prepared in the order of the requests. Returns at once; a repeated request
    /// does nothing. What was asked for of the same step with other samples left out is of an attempt that is over, and is dropped.
    /// </summary>
    /// <param name="leftOut">Samples of the step that are not to be read, ascending; null = none. Must not change afterwards.</param>
    /// <exception cref="ArgumentException">The leaf is larger than this prefetcher's slots.</exception>
    public void Request(StepPlan plan, int leaf, IReadOnlyList<int>? leftOut = null)
    {
        ThrowUnlessItFits(plan, leaf);
        var request = new LeafRequest(plan, leaf, leftOut);
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_closed, this);
            Drop(default, request);
            if (_queue.Count >= MostRequests || Find(request) is not null || _queue.Contains(request)) return;
            _queue.Add(request);
            Monitor.PulseAll(_gate);
        }
    }

    /// <summary>Blocks until the leaf is ready. Ahead of everything else when it was not begun yet.</summary>
    /// <returns>A claim on a slot; dispose it. Look at <see cref="PreparedLeaf.Unreadable"/> first: a leaf with such samples is prepared anew by a further call.</returns>
    /// <exception cref="ClusterException">The medium failed; a further call tries again.</exception>
    /// <exception cref="InvalidOperationException">All slots are held by leaves that were taken and not disposed.</exception>
    public PreparedLeaf Take(StepPlan plan, int leaf, IReadOnlyList<int>? leftOut = null)
    {
        ThrowUnlessItFits(plan, leaf);
        var request = new LeafRequest(plan, leaf, leftOut);
        long waitingSince = 0;
        lock (_gate)
        {
            while (true)
            {
                ObjectDisposedException.ThrowIf(_closed, this);
                var slot = Find(request);
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
                if (slot is null) PutFirst(request);
                Monitor.Wait(_gate);
            }
        }
    }

    /// <summary>Drops every leaf of steps before <paramref name="before"/> that nobody has taken.</summary>
    public void Forget(StepId before)
    {
        lock (_gate) Drop(before, attempt: null);
    }

    /// <summary>Drops leaves of earlier steps, and those of another attempt at the step of <paramref name="attempt"/>.</summary>
    private void Drop(StepId before, LeafRequest? attempt)
    {
        for (var i = _queue.Count - 1; i >= 0; i--)
            if (_queue[i].IsOver(before, attempt)) _queue.RemoveAt(i);
        foreach (var slot in _slots)
        {
            if (slot.State is SlotState.Free or SlotState.Taken || !slot.Request.IsOver(before, attempt)) continue;
            // With no sample in work there is nobody who would release it.
            if (slot is { State: SlotState.Filling, Open: > 0 }) slot.Unwanted = true;
            else Release(slot);
        }
    }

    /// <summary>Stops the threads, after the samples in work, and frees the slots; one that is still taken is freed when it is returned.</summary>
    public void Dispose()
    {
        lock (_gate)
        {
            if (_closed) return;
            _closed = true;
            Monitor.PulseAll(_gate);
        }
        foreach (var thread in _threads) thread.Join();
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
    private LeafSlot? Find(LeafRequest request)
    {
        foreach (var slot in _slots)
            if (slot.State is SlotState.Filling or SlotState.Ready or SlotState.Failed && !slot.Unwanted && slot.Request.Equals(request)) return slot;
        return null;
    }

    /// <summary>Makes the leaf the next to be filled, and room for it: the prepared leaf that is needed last goes back to the queue.</summary>
    private void PutFirst(LeafRequest request)
    {
        if (_queue.Count == 0 || !_queue[0].Equals(request))
        {
            _queue.Remove(request);
            _queue.Insert(0, request);
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
            _queue.Insert(1, last.Request);
            Release(last);
        }
        else if (!filling)
        {
            _queue.RemoveAt(0);
            throw new InvalidOperationException($"all {_slots.Length} slots of {_name} are held: dispose a prepared leaf before taking leaf {request.Leaf} of step {request.Plan.Step}");
        }
    }

    private void Release(LeafSlot slot)
    {
        slot.State = SlotState.Free;
        slot.Failure = null;
        slot.Unreadable.Clear();
        slot.Unwanted = false;
        slot.Claim++;
        Monitor.PulseAll(_gate);
    }
}
