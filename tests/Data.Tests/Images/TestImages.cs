using Cluster.Contracts;
using Cluster.Workers.Data;
using Cluster.Workers.Data.Images;

namespace Cluster.Data.Tests.Images;

/// <summary>Real images, and what the reader makes of them as bytes.</summary>
internal static class TestImages
{
    public const int Side = 224, ShortSide = 256;

    /// <summary>Mean 0 and standard deviation 1: normalised values are the bytes over 255.</summary>
    public static readonly AugmentationOptions Plain = new() { Mean = [0, 0, 0], Std = [1, 1, 1], Flip = true };

    public static ImageRecipe Recipe(AugmentationOptions? options = null, int side = Side, int shortSide = ShortSide, ulong seed = 7) =>
        new(options ?? Plain, new ImageShape(3, side, side), shortSide, [0, 0, 0], [1, 1, 1], seed);

    /// <summary>Files of the sample that users bring, every n-th; skips the spec where there is none.</summary>
    public static string[] Files(string set, int every = 1)
    {
        var folder = Path.Combine(Environment.GetEnvironmentVariable("CLUSTER_TEST_DATA") is { Length: > 0 } root ? root : "/nowhere", set);
        Assert.SkipUnless(Directory.Exists(folder), $"needs $CLUSTER_TEST_DATA/{set} with real images");
        var files = Directory.GetFiles(folder, "*.JPEG", SearchOption.AllDirectories).Order(StringComparer.Ordinal).Where((_, i) => i % every == 0).ToArray();
        Assert.NotEmpty(files);
        return files;
    }

    /// <summary>[side, side, 3] bytes, out of [3, side, side] bytes over 255.</summary>
    public static byte[] ToBytes(ReadOnlySpan<float> planes)
    {
        var plane = planes.Length / 3;
        var bytes = new byte[planes.Length];
        for (var i = 0; i < bytes.Length; i++) bytes[i] = (byte)MathF.Round(planes[i % 3 * plane + i / 3] * 255);
        return bytes;
    }

    public static byte[] Evaluate(byte[] encoded, ImageRecipe recipe)
    {
        using var reader = new ImageReader(recipe);
        var planes = new float[3 * recipe.Side * recipe.Side];
        reader.ReadEvaluation(encoded, planes);
        return ToBytes(planes);
    }

    public static byte[] Train(byte[] encoded, ImageRecipe recipe, long epoch, int sample)
    {
        using var reader = new ImageReader(recipe);
        var planes = new float[3 * recipe.Side * recipe.Side];
        reader.ReadTraining(encoded, epoch, sample, planes);
        return ToBytes(planes);
    }

    public static double MeanDifference(ReadOnlySpan<byte> a, ReadOnlySpan<byte> b)
    {
        Assert.Equal(a.Length, b.Length);
        var sum = 0L;
        for (var i = 0; i < a.Length; i++) sum += Math.Abs(a[i] - b[i]);
        return (double)sum / a.Length;
    }

    /// <summary>Peak signal to noise in dB; 100 for equal ones.</summary>
    public static double Psnr(ReadOnlySpan<byte> a, ReadOnlySpan<byte> b)
    {
        Assert.Equal(a.Length, b.Length);
        var sum = 0L;
        for (var i = 0; i < a.Length; i++) sum += (a[i] - b[i]) * (a[i] - b[i]);
        return sum == 0 ? 100 : 10 * Math.Log10(255.0 * 255 * a.Length / sum);
    }
}
