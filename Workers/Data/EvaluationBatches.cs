using Cluster.Contracts;

namespace Cluster.Workers.Data;

/// <summary>
/// A split, or a fixed part of it, in fixed batches with the evaluation transform. Batch i is positions [i · size, (i + 1) · size)
/// of the subset, the last one short, whoever asks: workers share an evaluation by batch number. Threads of its own decode a
/// batch, and the next one while the device is at it; two buffers, reused; one caller at a time.
/// </summary>
public sealed class EvaluationBatches : IDisposable
{
    /// <summary>500 images of 3x32x32 are 6 MB: large enough for the kernels, small enough for every device.</summary>
    public const int MaxBatchSize = 500;

    /// <summary>32 MB of floats, twice.</summary>
    private const int MaxBatchFloats = 8 << 20;

    private readonly IDataset _dataset;
    private readonly EvaluationSubset _subset;
    private readonly DecodeCrew _crew;
    private readonly List<(int Place, UnreadableSample Sample)> _unreadable = [];
    private Slot _ready, _filling;

    private sealed class Slot(int samples, ImageShape shape) : IDisposable
    {
        public readonly NativeBuffer Images = NativeBuffer.Allocate(checked(samples * shape.Floats));
        public readonly long[] Labels = new long[samples];

        /// <summary>Why a sample could not be decoded; null where it was.</summary>
        public readonly string?[] Faults = new string?[samples];

        public int First, Count;

        public void Dispose() => Images.Dispose();
    }

    /// <param name="source">The split. Its data set stays the caller's to dispose, after this.</param>
    /// <param name="batchSize">Most samples of a batch; 0 = <see cref="BatchSizeFor"/>.</param>
    /// <param name="samples">Samples to take, see <see cref="EvaluationSubset"/>; 0 = all.</param>
    /// <param name="threads">That decode.</param>
    public EvaluationBatches(ISampleSource source, int batchSize = 0, int samples = 0, int threads = 1)
    {
        ArgumentNullException.ThrowIfNull(source);
        ArgumentOutOfRangeException.ThrowIfNegative(batchSize);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(threads);
        _dataset = source.Dataset;
        BatchSize = batchSize == 0 ? BatchSizeFor(_dataset.Shape) : batchSize;
        _subset = EvaluationSubset.Of(_dataset, samples);
        BatchCount = _subset.Batches(BatchSize);
        (_ready, _filling) = (new Slot(BatchSize, _dataset.Shape), new Slot(BatchSize, _dataset.Shape));
        _crew = new DecodeCrew(source, Read, threads, "evaluation");
    }

    /// <summary>Samples of an evaluation's batch: part of its arithmetic, so everybody takes the same.</summary>
    public static int BatchSizeFor(ImageShape shape) => Math.Clamp(MaxBatchFloats / shape.Floats, 1, MaxBatchSize);

    /// <summary>What the last call of <see cref="Prepare(int, int?)"/> could not decode, each with its place in the batch, ascending: its batch is shorter by so many.</summary>
    public IReadOnlyList<(int Place, UnreadableSample Sample)> Unreadable => _unreadable;

    public int BatchSize { get; }
    public int BatchCount { get; }

    /// <summary>Positions [First, First + Count) of a batch.</summary>
    public (int First, int Count) Range(int batch)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(batch);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(batch, BatchCount);
        var first = batch * BatchSize;
        return (first, Math.Min(BatchSize, _subset.Count - first));
    }

    /// <summary>Prepares one batch by its number. What it returns is valid until the next call or <see cref="Dispose"/>.</summary>
    /// <param name="next">The batch that will be asked for next, to be decoded meanwhile; null = none.</param>
    /// <returns>The samples that could be decoded, in order; may be none. See <see cref="Unreadable"/>.</returns>
    /// <exception cref="ClusterException">The medium failed.</exception>
    public ImageBatch Prepare(int batch, int? next = null)
    {
        var (first, count) = Range(batch);
        return Prepare(first, count, next is { } after ? Range(after) : default);
    }

    /// <summary>Prepares positions [first, first + count), count at most <see cref="BatchSize"/>.</summary>
    /// <inheritdoc cref="Prepare(int, int?)"/>
    public ImageBatch Prepare(int first, int count) => Prepare(first, count, default);

    private ImageBatch Prepare(int first, int count, (int First, int Count) next)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(first);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(count);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, BatchSize);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, _subset.Count - first);
        if ((_filling.First, _filling.Count) != (first, count)) Begin(first, count);
        try
        {
            _crew.Wait();
        }
        catch
        {
            _filling.Count = 0;
            throw;
        }
        (_ready, _filling) = (_filling, _ready);
        _filling.Count = 0;
        if (next.Count > 0) Begin(next.First, next.Count);
        return Compacted(_ready);
    }

    private void Begin(int first, int count)
    {
        if (_filling.Count > 0) Abandon();
        (_filling.First, _filling.Count) = (first, count);
        _crew.Start(count);
    }

    /// <summary>What was decoded ahead is not what is asked for.</summary>
    private void Abandon()
    {
        try
        {
            _crew.Wait();
        }
        catch (ClusterException)
        {
            // Nobody asked for it; who does will hear of it.
        }
    }

    private void Read(SampleReader reader, int item)
    {
        var slot = _filling;
        var floats = _dataset.Shape.Floats;
        slot.Faults[item] = null;
        try
        {
            slot.Labels[item] = reader.ReadEvaluation(_subset.SampleAt(slot.First + item), slot.Images.Span.Slice(item * floats, floats));
        }
        catch (UnreadableSampleException e)
        {
            slot.Faults[item] = e.Message;
        }
    }

    /// <summary>The decoded samples side by side.</summary>
    private ImageBatch Compacted(Slot slot)
    {
        var floats = _dataset.Shape.Floats;
        var images = slot.Images.Span;
        _unreadable.Clear();
        var decoded = 0;
        for (var i = 0; i < slot.Count; i++)
        {
            if (slot.Faults[i] is { } fault)
            {
                _unreadable.Add((i, new UnreadableSample(_subset.SampleAt(slot.First + i), fault)));
                continue;
            }
            if (decoded < i)
            {
                images.Slice(i * floats, floats).CopyTo(images[(decoded * floats)..]);
                slot.Labels[decoded] = slot.Labels[i];
            }
            decoded++;
        }
        return new ImageBatch(images[..(decoded * floats)], slot.Labels.AsSpan(0, decoded), _dataset.Shape);
    }

    public void Dispose()
    {
        _crew.Dispose();
        _ready.Dispose();
        _filling.Dispose();
    }
}
