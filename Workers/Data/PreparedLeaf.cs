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

    public StepId Step => Slot.Request.Plan.Step;
    public int Leaf => Slot.Request.Leaf;

    /// <summary>Samples in the batch: the leaf's, without those that were asked to be left out. May be 0.</summary>
    public int SampleCount => Slot.SampleCount;

    /// <summary><see cref="Contracts.SampleDigest"/> of the ids that were really decoded, in order.</summary>
    public ulong SampleDigest => Slot.Digest;

    /// <summary>Samples that nobody asked to leave out and that cannot be decoded. When there is one, <see cref="Batch"/> is not to be used.</summary>
    public IReadOnlyList<UnreadableSample> Unreadable => Slot.Unreadable;

    /// <summary>Valid until <see cref="Dispose"/>; the memory is native (images) and pinned (labels).</summary>
    /// <exception cref="ObjectDisposedException">The leaf was already returned.</exception>
    /// <exception cref="InvalidOperationException">A sample of it could not be decoded.</exception>
    public ImageBatch Batch => Slot.Unreadable.Count == 0 ? Slot.Batch : throw new InvalidOperationException($"leaf {Leaf} of step {Step} has a sample that could not be decoded");

    private LeafSlot Slot => _slot is not null && _slot.Claim == _claim ? _slot : throw new ObjectDisposedException(nameof(PreparedLeaf));

    public void Dispose()
    {
        if (_slot is not null) _owner.Return(_slot, _claim);
    }
}
