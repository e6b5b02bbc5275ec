using Cluster.Contracts;
using Cluster.Workers.Data;

namespace Cluster.Data.Tests;

/// <summary>A small set whose every pixel is a function of (sample, index); it can be told to fail, to stop and to measure.</summary>
internal sealed class FakeDataset(int count, ImageShape shape) : IDataset
{
    private readonly List<int> _read = [];

    public string Name => "fake";
    public string Split => "train";
    public int Count => count;
    public ImageShape Shape => shape;
    public int ClassCount => 10;
    public IReadOnlyList<string> ClassNames { get; } = [.. Enumerable.Range(0, 10).Select(c => $"class {c}")];
    public IReadOnlyList<double> Mean { get; init; } = [.. Enumerable.Repeat(0.5, shape.Channels)];
    public IReadOnlyList<double> Std { get; init; } = [.. Enumerable.Repeat(0.25, shape.Channels)];
    public string Fingerprint => "fake";

    /// <summary>Called on the reading thread before a sample is written.</summary>
    public Action<int>? OnRead { get; set; }

    /// <summary>Samples in the order in which they were read; recorded only when asked, as recording allocates.</summary>
    public bool Records { get; init; }

    public IReadOnlyList<int> ReadSamples
    {
        get
        {
            lock (_read) return [.. _read];
        }
    }

    public static byte Pixel(int sample, int index) => (byte)(sample * 31 + index * 7 + (index >> 5));

    public int LabelOf(int sample) => sample % 10;

    public ISampleSource With(AugmentationOptions augmentation, ulong seed) => new PixelSource(this, new AugmentationPipeline(augmentation, this, seed));

    public int Read(int sample, Span<byte> pixels)
    {
        OnRead?.Invoke(sample);
        if (Records)
            lock (_read) _read.Add(sample);
        for (var i = 0; i < shape.Floats; i++) pixels[i] = Pixel(sample, i);
        return sample % 10;
    }

    public void Dispose()
    {
    }
}

/// <summary>A folder that is gone after the test.</summary>
internal sealed class TemporaryFolder : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("cluster-data-").FullName;

    public string File(string name) => System.IO.Path.Combine(Path, name);

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
