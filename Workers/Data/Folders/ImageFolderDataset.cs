using Cluster.Contracts;
using Cluster.Workers.Data.Images;

namespace Cluster.Workers.Data.Folders;

/// <summary>One split of a folder of JPEG and PNG images of any size. Holds no file open, so there is nothing to dispose.</summary>
internal sealed class ImageFolderDataset : IDataset
{
    public const string SetName = "imagefolder";

    /// <summary>Of ImageNet's training images, as all published models were trained with (https://pytorch.org/vision/stable/models.html).</summary>
    public static readonly IReadOnlyList<double> ImageNetMean = [0.485, 0.456, 0.406];

    /// <inheritdoc cref="ImageNetMean"/>
    public static readonly IReadOnlyList<double> ImageNetStd = [0.229, 0.224, 0.225];

    private readonly FolderImages _images;
    private readonly DataRequest _request;

    private readonly EvaluationPixels _pixels;

    private ImageFolderDataset(string split, FolderIndex index, SplitIndex images, string root, IReadOnlySet<string> skipped, DataRequest request)
    {
        (Split, _request, ClassNames) = (split, request, index.ClassNames);
        _images = new FolderImages(root, images, skipped);
        _pixels = EvaluationPixels.Of(this);
        Fingerprint = SkipList.Fingerprint(split, index.ContentHash, skipped);
    }

    public string Name => SetName;
    public string Split { get; }
    public int Count => _images.Count;
    public ImageShape Shape => new(3, _request.ImageSize, _request.ImageSize);
    public int ClassCount => ClassNames.Count;
    public IReadOnlyList<string> ClassNames { get; }
    public IReadOnlyList<double> Mean => ImageNetMean;
    public IReadOnlyList<double> Std => ImageNetStd;

    /// <summary>Over the whole folder, both splits, and the skip list; then the split's name. A node with another validation split would report other accuracies, so it is another set.</summary>
    public string Fingerprint { get; }
    public string? Decoding => DecodingFingerprint.Value;

    /// <summary>Where the encoded images come from, for those who pack them.</summary>
    public IEncodedImages Images => _images;

    /// <summary>Opens both splits by the index in the cache, made first if need be.</summary>
    /// <exception cref="UserMistakeException">It is no folder of images; a line for each thing that is wrong.</exception>
    public static (IDataset Train, IDataset Test) Open(DataRequest request, string directory)
    {
        var cache = new FolderIndexCache(directory, request.CacheRoot, request.Progress);
        var index = cache.Get();
        return Of(cache, index, SkipList.Read(cache.SkipListPath(index)), request);
    }

    /// <param name="skipped">Relative paths.</param>
    public static (ImageFolderDataset Train, ImageFolderDataset Test) Of(FolderIndexCache cache, FolderIndex index, IReadOnlySet<string> skipped, DataRequest request)
    {
        var train = new ImageFolderDataset("train", index, index.Train, cache.Root, skipped, request);
        if (train.Count == 0) throw new UserMistakeException($"every training image of {ImageNames.Escape(cache.Root)} is on the skip list {cache.SkipListPath(index)}");
        return (train, new ImageFolderDataset("test", index, index.Test, cache.Root, skipped, request));
    }

    public int LabelOf(int sample) => _images.LabelOf(sample);

    public string PathOf(int sample) => _images.PathOf(sample);

    public ISampleSource With(AugmentationOptions augmentation, ulong seed)
    {
        ArgumentNullException.ThrowIfNull(augmentation);
        return new EncodedSource(this, _images, augmentation, _request.ShortSide, seed);
    }

    public int Read(int sample, Span<byte> pixels)
    {
        return _pixels.Read(sample, Shape.Floats, pixels);
    }

    public void Dispose() => _pixels.Dispose();
}
