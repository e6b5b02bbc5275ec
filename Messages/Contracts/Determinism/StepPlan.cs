namespace Cluster.Contracts;

/// <summary>
/// How the samples of one step are cut into leaves. A pure function of (step, samples, global batch, microbatches):
/// independent of the number of workers, so every process computes the same one without a message.
/// </summary>
/// <param name="Step">The step, from 1.</param>
/// <param name="Epoch">Its epoch, from 0.</param>
/// <param name="FirstPosition">Position in the epoch's order of the step's first sample.</param>
/// <param name="SampleCount">n: samples of this step; the last step of an epoch may be short.</param>
/// <param name="LeafCount">L = min(K, ceil(n K / B)).</param>
public readonly record struct StepPlan(StepId Step, long Epoch, int FirstPosition, int SampleCount, int LeafCount)
{
    /// <param name="step">From 1.</param>
    /// <param name="samples">Samples in the training set.</param>
    /// <param name="globalBatch">B, divisible by <paramref name="microbatches"/>.</param>
    /// <param name="microbatches">K.</param>
    public static StepPlan For(StepId step, int samples, int globalBatch, int microbatches)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(samples);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(globalBatch);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(microbatches);
        ArgumentOutOfRangeException.ThrowIfLessThan(step.Value, 1);
        if (globalBatch % microbatches != 0) throw new ArgumentException($"global batch {globalBatch} is not divisible by {microbatches} microbatches", nameof(globalBatch));
        var stepsPerEpoch = StepsPerEpoch(samples, globalBatch);
        var epoch = (step.Value - 1) / stepsPerEpoch;
        var first = (int)((step.Value - 1) % stepsPerEpoch) * globalBatch;
        var count = Math.Min(globalBatch, samples - first);
        var leaves = (int)Math.Min(microbatches, ((long)count * microbatches + globalBatch - 1) / globalBatch);
        return new StepPlan(step, epoch, first, count, leaves);
    }

    public static int StepsPerEpoch(int samples, int globalBatch) => (int)(((long)samples + globalBatch - 1) / globalBatch);

    /// <summary>Positions [First, First + Count) of leaf <paramref name="leaf"/>; sizes differ by at most one.</summary>
    public (int First, int Count) Leaf(int leaf)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(leaf);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(leaf, LeafCount);
        var start = (int)((long)leaf * SampleCount / LeafCount);
        var end = (int)((long)(leaf + 1) * SampleCount / LeafCount);
        return (FirstPosition + start, end - start);
    }

    /// <summary>The digest of a leaf's sample ids, as an honest worker reports it.</summary>
    /// <param name="leftOut">Samples that do not count; null = none.</param>
    public ulong DigestOf(int leaf, SampleOrder order, IReadOnlyCollection<int>? leftOut = null)
    {
        ArgumentNullException.ThrowIfNull(order);
        var (first, count) = Leaf(leaf);
        var digest = new SampleDigest();
        for (var i = 0; i < count; i++)
        {
            var sample = order.SampleAt(first + i);
            if (leftOut is null || !leftOut.Contains(sample)) digest.Add(sample);
        }
        return digest.Value;
    }
}
