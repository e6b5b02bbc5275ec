using Cluster.Contracts;

namespace Cluster.Workers.Data.Images;

/// <summary>
/// What is done to images of any size, as torchvision's reference recipe for ImageNet: training RandomResizedCrop and, where
/// asked for, mirror, ColorJitter and RandomErasing; evaluation Resize and CenterCrop; both normalise. Immutable; any thread.
/// </summary>
internal sealed class ImageRecipe
{
    public const int Channels = 3;
    private const int Levels = 256;
    private static readonly double[] DefaultScale = [0.08, 1], DefaultRatio = [3.0 / 4, 4.0 / 3];

    private readonly (double Low, double High) _scale, _ratio, _logRatio;
    private readonly bool _flip;
    private readonly ulong _seed;

    /// <param name="shape">Of the square that the network sees.</param>
    /// <param name="shortSide">Of an image before evaluation takes its centre; at least the square's side.</param>
    /// <param name="mean">[3], where the options leave it open; so is <paramref name="std"/>.</param>
    /// <exception cref="UserMistakeException">An option that images of any size do not allow.</exception>
    public ImageRecipe(AugmentationOptions options, ImageShape shape, int shortSide, IReadOnlyList<double> mean, IReadOnlyList<double> std, ulong seed)
    {
        ImageRecipeOptions.Check(options, shape, shortSide);
        (Side, ShortSide, _seed, _flip) = (shape.Width, shortSide, seed, options.Flip);
        _scale = Pair(options.CropScale ?? DefaultScale);
        _ratio = Pair(options.CropRatio ?? DefaultRatio);
        _logRatio = (PlainMath.Log(_ratio.Low), PlainMath.Log(_ratio.High));
        Jitter = options.ColorJitter is { } jitter && jitter.Any(static x => x > 0) ? new ColorJitter(jitter) : null;
        Erasing = options.RandomErasing > 0 ? new RandomErasing(options.RandomErasing) : null;
        Normalised = Table(options.Mean ?? mean, options.Std ?? std);
    }

    /// <summary>Of the square that the network sees.</summary>
    public int Side { get; }

    public int ShortSide { get; }

    /// <summary>Null = none.</summary>
    public ColorJitter? Jitter { get; }

    /// <summary>Null = never.</summary>
    public RandomErasing? Erasing { get; }

    /// <summary>[3, 256]: the normalised value of every pixel value; computed in float64 and rounded once.</summary>
    public float[] Normalised { get; }

    public ImageDraws Draw(long epoch, int sample, Span<uint> words) => new(_seed, epoch, sample, words);

    /// <summary>What training shows of an image.</summary>
    /// <param name="width">Of the image as a person sees it; so is <paramref name="height"/>.</param>
    public ImageView Training(int width, int height, ImageDraws draws) =>
        new(CropOf(width, height, draws), Side, Side, 0, 0, draws.IsMirrored && _flip);

    /// <summary>What evaluation shows of an image.</summary>
    public ImageView Evaluation(int width, int height)
    {
        var (resizedWidth, resizedHeight) = CropGeometry.Resized(width, height, ShortSide);
        return new ImageView(new PixelBox(0, 0, width, height), resizedWidth, resizedHeight,
            CropGeometry.CentreOffset(resizedWidth, Side), CropGeometry.CentreOffset(resizedHeight, Side), IsMirrored: false);
    }

    private PixelBox CropOf(int width, int height, ImageDraws draws)
    {
        for (var i = 0; i < CropGeometry.Tries; i++)
            if (CropGeometry.RandomResized(width, height, _scale, _logRatio, draws.CropTry(i)) is { } box) return box;
        return CropGeometry.Fallback(width, height, _ratio);
    }

    private static (double Low, double High) Pair(IReadOnlyList<double> values) => (values[0], values[1]);

    private static float[] Table(IReadOnlyList<double> mean, IReadOnlyList<double> std)
    {
        var table = new float[Channels * Levels];
        for (var i = 0; i < table.Length; i++) table[i] = (float)(((i % Levels) / 255.0 - mean[i / Levels]) / std[i / Levels]);
        return table;
    }
}

/// <summary>Which part of an image is shown, and how large.</summary>
/// <param name="Box">In pixels of the image as a person sees it.</param>
/// <param name="TotalWidth">The box is resized to so many columns, of which the square takes those from <paramref name="Left"/> on.</param>
/// <param name="TotalHeight">And to so many rows, of which it takes those from <paramref name="Top"/> on.</param>
internal readonly record struct ImageView(PixelBox Box, int TotalWidth, int TotalHeight, int Left, int Top, bool IsMirrored);
