using Cluster.Contracts;

namespace Cluster.Workers.Data;

/// <summary>Which data set is wanted, and how its images are to look.</summary>
/// <param name="Spec">What stands behind <c>--data</c>.</param>
/// <param name="Seed">The run's: <c>synthetic</c> draws its samples from it, files ignore it.</param>
public sealed record DataRequest(string Spec, ulong Seed)
{
    /// <summary>Side of the square that the network sees when nobody says otherwise (Krizhevsky et al., 2012, and all since).</summary>
    public const int DefaultImageSize = 224;

    /// <summary>Side of the square that the network sees of an image of any size.</summary>
    public int ImageSize { get; init; } = DefaultImageSize;

    /// <summary>Short side before evaluation takes the centre; 0 = 256/224 of <see cref="ImageSize"/>, as torchvision's references do.</summary>
    public int EvalResize { get; init; }

    /// <summary>Null = <see cref="CacheFolder.Default"/>.</summary>
    public string? CacheRoot { get; init; }

    /// <summary>Told while an index is made, from several threads; null for silence.</summary>
    public IProgress<DownloadProgress>? Progress { get; init; }

    public static DataRequest Of(RunOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        return new DataRequest(options.Data, options.Seed) { ImageSize = (int)(options.ImageSize ?? DefaultImageSize), EvalResize = (int)(options.EvalResize ?? 0) };
    }

    /// <summary>Never below <see cref="ImageSize"/>.</summary>
    public int ShortSide => Math.Max(ImageSize, EvalResize > 0 ? EvalResize : (ImageSize * 256 + 112) / 224);
}
