using Cluster.Contracts;

namespace Cluster.Workers.Data;

/// <summary>
/// A split, or a fixed part of it, in fixed batches with the evaluation transform. Batch i is positions [i · size, (i + 1) · size)
/// of the subset, the last one short, whoever asks: workers share an evaluation by batch number. One buffer, reused; one thread at a time.
/// </summary>
public sealed class EvaluationBatches : IDisposable
{
    /// <summary>500 images of 3x32x32 are 6 MB: large enough for the kernels, small enough for every device.</summary>
    public const int MaxBatchSize = 500;

    /// <summary>64 MB of floats.</summary>
    private const int MaxBatchFloats = 16 << 20;

    private readonly IDataset _dataset;
    private readonly SampleReader _reader;
    private readonly EvaluationSubset _subset;
    private readonly NativeBuffer _images;
    private readonly long[] _labels;

    /// <param name="source">The split. Its data set stays the caller's to dispose, after this.</param>
    /// <param name="batchSize">Most samples of a batch; 0 = <see cref="BatchSizeFor"/>.</param>
    /// <param name="samples">Samples to take, see <see cref="EvaluationSubset"/>; 0 = all.</param>
    public EvaluationBatches(ISampleSource source, int batchSize = 0, int samples = 0)
    {
        ArgumentNullException.ThrowIfNull(source);
        ArgumentOutOfRangeException.ThrowIfNegative(batchSize);
        _dataset = source.Dataset;
        BatchSize = batchSize == 0 ? BatchSizeFor(_dataset.Shape) : batchSize;
        _subset = EvaluationSubset.Of(_dataset, samples);
        BatchCount = _subset.Batches(BatchSize);
        _reader = source.Open();
        _images = NativeBuffer.Allocate(checked(BatchSize * _dataset.Shape.Floats));
        _labels = new long[BatchSize];
    }

    /// <summary>Samples of an evaluation's batch: part of its arithmetic, so everybody takes the same.</summary>
    public static int BatchSizeFor(ImageShape shape) => Math.Clamp(MaxBatchFloats / shape.Floats, 1, MaxBatchSize);

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
    public ImageBatch Prepare(int batch)
    {
        var (first, count) = Range(batch);
        return Prepare(first, count);
    }

    /// <summary>Prepares positions [first, first + count), count at most <see cref="BatchSize"/>. Valid until the next call or <see cref="Dispose"/>.</summary>
    /// <exception cref="ClusterException">A sample could not be read.</exception>
    public ImageBatch Prepare(int first, int count)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(first);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(count);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, BatchSize);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, _subset.Count - first);
        var floats = _dataset.Shape.Floats;
        var images = _images.Span;
        for (var i = 0; i < count; i++)
        {
            _labels[i] = _reader.ReadEvaluation(_subset.SampleAt(first + i), images.Slice(i * floats, floats));
        }
        return new ImageBatch(images[..(count * floats)], _labels.AsSpan(0, count), _dataset.Shape);
    }

    public void Dispose()
    {
        _reader.Dispose();
        _images.Dispose();
    }
}
