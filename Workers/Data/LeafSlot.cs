using Cluster.Contracts;

namespace Cluster.Workers.Data;

internal enum SlotState
{
    Free,
    Filling,
    Ready,
    Failed,
    Taken,
}

/// <summary>A leaf that is asked for, and which of its step's samples are not to be read.</summary>
/// <param name="LeftOut">Ascending sample numbers, of any leaf of the step; null = none.</param>
internal readonly record struct LeafRequest(StepPlan Plan, int Leaf, IReadOnlyList<int>? LeftOut)
{
    public bool Equals(LeafRequest other) => Leaf == other.Leaf && Plan == other.Plan && Same(LeftOut, other.LeftOut);

    /// <summary>Of a step before this one, or of the same step as <paramref name="attempt"/> with other samples left out.</summary>
    public bool IsOver(StepId before, LeafRequest? attempt) =>
        Plan.Step < before || attempt is { } newest && Plan.Step == newest.Plan.Step && !Same(LeftOut, newest.LeftOut);

    public override int GetHashCode() => HashCode.Combine(Plan, Leaf);

    public bool LeavesOut(int sample)
    {
        for (var i = 0; i < (LeftOut?.Count ?? 0); i++)
            if (LeftOut![i] == sample) return true;
        return false;
    }

    private static bool Same(IReadOnlyList<int>? a, IReadOnlyList<int>? b)
    {
        var count = a?.Count ?? 0;
        if (count != (b?.Count ?? 0)) return false;
        for (var i = 0; i < count; i++)
            if (a![i] != b![i]) return false;
        return true;
    }
}

/// <summary>Memory for one leaf. Every field but the content of a slot being filled is guarded by the prefetcher's lock.</summary>
internal sealed class LeafSlot(int samples, ImageShape shape)
{
    public readonly NativeBuffer Images = NativeBuffer.Allocate(checked(samples * shape.Floats));

    /// <summary>On the pinned heap: a device copy may read it while the collector runs.</summary>
    public readonly long[] Labels = GC.AllocateUninitializedArray<long>(samples, pinned: true);

    /// <summary>The samples that are read, in order.</summary>
    public readonly int[] Samples = new int[samples];

    /// <summary>Samples that could not be decoded; the leaf is of no use then.</summary>
    public readonly List<UnreadableSample> Unreadable = [];

    public SlotState State;
    public LeafRequest Request;
    public int SampleCount;
    public ulong Digest;
    public Exception? Failure;

    /// <summary>The next sample that no thread has begun.</summary>
    public int Next;

    /// <summary>Samples that threads are at.</summary>
    public int Open;

    /// <summary>Number of the request: the highest is the one that is needed last.</summary>
    public long Sequence;

    /// <summary>Forgotten while it was being filled.</summary>
    public bool Unwanted;

    /// <summary>Grows whenever the slot is handed back, so that an old <see cref="PreparedLeaf"/> cannot reach the new content.</summary>
    public int Claim;

    /// <summary>No thread will begin another sample of it.</summary>
    public bool IsBegunWhole => Unwanted || Failure is not null || Next >= SampleCount;

    public ImageBatch Batch => new(Images.Span[..(SampleCount * shape.Floats)], Labels.AsSpan(0, SampleCount), shape);
}
