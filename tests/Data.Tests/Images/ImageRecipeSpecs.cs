using Cluster.Contracts;
using Cluster.Workers.Data;
using Cluster.Workers.Data.Images;

namespace Cluster.Data.Tests.Images;

/// <summary>What is drawn, from what, and which options are refused.</summary>
public class ImageRecipeSpecs
{
    private static readonly ImageShape Square = new(3, 32, 32);

    [Fact]
    public void Crop_is_a_function_of_seed_epoch_and_sample()
    {
        var first = Views(TestImages.Recipe(seed: 1));
        Assert.Equal(first, Views(TestImages.Recipe(seed: 1)));
        Assert.NotEqual(first, Views(TestImages.Recipe(seed: 2)));
        Assert.Equal(first.Count, first.Distinct().Count());
    }

    [Fact]
    public void Mirror_has_a_place_of_its_own()
    {
        var with = Views(TestImages.Recipe());
        var without = Views(TestImages.Recipe(TestImages.Plain with { Flip = false }));
        Assert.Equal(with.Select(static v => v.Box), without.Select(static v => v.Box));
        Assert.DoesNotContain(without, static v => v.IsMirrored);
        Assert.InRange(with.Count(static v => v.IsMirrored), with.Count * 0.4, with.Count * 0.6);
    }

    [Fact]
    public void Crops_have_the_asked_area_and_ratio_and_lie_everywhere_in_the_image()
    {
        var recipe = TestImages.Recipe(TestImages.Plain with { CropScale = [0.25, 0.5], CropRatio = [0.5, 2] });
        var boxes = Views(recipe, 500, 400, 2000).Select(static v => v.Box).ToArray();
        Assert.All(boxes, static box =>
        {
            Assert.InRange(box.X, 0, 500 - box.Width);
            Assert.InRange(box.Y, 0, 400 - box.Height);
            // Sides are rounded to whole pixels.
            Assert.InRange(box.Width * box.Height / 200_000.0, 0.247, 0.503);
            Assert.InRange((double)box.Width / box.Height, 0.495, 2.02);
        });
        // Area and logarithm of the ratio are uniform, those that do not fit left out; the middle of the range is their mean.
        Assert.InRange(boxes.Average(static box => Math.Log((double)box.Width / box.Height)), -0.1, 0.1);
        Assert.InRange(boxes.Count(static box => box.X < (500 - box.Width) / 2), 900, 1100);
        Assert.InRange(boxes.Count(static box => box.Y < (400 - box.Height) / 2), 900, 1100);
        Assert.Contains(boxes, static box => box.X == 0);
        Assert.Contains(boxes, static box => box.X + box.Width == 500);
    }

    /// <summary>Values by hand from torchvision's definition.</summary>
    [Theory]
    [InlineData(2000, 10, 993, 0, 13, 10)]
    [InlineData(10, 2000, 0, 993, 10, 13)]
    [InlineData(110, 100, 0, 0, 110, 100)]
    [InlineData(1, 500, 0, 249, 1, 1)]
    public void Image_that_no_try_fits_gives_its_centre(int width, int height, int x, int y, int w, int h)
    {
        Assert.Equal(new PixelBox(x, y, w, h), CropGeometry.Fallback(width, height, (3.0 / 4, 4.0 / 3)));
        if (width != 110)
            Assert.All(Views(TestImages.Recipe(TestImages.Plain with { CropScale = [0.9, 1] }), width, height), view => Assert.Equal(new PixelBox(x, y, w, h), view.Box));
    }

    /// <summary>Python: int(256 * 375 / 333), round((256 - 224) / 2) and round(0.5), which is 0.</summary>
    [Fact]
    public void Sizes_and_offsets_of_evaluation_are_torchvisions()
    {
        Assert.Equal((256, 288), CropGeometry.Resized(333, 375, 256));
        Assert.Equal((341, 256), CropGeometry.Resized(500, 375, 256));
        Assert.Equal((256, 256), CropGeometry.Resized(7, 7, 256));
        Assert.Equal([16, 0, 2, 2], [CropGeometry.CentreOffset(256, 224), CropGeometry.CentreOffset(225, 224), CropGeometry.CentreOffset(227, 224), CropGeometry.CentreOffset(229, 224)]);
    }

    [Fact]
    public void Exponential_and_logarithm_are_right()
    {
        for (var x = -5.0; x < 5; x += 0.037)
        {
            Assert.Equal(1, PlainMath.Exp(x) / Math.Exp(x), 1e-14);
            Assert.Equal(x, PlainMath.Log(Math.Exp(x)), 1e-14 * Math.Max(1, Math.Abs(x)) * 4);
        }
        Assert.Equal((1.0, 0.0), (PlainMath.Exp(0), PlainMath.Log(1)));
    }

    [Fact]
    public void Erased_rectangles_have_torchvisions_sizes_and_are_zero_in_all_channels()
    {
        var erasing = TestImages.Recipe(TestImages.Plain with { RandomErasing = 0.5 }, side: 100).Erasing!;
        var recipe = TestImages.Recipe();
        Span<uint> words = stackalloc uint[ImageDraws.Words];
        var count = 0;
        for (var sample = 0; sample < 2000; sample++)
        {
            if (erasing.BoxOf(100, 100, recipe.Draw(0, sample, words)) is not { } box) continue;
            count++;
            Assert.InRange(box.X, 0, 100 - box.Width);
            Assert.InRange(box.Y, 0, 100 - box.Height);
            Assert.InRange(box.Width * box.Height / 10_000.0, 0.018, 0.34);
            Assert.InRange((double)box.Height / box.Width, 0.27, 3.6);
        }
        Assert.InRange(count, 900, 1100);
    }

    [Fact]
    public void Erasing_and_jitter_change_nothing_else()
    {
        var encoded = new JpegBytes { Across = 9, Down = 9, Level = static (y, x, c) => (byte)(60 + 9 * y + 7 * x + 20 * c) }.Build();
        var plain = TestImages.Recipe(side: 40, shortSide: 40);
        var erased = TestImages.Recipe(TestImages.Plain with { RandomErasing = 1 }, side: 40, shortSide: 40);
        var neutral = TestImages.Recipe(TestImages.Plain with { ColorJitter = [0, 0, 0, 0] }, side: 40, shortSide: 40);
        var jittered = TestImages.Recipe(TestImages.Plain with { ColorJitter = [0.4, 0.4, 0.4, 0.1] }, side: 40, shortSide: 40);
        var differ = 0;
        for (var sample = 0; sample < 10; sample++)
        {
            var whole = TestImages.Train(encoded, plain, 1, sample);
            var holed = TestImages.Train(encoded, erased, 1, sample);
            var holes = Enumerable.Range(0, whole.Length).Where(i => whole[i] != holed[i]).ToArray();
            Assert.NotEmpty(holes);
            Assert.All(holes, i => Assert.Equal(0, holed[i]));
            Assert.InRange(holes.Length, 0.015 * whole.Length, 0.35 * whole.Length);
            Assert.Equal(whole, TestImages.Train(encoded, neutral, 1, sample));
            var coloured = TestImages.Train(encoded, jittered, 1, sample);
            Assert.Equal(coloured, TestImages.Train(encoded, jittered, 1, sample));
            if (!coloured.SequenceEqual(whole)) differ++;
            Assert.Equal(TestImages.Evaluate(encoded, plain), TestImages.Evaluate(encoded, jittered));
        }
        Assert.Equal(10, differ);
    }

    /// <summary>Every order of the four, every factor: the bounds that torchvision's get_params has.</summary>
    [Fact]
    public void Jitter_draws_all_orders()
    {
        var recipe = TestImages.Recipe();
        Span<uint> words = stackalloc uint[ImageDraws.Words];
        Span<int> order = stackalloc int[4];
        var orders = new Dictionary<string, int>();
        for (var sample = 0; sample < 4800; sample++)
        {
            recipe.Draw(0, sample, words).JitterOrder(order);
            var name = $"{order[0]}{order[1]}{order[2]}{order[3]}";
            orders[name] = orders.GetValueOrDefault(name) + 1;
        }
        Assert.Equal(24, orders.Count);
        Assert.All(orders.Values, static n => Assert.InRange(n, 130, 270));
    }

    public static TheoryData<string, AugmentationOptions> Mistakes => new()
    {
        { "pad-crop 4 is for images that all have one size", new() { PadCrop = 4 } },
        { "cutout 8 is for images that all have one size", new() { Cutout = 8 } },
        { "crop-scale [0.5] must be two numbers", new() { CropScale = [0.5] } },
        { "crop-scale [0.9, 0.5] must be two numbers, the smaller one first", new() { CropScale = [0.9, 0.5] } },
        { "crop-scale [0, 1] must be two numbers", new() { CropScale = [0, 1] } },
        { "crop-scale [0.5, 1.5] must be two numbers", new() { CropScale = [0.5, 1.5] } },
        { "crop-scale [NaN, 1] must be two numbers", new() { CropScale = [double.NaN, 1] } },
        { "crop-ratio [2, 0.5] must be two numbers", new() { CropRatio = [2, 0.5] } },
        { "crop-ratio [1, Infinity] must be two numbers", new() { CropRatio = [1, double.PositiveInfinity] } },
        { "color-jitter [0.4] must be four numbers", new() { ColorJitter = [0.4] } },
        { "color-jitter [0.4, -1, 0, 0] must be four numbers", new() { ColorJitter = [0.4, -1, 0, 0] } },
        { "hue, the fourth, is at most 0.5", new() { ColorJitter = [0, 0, 0, 0.6] } },
        { "random-erasing 1.5 is a probability", new() { RandomErasing = 1.5 } },
        { "random-erasing NaN is a probability", new() { RandomErasing = double.NaN } },
        { "mean has 1 values", new() { Mean = [0.5] } },
        { "std [1, 0, 1] must be finite and above 0", new() { Std = [1, 0, 1] } },
    };

    [Theory]
    [MemberData(nameof(Mistakes))]
    public void Option_that_images_of_any_size_do_not_allow_is_the_users_mistake(string message, AugmentationOptions options)
    {
        var e = Assert.Throws<UserMistakeException>(() => new EncodedSource(new FakeDataset(1, Square), new BadImagesSpecs.Encoded([]), options, 32, 1));
        Assert.Contains(message, e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Evaluation_smaller_than_the_square_is_the_users_mistake() =>
        Assert.Contains("eval-resize 31 must lie between image-size 32", Assert.Throws<UserMistakeException>(() => TestImages.Recipe(side: 32, shortSide: 31)).Message, StringComparison.Ordinal);

    private static List<ImageView> Views(ImageRecipe recipe, int width = 500, int height = 375, int samples = 300)
    {
        Span<uint> words = stackalloc uint[ImageDraws.Words];
        var views = new List<ImageView>();
        for (var sample = 0; sample < samples; sample++) views.Add(recipe.Training(width, height, recipe.Draw(sample % 3, sample, words)));
        return views;
    }
}
