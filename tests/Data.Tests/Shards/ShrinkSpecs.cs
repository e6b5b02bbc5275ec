using Cluster.Data.Tests.Images;
using Cluster.Workers.Data.Images.Native;
using Cluster.Workers.Data.Shards;

namespace Cluster.Data.Tests.Shards;

public sealed class ShrinkSpecs
{
    [Fact]
    public void A_real_image_made_smaller_looks_as_evaluation_would_have_made_it()
    {
        using var shrink = new Shrink(128, quality: 100);
        foreach (var file in TestImages.Files("imagenet-sample", 23))
        {
            var original = File.ReadAllBytes(file);
            var (image, length) = ((byte[])original.Clone(), original.Length);
            Assert.Null(shrink.Apply(ref image, ref length));
            image = image[..length];
            Assert.Equal(128, Math.Min(SizeOf(image).Width, SizeOf(image).Height));
            Assert.True(length < original.Length);
            var recipe = TestImages.Recipe(side: 128, shortSide: 128);
            // A JPEG's colours are stored at half the sides: that is what is lost.
            Assert.InRange(TestImages.Psnr(TestImages.Evaluate(original, recipe), TestImages.Evaluate(image, recipe)), 30, 100);
        }
    }

    [Fact]
    public void A_turned_photograph_comes_out_upright()
    {
        foreach (var orientation in new[] { 1, 2, 3, 4, 5, 6, 7, 8 })
        {
            // Squares of 8 pixels, grey: 96 x 64 pixels as stored.
            var original = new JpegBytes { Across = 12, Down = 8, Components = 1, Orientation = orientation, Level = static (y, x, _) => (byte)(20 + y * 12 + x * 10) }.Build();
            using var shrink = new Shrink(32, quality: 100);
            var (image, length) = (original, original.Length);
            Assert.Null(shrink.Apply(ref image, ref length));
            image = image[..length];
            Assert.Equal(orientation >= 5 ? (32, 48) : (48, 32), SizeOf(image));
            var recipe = TestImages.Recipe(side: 32, shortSide: 32);
            Assert.InRange(TestImages.MeanDifference(TestImages.Evaluate(original, recipe), TestImages.Evaluate(image, recipe)), 0, 2.5);
        }
    }

    [Theory]
    [InlineData(64)]
    [InlineData(65)]
    [InlineData(500)]
    public void An_image_that_is_small_enough_is_not_touched(int shortSide)
    {
        var original = new JpegBytes { Across = 12, Down = 8 }.Build();
        using var shrink = new Shrink(shortSide, quality: 95);
        var (image, length) = (original, original.Length);
        Assert.Null(shrink.Apply(ref image, ref length));
        Assert.Same(original, image);
        Assert.Equal(original.Length, length);
    }

    [Fact]
    public void A_png_becomes_a_jpeg_and_a_damaged_image_is_told()
    {
        using var shrink = new Shrink(16, quality: 90);
        var (image, length) = (new PngBytes { Width = 50, Height = 40 }.Build(), 0);
        length = image.Length;
        Assert.Null(shrink.Apply(ref image, ref length));
        Assert.Equal([0xFF, 0xD8, 0xFF], image[..3]);
        Assert.Equal((20, 16), SizeOf(image[..length]));
        var half = new PngBytes { Width = 50, Height = 40 }.Build()[..60];
        var count = half.Length;
        Assert.StartsWith("cannot be decoded: ", shrink.Apply(ref half, ref count));
    }

    [Theory]
    [InlineData(500, 375, 256, 341, 256)]
    [InlineData(375, 500, 256, 256, 341)]
    [InlineData(300, 300, 64, 64, 64)]
    [InlineData(20_000, 65, 64, 19_692, 64)]
    public void The_short_side_is_exact_and_the_long_one_cut(int width, int height, int shortSide, int toWidth, int toHeight) =>
        Assert.Equal((toWidth, toHeight), Shrink.SizeOf(width, height, shortSide));

    private static unsafe (int Width, int Height) SizeOf(byte[] image)
    {
        using var decoder = new ImageDecoder();
        fixed (byte* data = image)
        {
            var header = decoder.Open(data, image.Length);
            return (header.Width, header.Height);
        }
    }
}
