using Cluster.Contracts;

namespace Cluster.Workers.Data;

/// <summary>
/// A leaf that is ready to compute: a claim on one of the prefetcher's slots. Dispose it on the thread that took it, as
/// soon as the device has the batch; copies share the claim, and disposing twice does nothing.
/// </summary>
public readonly struct PreparedLeaf : IDisposable
{
    private readonly LeafPrefetcher _owner;
    private readonly LeafSlot _slot;
    private readonly int _claim;

    internal PreparedLeaf(LeafPrefetcher owner, LeafSlot slot, TimeSpan waited) =>
        (_owner, _slot, _claim, Waited) = (owner, slot, slot.Claim, waited);

    /// <summary>How long <see cref="LeafPrefetcher.Take"/> blocked; zero when the leaf was ready.</summary>
    public TimeSpan Waited { get; }

    public StepId Step => Slot.Plan.Step;
    public int Leaf => Slot.Leaf;
    public int SampleCount => Slot.SampleCount;

    /// <summary><see cref="Contracts.SampleDigest"/> of the ids that were really decoded, in order.</summary>
    public ulong SampleDigest => Slot.Digest;

    /// <summary>Valid until <see cref="Dispose"/>; the memory is native (images) and pinned (labels).</summary>
    /// <exception cref="ObjectDisposedException">The leaf was already returned.</exception>
    public ImageBatch Batch => Slot.Batch;

    private LeafSlot Slot => _slot is not null && _slot.Claim == _claim ? _slot : throw new ObjectDisposedException(nameof(PreparedLeaf));

    public void Dispose()
    {
        if (_slot is not null) _owner.Return(_slot, _claim);
    }
}

internal enum SlotState
{
    Free,
    Filling,
    Ready,
    Failed,
    Taken,
}

/// <summary>Memory for one leaf. Every field but the content of a slot being filled is guarded by the prefetcher's lock.</summary>
internal sealed class LeafSlot(int samples, ImageShape shape)
{
    public readonly NativeBuffer Images = NativeBuffer.Allocate(checked(samples * shape.Floats));

    /// <summary>On the pinned heap: a device copy may read it while the collector runs.</summary>
    public readonly long[] Labels = GC.AllocateUninitializedArray<long>(samples, pinned: true);

    public SlotState State;
    public StepPlan Plan;
    public int Leaf;
    public int SampleCount;
    public ulong Digest;
    public Exception? Failure;

    /// <summary>Number of the request: the highest is the one that is needed last.</summary>
    public long Sequence;

    /// <summary>Forgotten while it was being filled.</summary>
    public bool Unwanted;

    /// <summary>Grows whenever the slot is handed back, so that an old <see cref="PreparedLeaf"/> cannot reach the new content.</summary>
    public int Claim;

    public ImageBatch Batch => new(Images.Span[..(SampleCount * shape.Floats)], Labels.AsSpan(0, SampleCount), shape);
}
