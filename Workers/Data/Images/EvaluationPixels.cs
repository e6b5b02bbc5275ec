using Cluster.Contracts;

namespace Cluster.Workers.Data.Images;

/// <summary>Images of any size as bytes of one size: evaluation's view before it is normalised. Any thread, one at a time.</summary>
/// <param name="open">A reader of the split whose mean is 0 and whose deviation is 1.</param>
internal sealed class EvaluationPixels(Func<SampleReader> open) : IDisposable
{
    private readonly Lock _lock = new();
    private SampleReader? _reader;

    /// <summary>Of this split, which need not be whole yet: it is opened when the first pixel is asked for.</summary>
    public static EvaluationPixels Of(IDataset dataset) => new(() => dataset.With(new AugmentationOptions { Mean = [0, 0, 0], Std = [1, 1, 1] }, seed: 0).Open());

    /// <inheritdoc cref="IDataset.Read"/>
    public int Read(int sample, int count, Span<byte> pixels)
    {
        if (pixels.Length < count) throw new ArgumentException($"{pixels.Length} bytes cannot hold an image of {count}", nameof(pixels));
        var floats = new float[count];
        int label;
        lock (_lock)
        {
            _reader ??= open();
            label = _reader.ReadEvaluation(sample, floats);
        }
        // With that mean and deviation the network's view is the pixel over 255.
        for (var i = 0; i < count; i++) pixels[i] = (byte)Math.Clamp(MathF.Round(floats[i] * 255), 0, 255);
        return label;
    }

    public void Dispose() => _reader?.Dispose();
}
