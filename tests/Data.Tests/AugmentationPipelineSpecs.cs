using Cluster.Contracts;
using Cluster.Workers.Data;

namespace Cluster.Data.Tests;

public class AugmentationPipelineSpecs
{
    private static readonly ImageShape Oblong = new(2, 7, 9);
    private static readonly AugmentationOptions Everything = new() { PadCrop = 3, PadMode = "reflect", Flip = true, Cutout = 4 };

    private static FakeDataset Dataset(ImageShape shape) =>
        new(1000, shape) { Mean = [.. Enumerable.Range(0, shape.Channels).Select(c => 0.4 + 0.05 * c)], Std = [.. Enumerable.Range(0, shape.Channels).Select(c => 0.2 + 0.01 * c)] };

    private static float[] Apply(AugmentationPipeline pipeline, long epoch, int sample)
    {
        var (pixels, result) = (new byte[pipeline.Shape.Floats], new float[pipeline.Shape.Floats]);
        for (var i = 0; i < pixels.Length; i++) pixels[i] = FakeDataset.Pixel(sample, i);
        pipeline.Apply(epoch, sample, pixels, result);
        return result;
    }

    [Theory]
    [InlineData(0, "reflect", false, 0)]
    [InlineData(0, "zero", true, 0)]
    [InlineData(1, "zero", false, 0)]
    [InlineData(3, "zero", true, 3)]
    [InlineData(3, "reflect", true, 4)]
    [InlineData(6, "reflect", false, 14)]
    [InlineData(6, "zero", true, 1)]
    public void Augmentation_agrees_with_a_slow_recomputation(int pad, string mode, bool flip, int cutout)
    {
        var options = new AugmentationOptions { PadCrop = pad, PadMode = mode, Flip = flip, Cutout = cutout };
        var dataset = Dataset(Oblong);
        var pipeline = new AugmentationPipeline(options, dataset, seed: 77);
        for (var sample = 0; sample < 300; sample++)
            Assert.Equal(SlowAugmentation.Of(options, dataset, 77, epoch: 5, sample), Apply(pipeline, 5, sample));
    }

    [Fact]
    public void Augmentation_is_a_function_of_seed_epoch_and_sample_alone()
    {
        var dataset = Dataset(Oblong);
        var pipeline = new AugmentationPipeline(Everything, dataset, 1);
        var first = Enumerable.Range(0, 200).Select(s => Apply(pipeline, 2, s)).ToArray();
        var other = new AugmentationPipeline(Everything, dataset, 1);
        Parallel.For(0, 200, i => Assert.Equal(first[199 - i], Apply(other, 2, 199 - i)));

        var samples = Enumerable.Range(0, 200).ToArray();
        Assert.Contains(samples, s => !Apply(pipeline, 3, s).SequenceEqual(first[s]));
        var reseeded = new AugmentationPipeline(Everything, dataset, 2);
        Assert.Contains(samples, s => !Apply(reseeded, 2, s).SequenceEqual(first[s]));
    }

    [Fact]
    public void Turning_the_flip_off_leaves_crops_and_cutouts_where_they_were()
    {
        var dataset = Dataset(Oblong);
        var with = new AugmentationPipeline(Everything, dataset, 1);
        var without = new AugmentationPipeline(Everything with { Flip = false }, dataset, 1);
        for (var sample = 0; sample < 200; sample++)
            Assert.Equal(with.Draw(0, sample) with { Mirrored = false }, without.Draw(0, sample));
    }

    [Fact]
    public void Draws_cover_their_whole_range_evenly()
    {
        var pipeline = new AugmentationPipeline(new AugmentationOptions { PadCrop = 4, Flip = true, Cutout = 8 }, Dataset(new ImageShape(3, 32, 32)), 1);
        var draws = Enumerable.Range(0, 9_000).Select(s => pipeline.Draw(0, s)).ToList();
        Assert.Equal(Enumerable.Range(-4, 9), draws.Select(d => d.OffsetX).Distinct().Order());
        Assert.Equal(Enumerable.Range(-4, 9), draws.Select(d => d.OffsetY).Distinct().Order());
        Assert.All(draws.CountBy(d => (d.OffsetY, d.OffsetX)), pair => Assert.InRange(pair.Value, 65, 165));    // 81 pairs, 111 expected, five sigma
        Assert.InRange(draws.Count(d => d.Mirrored), 4260, 4740);
        Assert.Equal(Enumerable.Range(0, 32), draws.Select(d => d.CentreX).Distinct().Order());
        Assert.Equal(Enumerable.Range(0, 32), draws.Select(d => d.CentreY).Distinct().Order());
    }

    [Fact]
    public void Without_options_augmentation_is_normalisation()
    {
        var dataset = Dataset(Oblong);
        var pipeline = new AugmentationPipeline(new AugmentationOptions(), dataset, 1);
        var (pixels, result) = (new byte[Oblong.Floats], new float[Oblong.Floats]);
        dataset.Read(12, pixels);
        pipeline.Normalize(pixels, result);
        Assert.Equal(result, Apply(pipeline, 4, 12));
        Assert.Equal((float)((pixels[63] / 255.0 - 0.45) / 0.21), result[63]);          // first pixel of the second channel
    }

    [Fact]
    public void Mean_and_deviation_of_the_options_go_before_those_of_the_data_set()
    {
        var pipeline = new AugmentationPipeline(new AugmentationOptions { Mean = [0, 0.5], Std = [1, 0.5] }, Dataset(Oblong), 1);
        var (pixels, result) = (new byte[Oblong.Floats], new float[Oblong.Floats]);
        pixels.AsSpan().Fill(255);
        pipeline.Normalize(pixels, result);
        Assert.All(result, value => Assert.Equal(1f, value));
    }

    [Fact]
    public void Augmentation_allocates_nothing()
    {
        var pipeline = new AugmentationPipeline(Everything, Dataset(Oblong), 1);
        var (pixels, result) = (new byte[Oblong.Floats], new float[Oblong.Floats]);
        pipeline.Apply(0, 0, pixels, result);
        Assert.Equal(0, Allocations.Of(() =>
        {
            for (var sample = 0; sample < 1000; sample++) pipeline.Apply(1, sample, pixels, result);
        }));
    }

    public static TheoryData<AugmentationOptions, string> Mistakes => new()
    {
        { new() { PadMode = "wrap" }, "'wrap' is unknown; known are zero, reflect" },
        { new() { PadCrop = -1 }, "pad-crop -1" },
        { new() { PadCrop = 7 }, "pad-crop 7 must lie between 0 and 6" },
        { new() { Cutout = -2 }, "cutout -2" },
        { new() { Cutout = 15 }, "cutout 15" },
        { new() { Mean = [0.5] }, "mean has 1 values" },
        { new() { Std = [0.5, 0] }, "std [0.5, 0] must be finite and above 0" },
        { new() { Mean = [double.NaN, 0] }, "mean [NaN, 0] must be finite" },
    };

    [Theory]
    [MemberData(nameof(Mistakes))]
    public void An_option_that_cannot_be_is_the_users_mistake(AugmentationOptions options, string message)
    {
        var mistake = Assert.Throws<UserMistakeException>(() => new AugmentationPipeline(options, Dataset(Oblong), 1));
        Assert.Contains(message, mistake.Message);
        Assert.DoesNotContain('\n', mistake.Message);
    }

    [Fact]
    public void Buffers_of_the_wrong_size_are_refused()
    {
        var pipeline = new AugmentationPipeline(Everything, Dataset(Oblong), 1);
        Assert.Throws<ArgumentException>(() => pipeline.Apply(0, 0, new byte[Oblong.Floats - 1], new float[Oblong.Floats]));
        Assert.Throws<ArgumentException>(() => pipeline.Normalize(new byte[Oblong.Floats], new float[Oblong.Floats - 1]));
    }
}

/// <summary>The same transform written down as its definition says: pad, crop, mirror, normalise, cut, each on a whole image of its own.</summary>
internal static class SlowAugmentation
{
    public static float[] Of(AugmentationOptions options, FakeDataset dataset, ulong seed, long epoch, int sample)
    {
        var (channels, height, width) = (dataset.Shape.Channels, dataset.Shape.Height, dataset.Shape.Width);
        var pad = options.PadCrop;
        var random = new PhiloxStream(seed, RandomPurpose.Augmentation, (ulong)epoch, (ulong)sample);
        var top = random.NextInt32(2 * pad + 1);
        var left = random.NextInt32(2 * pad + 1);
        var mirrored = random.NextInt32(2) == 1 && options.Flip;
        var centreY = random.NextInt32(height);
        var centreX = random.NextInt32(width);

        var result = new List<float>();
        for (var c = 0; c < channels; c++)
        {
            var padded = new byte[height + 2 * pad, width + 2 * pad];
            for (var y = 0; y < height + 2 * pad; y++)
                for (var x = 0; x < width + 2 * pad; x++)
                {
                    var (sourceY, sourceX) = (y - pad, x - pad);
                    if (options.PadMode == "reflect") (sourceY, sourceX) = (Bounce(sourceY, height), Bounce(sourceX, width));
                    var inside = sourceY >= 0 && sourceY < height && sourceX >= 0 && sourceX < width;
                    padded[y, x] = inside ? FakeDataset.Pixel(sample, (c * height + sourceY) * width + sourceX) : (byte)0;
                }
            for (var y = 0; y < height; y++)
                for (var x = 0; x < width; x++)
                {
                    var pixel = padded[top + y, left + (mirrored ? width - 1 - x : x)];
                    var (dy, dx) = (y - (centreY - options.Cutout / 2), x - (centreX - options.Cutout / 2));
                    var cut = dy >= 0 && dy < options.Cutout && dx >= 0 && dx < options.Cutout;
                    result.Add(cut ? 0f : (float)((pixel / 255.0 - dataset.Mean[c]) / dataset.Std[c]));
                }
        }
        return [.. result];
    }

    /// <summary>A ball between two walls, step by step: … 2 1 0 1 2 … n-1 n-2 …</summary>
    private static int Bounce(int index, int length)
    {
        var (position, direction) = (0, 1);
        for (var steps = Math.Abs(index); steps > 0; steps--)
        {
            if (position + direction >= length) direction = -1;
            position += direction;
        }
        return position;
    }
}
