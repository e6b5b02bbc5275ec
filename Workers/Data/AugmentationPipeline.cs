using Cluster.Contracts;

namespace Cluster.Workers.Data;

/// <summary>
/// From byte pixels to what the network sees, in one pass: crop out of the padded image, mirror, normalise through a
/// table, cut out. What happens to a sample is a function of (seed, epoch, sample) alone. Immutable; any thread.
/// </summary>
public sealed class AugmentationPipeline
{
    private const int Levels = 256;
    private readonly ulong _seed;
    private readonly int _pad, _cutout;
    private readonly bool _reflect, _flip;

    /// <summary>[channels, 256]: the normalised value of every pixel value.</summary>
    private readonly float[] _normalised;

    /// <param name="options">What to do.</param>
    /// <param name="dataset">Gives the image's shape, and mean and standard deviation where the options leave them open.</param>
    /// <param name="seed">The run's seed.</param>
    /// <exception cref="UserMistakeException">An option that this shape does not allow.</exception>
    public AugmentationPipeline(AugmentationOptions options, IDataset dataset, ulong seed)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(dataset);
        Shape = dataset.Shape;
        Validate(options, Shape);
        (_seed, _pad, _cutout, _flip, _reflect) = (seed, options.PadCrop, options.Cutout, options.Flip, options.PadMode == "reflect");
        _normalised = Table(Shape.Channels, options.Mean ?? dataset.Mean, options.Std ?? dataset.Std);
    }

    public ImageShape Shape { get; }

    /// <summary>The evaluation transform: (pixel / 255 - mean) / std.</summary>
    /// <param name="pixels">[channels, height, width] bytes.</param>
    /// <param name="destination">[channels, height, width] floats.</param>
    public void Normalize(ReadOnlySpan<byte> pixels, Span<float> destination)
    {
        Check(pixels, destination);
        var plane = Shape.Height * Shape.Width;
        for (var channel = 0; channel < Shape.Channels; channel++)
        {
            var table = _normalised.AsSpan(channel * Levels, Levels);
            var source = pixels.Slice(channel * plane, plane);
            var target = destination.Slice(channel * plane, plane);
            for (var i = 0; i < source.Length; i++) target[i] = table[source[i]];
        }
    }

    /// <summary>The training transform of one sample in one epoch. Allocates nothing.</summary>
    /// <param name="epoch">From 0.</param>
    /// <param name="sample">The sample's number in its data set, not its position in the epoch.</param>
    /// <param name="pixels">[channels, height, width] bytes.</param>
    /// <param name="destination">[channels, height, width] floats.</param>
    public void Apply(long epoch, int sample, ReadOnlySpan<byte> pixels, Span<float> destination)
    {
        Check(pixels, destination);
        var (height, width) = (Shape.Height, Shape.Width);
        var draw = Draw(epoch, sample);

        // Where column x of the result comes from; -1 is padding. Mirroring the result is reading the crop from its end.
        Span<int> columns = stackalloc int[width];
        for (var x = 0; x < width; x++) columns[x] = SourceOf((draw.Mirrored ? width - 1 - x : x) + draw.OffsetX, width);

        for (var channel = 0; channel < Shape.Channels; channel++)
        {
            var table = _normalised.AsSpan(channel * Levels, Levels);
            var black = table[0];
            for (var y = 0; y < height; y++)
            {
                var target = destination.Slice((channel * height + y) * width, width);
                var sourceY = SourceOf(y + draw.OffsetY, height);
                if (sourceY < 0)
                {
                    target.Fill(black);
                    continue;
                }
                var source = pixels.Slice((channel * height + sourceY) * width, width);
                for (var x = 0; x < target.Length; x++)
                {
                    var column = columns[x];
                    target[x] = (uint)column < (uint)source.Length ? table[source[column]] : black;
                }
            }
        }
        if (_cutout > 0) CutOut(destination, draw);
    }

    /// <summary>
    /// The random numbers of one sample. Each has a fixed place in the stream, so turning one augmentation off does not
    /// change what the others do. Offsets are in [-pad, pad]; the cutout's centre lies anywhere in the image.
    /// </summary>
    internal (int OffsetY, int OffsetX, bool Mirrored, int CentreY, int CentreX) Draw(long epoch, int sample)
    {
        var random = new PhiloxStream(_seed, RandomPurpose.Augmentation, (ulong)epoch, (ulong)sample);
        var offsetY = random.NextInt32(2 * _pad + 1) - _pad;
        var offsetX = random.NextInt32(2 * _pad + 1) - _pad;
        var mirrored = random.NextInt32(2) == 1 && _flip;
        return (offsetY, offsetX, mirrored, random.NextInt32(Shape.Height), random.NextInt32(Shape.Width));
    }

    /// <summary>Index in the unpadded image, reflected without repeating the edge (numpy's "reflect"), or -1 for black.</summary>
    private int SourceOf(int index, int length)
    {
        if ((uint)index < (uint)length) return index;
        if (!_reflect) return -1;
        return index < 0 ? -index : 2 * (length - 1) - index;
    }

    /// <summary>A square around the centre, cut at the image's edges as in DeVries and Taylor (2017); the mean colour is 0 once normalised.</summary>
    private void CutOut(Span<float> destination, (int OffsetY, int OffsetX, bool Mirrored, int CentreY, int CentreX) draw)
    {
        var (top, left) = (draw.CentreY - _cutout / 2, draw.CentreX - _cutout / 2);
        var (y0, y1) = (Math.Max(0, top), Math.Min(Shape.Height, top + _cutout));
        var (x0, x1) = (Math.Max(0, left), Math.Min(Shape.Width, left + _cutout));
        for (var channel = 0; channel < Shape.Channels; channel++)
            for (var y = y0; y < y1; y++)
                destination.Slice((channel * Shape.Height + y) * Shape.Width + x0, x1 - x0).Clear();
    }

    private void Check(ReadOnlySpan<byte> pixels, Span<float> destination)
    {
        if (pixels.Length < Shape.Floats) throw new ArgumentException($"{pixels.Length} bytes are not an image of {Shape}", nameof(pixels));
        if (destination.Length < Shape.Floats) throw new ArgumentException($"{destination.Length} floats cannot hold an image of {Shape}", nameof(destination));
    }

    /// <summary>Computed in float64 and rounded once.</summary>
    private static float[] Table(int channels, IReadOnlyList<double> mean, IReadOnlyList<double> std)
    {
        var table = new float[channels * Levels];
        for (var i = 0; i < table.Length; i++) table[i] = (float)(((i % Levels) / 255.0 - mean[i / Levels]) / std[i / Levels]);
        return table;
    }

    private static void Validate(AugmentationOptions options, ImageShape shape)
    {
        if (options.PadMode is not ("zero" or "reflect")) throw new UserMistakeException($"augmentation pad mode '{options.PadMode}' is unknown; known are zero, reflect");
        var smaller = Math.Min(shape.Height, shape.Width);
        if (options.PadCrop < 0 || options.PadCrop >= smaller)
            throw new UserMistakeException($"augmentation pad-crop {options.PadCrop} must lie between 0 and {smaller - 1} for images of {shape}");
        if (options.Cutout < 0 || options.Cutout > 2 * smaller)
            throw new UserMistakeException($"augmentation cutout {options.Cutout} must lie between 0 and {2 * smaller} for images of {shape}");
        foreach (var (name, values) in new[] { ("mean", options.Mean), ("std", options.Std) })
        {
            if (values is not null && values.Count != shape.Channels)
                throw new UserMistakeException($"augmentation {name} has {values.Count} values, expected one for each of the {shape.Channels} channels");
            if (values is not null && values.Any(v => !double.IsFinite(v) || (name == "std" && v <= 0)))
                throw new UserMistakeException($"augmentation {name} [{string.Join(", ", values)}] must be finite{(name == "std" ? " and above 0" : "")}");
        }
    }
}
