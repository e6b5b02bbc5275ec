using Cluster.Contracts;

namespace Cluster.Workers.Data;

/// <summary>
/// A split, or a fixed part of it, in fixed batches with the evaluation transform. Batch i is positions [i · size, (i + 1) · size)
/// of the subset, the last one short, whoever asks: workers share an evaluation by batch number. One buffer, reused; one thread at a time.
/// </summary>
public sealed class EvaluationBatches : IDisposable
{
    /// <summary>500 images of 3x32x32 are 6 MB: large enough for the kernels, small enough for every device.</summary>
    public const int DefaultBatchSize = 500;

    private readonly IDataset _dataset;
    private readonly AugmentationPipeline _pipeline;
    private readonly EvaluationSubset _subset;
    private readonly NativeBuffer _images;
    private readonly long[] _labels;
    private readonly byte[] _pixels;

    /// <param name="dataset">Stays the caller's to dispose, after this.</param>
    /// <param name="pipeline">Made for the same shape; only its normalisation is used.</param>
    /// <param name="batchSize">Most samples of a batch.</param>
    /// <param name="samples">Samples to take, see <see cref="EvaluationSubset"/>; 0 = all.</param>
    public EvaluationBatches(IDataset dataset, AugmentationPipeline pipeline, int batchSize = DefaultBatchSize, int samples = 0)
    {
        ArgumentNullException.ThrowIfNull(dataset);
        ArgumentNullException.ThrowIfNull(pipeline);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(batchSize);
        if (pipeline.Shape != dataset.Shape) throw new ArgumentException($"the pipeline is for {pipeline.Shape}, the data set has {dataset.Shape}", nameof(pipeline));
        (_dataset, _pipeline, BatchSize) = (dataset, pipeline, batchSize);
        _subset = EvaluationSubset.Of(dataset.Count, samples);
        BatchCount = _subset.Batches(batchSize);
        _images = NativeBuffer.Allocate(checked(batchSize * dataset.Shape.Floats));
        _labels = new long[batchSize];
        _pixels = new byte[dataset.Shape.Floats];
    }

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
            _labels[i] = _dataset.Read(_subset.SampleAt(first + i), _pixels);
            _pipeline.Normalize(_pixels, images.Slice(i * floats, floats));
        }
        return new ImageBatch(images[..(count * floats)], _labels.AsSpan(0, count), _dataset.Shape);
    }

    public void Dispose() => _images.Dispose();
}
