using System.Security.Cryptography;
using System.Text;
using Cluster.Contracts;

namespace Cluster.Workers.Data;

/// <summary>Pixels and labels of one split of a small set, whole in memory.</summary>
/// <param name="Pixels">[count, channels, height, width].</param>
/// <param name="Labels">[count]</param>
internal sealed record SplitBytes(byte[] Pixels, byte[] Labels);

/// <summary>
/// One split of a set of small images of one size that is read whole at its opening: at most 154 MB (CIFAR-100's training
/// images). Mean and deviation are computed from the training images themselves, so they are those of the files that are
/// there; the fingerprint is over every byte.
/// </summary>
internal sealed class MemoryDataset : IDataset
{
    private readonly SplitBytes _bytes;

    private MemoryDataset(string name, string split, ImageShape shape, IReadOnlyList<string> classNames, SplitBytes bytes, (double[] Mean, double[] Std) moments)
    {
        (Name, Split, Shape, ClassNames, _bytes, Mean, Std) = (name, split, shape, classNames, bytes, moments.Mean, moments.Std);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(Encoding.UTF8.GetBytes($"{name}/{split} {shape} {Count}\n"));
        hash.AppendData(bytes.Labels);
        hash.AppendData(bytes.Pixels);
        Fingerprint = Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    public string Name { get; }
    public string Split { get; }
    public int Count => _bytes.Labels.Length;
    public ImageShape Shape { get; }
    public int ClassCount => ClassNames.Count;
    public IReadOnlyList<string> ClassNames { get; }
    public IReadOnlyList<double> Mean { get; }
    public IReadOnlyList<double> Std { get; }
    public string Fingerprint { get; }

    /// <param name="train">Labels below the number of classes, pixels for each.</param>
    public static (IDataset Train, IDataset Test) Create(string name, ImageShape shape, IReadOnlyList<string> classNames, SplitBytes train, SplitBytes test)
    {
        var moments = Moments(train.Pixels, shape);
        return (new MemoryDataset(name, "train", shape, classNames, train, moments), new MemoryDataset(name, "test", shape, classNames, test, moments));
    }

    public int LabelOf(int sample)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(sample);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(sample, Count);
        return _bytes.Labels[sample];
    }

    public ISampleSource With(AugmentationOptions augmentation, ulong seed) => new PixelSource(this, new AugmentationPipeline(augmentation, this, seed));

    public int Read(int sample, Span<byte> pixels)
    {
        var label = LabelOf(sample);
        if (pixels.Length < Shape.Floats) throw new ArgumentException($"{pixels.Length} bytes cannot hold an image of {Shape.Floats}", nameof(pixels));
        _bytes.Pixels.AsSpan(sample * Shape.Floats, Shape.Floats).CopyTo(pixels);
        return label;
    }

    public void Dispose()
    {
    }

    /// <summary>Per channel over pixels in [0, 1]; from whole counts of each value, so the same on every machine.</summary>
    private static (double[] Mean, double[] Std) Moments(byte[] pixels, ImageShape shape)
    {
        var (mean, std) = (new double[shape.Channels], new double[shape.Channels]);
        var plane = shape.Height * shape.Width;
        for (var channel = 0; channel < shape.Channels; channel++)
        {
            var counts = new long[256];
            for (var at = channel * plane; at < pixels.Length; at += shape.Floats)
            {
                foreach (var value in pixels.AsSpan(at, plane)) counts[value]++;
            }
            double n = 0, sum = 0, squares = 0;
            for (var value = 0; value < counts.Length; value++) (n, sum, squares) = (n + counts[value], sum + (double)value * counts[value], squares + (double)value * value * counts[value]);
            mean[channel] = sum / n / 255;
            std[channel] = Math.Sqrt(squares / n - sum / n * (sum / n)) / 255;
            // Images of one single colour tell nothing, and nothing is to be divided by.
            if (std[channel] == 0) std[channel] = 1;
        }
        return (mean, std);
    }
}
