namespace Cluster.Workers.Data.Images;

/// <summary>Where torchvision's transforms cut and how large they resize. Pure.</summary>
internal static class CropGeometry
{
    /// <summary>torchvision's <c>RandomResizedCrop</c> tries so often before it takes the centre.</summary>
    public const int Tries = 10;

    /// <summary>Of one try of <see cref="RandomResized"/>: 53 random bits each for area and ratio, 32 each for row and column.</summary>
    public readonly record struct Try(double Area, double Ratio, uint Row, uint Column);

    /// <summary>One try of torchvision's <c>RandomResizedCrop.get_params</c>; null when its rectangle does not fit.</summary>
    /// <param name="width">Of the image as a person sees it.</param>
    /// <param name="scale">Least and largest share of the area.</param>
    /// <param name="logRatio">Natural logarithms of the least and largest width over height.</param>
    public static PixelBox? RandomResized(int width, int height, (double Low, double High) scale, (double Low, double High) logRatio, Try draw)
    {
        var area = (double)width * height * (scale.Low + draw.Area * (scale.High - scale.Low));
        var ratio = PlainMath.Exp(logRatio.Low + draw.Ratio * (logRatio.High - logRatio.Low));
        // Python's round and this one both take the even neighbour of a half.
        var w = (int)Math.Round(Math.Sqrt(area * ratio));
        var h = (int)Math.Round(Math.Sqrt(area / ratio));
        if (w < 1 || w > width || h < 1 || h > height) return null;
        return new PixelBox(Scaled(draw.Column, width - w + 1), Scaled(draw.Row, height - h + 1), w, h);
    }

    /// <summary>What <c>get_params</c> takes when no try fitted: the largest centred rectangle of an allowed ratio.</summary>
    public static PixelBox Fallback(int width, int height, (double Low, double High) ratio)
    {
        var whole = (double)width / height;
        var (w, h) = whole < ratio.Low ? (width, Math.Max(1, (int)Math.Round(width / ratio.Low)))
            : whole > ratio.High ? (Math.Max(1, (int)Math.Round(height * ratio.High)), height)
            : (width, height);
        (w, h) = (Math.Min(w, width), Math.Min(h, height));
        return new PixelBox((width - w) / 2, (height - h) / 2, w, h);
    }

    /// <summary>torchvision's <c>Resize(shortSide)</c>: the long side is cut off, not rounded.</summary>
    public static (int Width, int Height) Resized(int width, int height, int shortSide) => width <= height
        ? (shortSide, (int)((long)shortSide * height / width))
        : ((int)((long)shortSide * width / height), shortSide);

    /// <summary>torchvision's <c>CenterCrop</c>: where it begins on one axis; a half is rounded to the even neighbour.</summary>
    public static int CentreOffset(int length, int crop) => (int)Math.Round((length - crop) / 2.0);

    /// <summary>Uniform in [0, bound) out of 32 random bits.</summary>
    public static int Scaled(uint bits, int bound) => (int)(((ulong)bits * (ulong)bound) >> 32);
}
