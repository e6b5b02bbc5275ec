using Cluster.Contracts;
using Cluster.Workers.Data.Images;

namespace Cluster.Workers.Data.Shards;

/// <summary>One split of a packed set: JPEGs and PNGs in archives that are read in large pieces, in an order that suits them.</summary>
internal sealed class ShardDataset : IDataset
{
    /// <summary>Of ImageNet's training images, as all published models were trained with (https://pytorch.org/vision/stable/models.html).</summary>
    private static readonly double[] ImageNetMean = [0.485, 0.456, 0.406], ImageNetStd = [0.229, 0.224, 0.225];

    private readonly ShardIndex _index;
    private readonly ShardImages _images;
    private readonly DataRequest _request;
    private readonly EvaluationPixels _pixels;

    /// <param name="windows">Windows of the order that are in memory at a time.</param>
    private ShardDataset(string split, ShardIndex index, string directory, DataRequest request, int windows)
    {
        (Split, _index, _request) = (split, index, request);
        _images = new ShardImages(index, directory, windows * index.Order.WindowBlocks + Limits.SpareShardBlocks, split);
        _pixels = EvaluationPixels.Of(this);
    }

    public string Name => ShardNames.SetName;
    public string Split { get; }
    public int Count => _index.Samples.Length;
    public ImageShape Shape => new(3, _request.ImageSize, _request.ImageSize);
    public int ClassCount => _index.ClassNames.Count;
    public IReadOnlyList<string> ClassNames => _index.ClassNames;
    public IReadOnlyList<double> Mean => ImageNetMean;
    public IReadOnlyList<double> Std => ImageNetStd;

    /// <summary>Of the split's index, in which every sample's place, class and checksum are, and every shard's SHA-256.</summary>
    public string Fingerprint => _index.Fingerprint;
    public string? Decoding => DecodingFingerprint.Value;

    public OrderLayout Order => _index.Order;

    public IEncodedImages Images => _images;

    /// <summary>Opens both splits. Of training two windows are in memory, the one that is read and the next; of evaluation, which is read in order or in part, one.</summary>
    /// <exception cref="UserMistakeException">No shards, a bad index, or shards that are not its own.</exception>
    public static (IDataset Train, IDataset Test) Open(DataRequest request, string directory)
    {
        var (train, val) = ShardFolder.Open(directory, request.CacheRoot ?? CacheFolder.Default(), request.Progress);
        directory = Path.GetFullPath(directory);
        return (new ShardDataset("train", train, directory, request, windows: 2), new ShardDataset("test", val, directory, request, windows: 1));
    }

    /// <summary>Classes of the set, from its index.</summary>
    /// <inheritdoc cref="Open"/>
    public static int CountClasses(DataRequest request, string directory) =>
        ShardFolder.Open(directory, request.CacheRoot ?? CacheFolder.Default(), request.Progress).Train.ClassNames.Count;

    public void Expect(SampleOrder order, int position) => _images.Expect(order, position);

    public int LabelOf(int sample)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(sample);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(sample, Count);
        return _images.LabelOf(sample);
    }

    public ISampleSource With(AugmentationOptions augmentation, ulong seed)
    {
        ArgumentNullException.ThrowIfNull(augmentation);
        return new EncodedSource(this, _images, augmentation, _request.ShortSide, seed);
    }

    public int Read(int sample, Span<byte> pixels)
    {
        LabelOf(sample);
        return _pixels.Read(sample, Shape.Floats, pixels);
    }

    public void Dispose()
    {
        _pixels.Dispose();
        _images.Dispose();
    }
}
