using Cluster.Contracts;

namespace Cluster.Workers.Data;

/// <summary>
/// Which samples of a split an evaluation takes: all of them in order, or the first so many of one fixed permutation of the
/// split. The permutation is keyed by the size and the layout of the split alone, so that every model and every run see the same samples,
/// and a larger subset holds the smaller ones. Classes are mixed even where the split is sorted by class.
/// </summary>
public sealed class EvaluationSubset
{
    private readonly SampleOrder? _order;

    private EvaluationSubset(int count, SampleOrder? order) => (Count, _order) = (count, order);

    /// <summary>Samples that are taken.</summary>
    public int Count { get; }

    /// <summary>Every sample is taken, in order.</summary>
    public bool IsWhole => _order is null;

    /// <param name="split">Samples of the split.</param>
    /// <param name="wanted">Samples to take; 0 = all, and so is a number that the split does not exceed.</param>
    /// <param name="layout">The split's <see cref="IDataset.Order"/>: few places of the disk are read for a small subset.</param>
    public static EvaluationSubset Of(int split, int wanted, OrderLayout layout = default)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(split);
        ArgumentOutOfRangeException.ThrowIfNegative(wanted);
        return wanted == 0 || wanted >= split ? new EvaluationSubset(split, null) : new EvaluationSubset(wanted, new SampleOrder(seed: 0, epoch: 0, split, layout));
    }

    /// <inheritdoc cref="Of(int, int, OrderLayout)"/>
    public static EvaluationSubset Of(IDataset split, int wanted)
    {
        ArgumentNullException.ThrowIfNull(split);
        return Of(split.Count, wanted, split.Order);
    }

    /// <summary>The sample of the split at <paramref name="position"/> of the evaluation.</summary>
    public int SampleAt(int position)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(position);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(position, Count);
        return _order?.SampleAt(position) ?? position;
    }

    /// <summary>Batches of at most <paramref name="size"/> samples.</summary>
    public int Batches(int size)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(size);
        return (Count + size - 1) / size;
    }
}
