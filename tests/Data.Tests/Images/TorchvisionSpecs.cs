using System.Globalization;
using Cluster.Contracts;
using Cluster.Workers.Data.Images;
using Cluster.Workers.Data.Images.Native;

namespace Cluster.Data.Tests.Images;

/// <summary>Real photographs through our path and through torchvision's.</summary>
public class TorchvisionSpecs
{
    [Theory]
    [InlineData("imagenet-sample", 1, 224, 256)]
    [InlineData("imagenet-sample", 7, 160, 161)]
    [InlineData("imagenet-sample", 7, 300, 343)]
    [InlineData("tiny-imagenet-20", 197, 56, 64)]
    [InlineData("tiny-imagenet-20", 197, 64, 64)]
    [InlineData("tiny-imagenet-20", 197, 224, 256)]
    public void Evaluation_equals_torchvision_to_the_bit(string set, int every, int side, int shortSide)
    {
        var files = TestImages.Files(set, every);
        var theirs = Oracle.Ask(files.Select(file => $"eval\t{file}\t{side}\t{shortSide}"));
        var recipe = TestImages.Recipe(side: side, shortSide: shortSide);
        var length = side * side * 3;
        Assert.Equal(files.Length * length, theirs.Length);
        Assert.All(files, (file, i) => Assert.Equal(0, TestImages.MeanDifference(theirs.AsSpan(i * length, length), TestImages.Evaluate(File.ReadAllBytes(file), recipe))));
    }

    /// <summary>Evaluation may decode smaller too: an image many times larger than what is made of it.</summary>
    [Theory]
    [InlineData(64, 73)]
    [InlineData(32, 32)]
    public void Evaluation_of_large_images_is_within_one_grey_level_of_torchvision(int side, int shortSide)
    {
        var files = TestImages.Files("imagenet-sample", 3);
        var theirs = Oracle.Ask(files.Select(file => $"eval\t{file}\t{side}\t{shortSide}"));
        var recipe = TestImages.Recipe(side: side, shortSide: shortSide);
        var length = side * side * 3;
        var worst = files.Select((file, i) => TestImages.MeanDifference(theirs.AsSpan(i * length, length), TestImages.Evaluate(File.ReadAllBytes(file), recipe))).Max();
        Assert.InRange(worst, 0, 1.0);
    }

    [Theory]
    [InlineData("imagenet-sample", 1, 224, 1)]
    [InlineData("imagenet-sample", 3, 64, 2)]
    [InlineData("imagenet-sample", 3, 32, 2)]
    [InlineData("tiny-imagenet-20", 197, 56, 2)]
    public void Training_has_at_least_40_dB_against_torchvision_for_the_same_crop(string set, int every, int side, int epochs)
    {
        var files = TestImages.Files(set, every);
        var recipe = TestImages.Recipe(side: side, shortSide: side);
        var cases = files.SelectMany((file, i) => Enumerable.Range(0, epochs).Select(epoch => (File: file, Sample: i, Epoch: epoch))).ToArray();
        var theirs = Oracle.Ask(cases.Select(c => Job(recipe, c.File, c.Epoch, c.Sample)));
        var length = side * side * 3;
        Assert.Equal(cases.Length * length, theirs.Length);
        var ratios = cases.Select((c, i) => TestImages.Psnr(theirs.AsSpan(i * length, length), TestImages.Train(File.ReadAllBytes(c.File), recipe, c.Epoch, c.Sample))).ToArray();
        Assert.All(ratios, ratio => Assert.InRange(ratio, 40, 100));
    }

    [Fact]
    public void Colour_jitter_is_torchvisions_to_the_bit()
    {
        var files = TestImages.Files("tiny-imagenet-20", 500);
        (int Part, double Factor)[] changes = [(0, 0.6), (0, 1.4), (1, 0.55), (1, 1.3), (2, 0.2), (2, 1.9), (3, 0.1), (3, -0.31), (3, 0.5)];
        var cases = files.SelectMany(file => changes.Select(change => (File: file, change.Part, change.Factor))).ToArray();
        var theirs = Oracle.Ask(cases.Select(c => string.Create(CultureInfo.InvariantCulture, $"jitter\t{c.File}\t{c.Part}\t{c.Factor}")));
        const int length = 64 * 64 * 3;
        Assert.Equal(cases.Length * length, theirs.Length);
        Assert.All(cases, (c, i) => Assert.Equal(theirs.AsSpan(i * length, length).ToArray(), Jittered(File.ReadAllBytes(c.File), c.Part, c.Factor)));
    }

    private static unsafe byte[] Jittered(byte[] encoded, int part, double factor)
    {
        var pixels = Whole.Decode(encoded).Pixels;
        fixed (byte* at = pixels) ColorJitter.Apply(part, factor, at, pixels.Length / 4);
        return [.. pixels.Where((_, i) => i % 4 != 3)];
    }

    private static unsafe string Job(ImageRecipe recipe, string file, int epoch, int sample)
    {
        var encoded = File.ReadAllBytes(file);
        using var decoder = new ImageDecoder();
        Span<uint> words = stackalloc uint[ImageDraws.Words];
        fixed (byte* data = encoded)
        {
            var header = decoder.Open(data, encoded.Length);
            var view = recipe.Training(header.Width, header.Height, recipe.Draw(epoch, sample, words));
            return $"crop\t{file}\t{recipe.Side}\t{view.Box.X}\t{view.Box.Y}\t{view.Box.Width}\t{view.Box.Height}\t{(view.IsMirrored ? 1 : 0)}";
        }
    }
}
