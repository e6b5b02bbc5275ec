namespace Cluster.Workers.Data.Images;

/// <summary>
/// Random erasing (Zhong et al., 2017) as torchvision's <c>RandomErasing</c> with its defaults has it: with a probability, a
/// rectangle of 2 to 33 % of the area and a ratio of 0.3 to 3.3 is set to 0 after normalisation. Immutable; any thread.
/// </summary>
internal sealed class RandomErasing(double probability)
{
    private static readonly (double Low, double High) Scale = (0.02, 0.33), LogRatio = (PlainMath.Log(0.3), PlainMath.Log(3.3));

    /// <summary>Null = nothing is erased: by chance, or because ten tries did not fit.</summary>
    public PixelBox? BoxOf(int width, int height, ImageDraws draws)
    {
        if (draws.EraseChance >= probability) return null;
        for (var i = 0; i < CropGeometry.Tries; i++)
            if (BoxOf(width, height, draws.EraseTry(i)) is { } box) return box;
        return null;
    }

    /// <summary>One try of <c>get_params</c>; here the ratio is height over width, and the rectangle is smaller than the image on both sides.</summary>
    private static PixelBox? BoxOf(int width, int height, CropGeometry.Try draw)
    {
        var area = (double)width * height * (Scale.Low + draw.Area * (Scale.High - Scale.Low));
        var ratio = PlainMath.Exp(LogRatio.Low + draw.Ratio * (LogRatio.High - LogRatio.Low));
        var (h, w) = ((int)Math.Round(Math.Sqrt(area * ratio)), (int)Math.Round(Math.Sqrt(area / ratio)));
        if (h >= height || w >= width) return null;
        return new PixelBox(CropGeometry.Scaled(draw.Column, width - w + 1), CropGeometry.Scaled(draw.Row, height - h + 1), w, h);
    }
}
