using Cluster.Contracts;

namespace Cluster.Workers.Data;

// What the prefetching threads do: they take samples of the oldest open leaf, a few at a time, until there are none.
public sealed partial class LeafPrefetcher
{
    /// <summary>A leaf is cut into so many pieces per thread, so that the threads end at about the same time.</summary>
    private const int PiecesPerThread = 4;

    private readonly record struct Piece(LeafSlot Slot, int First, int Count);

    private void FillUntilClosed()
    {
        SampleReader? reader = null;
        try
        {
            while (Next() is { } piece)
            {
                Exception? failure = null;
                try
                {
                    reader ??= _source.Open();
                    Fill(piece, reader);
                }
#pragma warning disable CA1031 // whatever it is, it belongs to the thread that takes the leaf
                catch (Exception e)
#pragma warning restore CA1031
                {
                    failure = e;
                }
                lock (_gate) Finish(piece, failure);
            }
        }
        finally
        {
            reader?.Dispose();
        }
    }

    private void Finish(Piece piece, Exception? failure)
    {
        var slot = piece.Slot;
        slot.Open -= piece.Count;
        slot.Failure ??= failure;
        if (slot.Open > 0 || !slot.IsBegunWhole) return;
        if (slot.Unwanted)
        {
            Release(slot);
            return;
        }
        slot.State = slot.Failure is null ? SlotState.Ready : SlotState.Failed;
        Monitor.PulseAll(_gate);
    }

    /// <summary>Waits for samples to read; null when closed.</summary>
    private Piece? Next()
    {
        lock (_gate)
        {
            while (!_closed)
            {
                if (Unfinished() is { } slot) return Cut(slot);
                var free = _queue.Count == 0 ? null : Array.Find(_slots, static s => s.State == SlotState.Free);
                if (free is not null)
                {
                    Begin(free);
                    return Cut(free);
                }
                Monitor.Wait(_gate);
            }
            return null;
        }
    }

    /// <summary>The oldest leaf of which samples are left to begin.</summary>
    private LeafSlot? Unfinished()
    {
        LeafSlot? oldest = null;
        foreach (var slot in _slots)
            if (slot.State == SlotState.Filling && !slot.IsBegunWhole && (oldest is null || slot.Sequence < oldest.Sequence)) oldest = slot;
        return oldest;
    }

    private void Begin(LeafSlot slot)
    {
        slot.Request = _queue[0];
        _queue.RemoveAt(0);
        slot.State = SlotState.Filling;
        slot.Sequence = _sequence++;
        (slot.Next, slot.Open, slot.SampleCount) = (0, 0, 0);
        var (first, count) = slot.Request.Plan.Leaf(slot.Request.Leaf);
        var order = OrderOf(slot.Request.Plan.Epoch);
        _source.Dataset.Expect(order, first);
        var digest = new SampleDigest();
        for (var i = 0; i < count; i++)
        {
            var sample = order.SampleAt(first + i);
            if (slot.Request.LeavesOut(sample)) continue;
            slot.Samples[slot.SampleCount++] = sample;
            digest.Add(sample);
        }
        slot.Digest = digest.Value;
        if (_threads.Length > 1) Monitor.PulseAll(_gate);
    }

    private Piece Cut(LeafSlot slot)
    {
        var most = _threads.Length == 1 ? slot.SampleCount : Math.Max(1, slot.SampleCount / (_threads.Length * PiecesPerThread));
        var piece = new Piece(slot, slot.Next, Math.Min(most, slot.SampleCount - slot.Next));
        slot.Next += piece.Count;
        slot.Open += piece.Count;
        return piece;
    }

    private void Fill(Piece piece, SampleReader reader)
    {
        var slot = piece.Slot;
        var epoch = slot.Request.Plan.Epoch;
        var data = _source.Dataset;
        var floats = data.Shape.Floats;
        for (var i = piece.First; i < piece.First + piece.Count; i++)
        {
            var sample = slot.Samples[i];
            try
            {
                slot.Labels[i] = reader.ReadTraining(epoch, sample, slot.Images.Span.Slice(i * floats, floats));
            }
            catch (UnreadableSampleException e)
            {
                lock (_gate) slot.Unreadable.Add(new UnreadableSample(sample, e.Message));
            }
            catch (Exception e)
            {
                throw new ClusterException(
                    $"sample {sample} of {data.Name} ({data.Split}) could not be prepared for leaf {slot.Request.Leaf} of step {slot.Request.Plan.Step}: {e.Message}", e);
            }
        }
    }

    private SampleOrder OrderOf(long epoch)
    {
        ref var order = ref _orders[epoch & 1];
        if (order is null || order.Epoch != epoch) order = new SampleOrder(_seed, epoch, _source.Dataset.Count, _source.Dataset.Order);
        return order;
    }
}
