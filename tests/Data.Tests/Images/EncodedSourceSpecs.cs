using Cluster.Contracts;
using Cluster.Workers.Data;
using Cluster.Workers.Data.Images;

namespace Cluster.Data.Tests.Images;

/// <summary>Readers of encoded samples: the same bits on any thread and any processor, nothing allocated, the set's own normalisation.</summary>
public class EncodedSourceSpecs
{
    private const int Side = 32;
    private static readonly byte[][] Images =
    [
        new JpegBytes { Across = 12, Down = 9 }.Build(), new JpegBytes { Across = 9, Down = 20, Components = 1, Progressive = true }.Build(),
        new JpegBytes { Across = 31, Down = 31, Orientation = 6 }.Build(), new JpegBytes { Components = 4, Adobe = 2 }.Build(),
        new PngBytes { Width = 77, Height = 50 }.Build(),
    ];

    [Fact]
    public void Vectors_and_plain_loops_give_the_same_bits()
    {
        foreach (var (from, to) in new[] { (500, 224), (333, 224), (64, 224), (1, 5), (2, 3), (1000, 7), (224, 224), (450, 223) })
        {
            var filter = new AxisFilter();
            filter.Set(0.25, from - 0.25, from, to, 0, to);
            var random = new Random(from);
            foreach (var rows in new[] { 1, 2, 7 }) AssertSame(filter, from, rows, random);
        }
    }

    private static unsafe void AssertSame(AxisFilter filter, int from, int rows, Random random)
    {
        using Scratch source = new(), vectors = new(), loops = new();
        var (pitch, size) = (Resampler.PitchOf(from), Resampler.PitchOf(filter.Count) * Math.Max(rows, filter.High - filter.Low));
        var pixels = source.Of(pitch * rows);
        random.NextBytes(new Span<byte>(pixels, pitch * rows));
        // Whites all over: sums at their largest.
        if (rows == 2) new Span<byte>(pixels, pitch * rows).Fill(255);
        byte* one = vectors.Of(size), other = loops.Of(size);
        Resampler.Rows(filter, pixels, pitch, rows, one);
        Resampler.RowsPlainly(filter, pixels, pitch, rows, other);
        for (var row = 0; row < rows; row++)
            for (var x = 0; x < filter.Count * 4; x++)
                if (x % 4 != 3) Assert.Equal(other[row * Resampler.PitchOf(filter.Count) + x], one[row * Resampler.PitchOf(filter.Count) + x]);

        // The other pass takes as many rows as the filter reaches over.
        var tall = source.Of(64 * (filter.High - filter.Low));
        random.NextBytes(new Span<byte>(tall, 64 * (filter.High - filter.Low)));
        for (var row = 0; row < filter.Count; row++)
        {
            Resampler.Column(filter, row, tall, 64, one);
            Resampler.ColumnPlainly(filter, row, tall, 64, other);
            Assert.True(new ReadOnlySpan<byte>(one, 64).SequenceEqual(new ReadOnlySpan<byte>(other, 64)), $"row {row} of {filter.Count}");
        }
    }

    [Fact]
    public void Nothing_is_allocated_once_the_buffers_have_grown()
    {
        using var reader = Source(new AugmentationOptions { Flip = true, ColorJitter = [0.4, 0.4, 0.4, 0.1], RandomErasing = 0.5 }).Open();
        var destination = new float[3 * Side * Side];
        Assert.Equal(0, Allocations.Of(() =>
        {
            for (var epoch = 0; epoch < 20; epoch++) ReadAll(reader, epoch, destination);
        }));
    }

    [Fact]
    public void Any_number_of_threads_gives_the_same_batch()
    {
        using var alone = new LeafPrefetcher(Source(new AugmentationOptions { Flip = true }), 3, 40, "one");
        using var four = new LeafPrefetcher(Source(new AugmentationOptions { Flip = true }), 3, 40, "four", threads: 4);
        Assert.Equal(Batch(alone), Batch(four));
    }

    /// <summary>Black is (0 - mean) / std of the set, unless the options say otherwise.</summary>
    [Fact]
    public void Mean_and_deviation_are_the_sets_unless_the_options_have_their_own()
    {
        var black = new JpegBytes { Components = 1, Level = static (_, _, _) => 0 }.Build();
        var set = new FakeDataset(1, new ImageShape(3, Side, Side)) { Mean = [0.485, 0.456, 0.406], Std = [0.229, 0.224, 0.225] };
        var destination = new float[3 * Side * Side];
        using var own = new EncodedSource(set, new BadImagesSpecs.Encoded(black), new AugmentationOptions(), Side, 1).Open();
        own.ReadEvaluation(0, destination);
        Assert.Equal(((float)(-0.485 / 0.229), (float)(-0.456 / 0.224), (float)(-0.406 / 0.225)), (destination[0], destination[Side * Side], destination[^1]));
        using var given = new EncodedSource(set, new BadImagesSpecs.Encoded(black), new AugmentationOptions { Mean = [1, 2, 3], Std = [1, 2, 4] }, Side, 1).Open();
        given.ReadTraining(0, 0, destination);
        Assert.Equal((-1f, -1f, -0.75f), (destination[0], destination[Side * Side], destination[^1]));
    }

    [Fact]
    public void Destination_that_is_too_short_is_refused()
    {
        using var reader = Source(new AugmentationOptions()).Open();
        Assert.ThrowsAny<ArgumentException>(() => reader.ReadEvaluation(0, new float[3 * Side * Side - 1]));
    }

    private static float[] Batch(LeafPrefetcher prefetcher)
    {
        using var leaf = prefetcher.Take(StepPlan.For(new StepId(3), 40, 40, 1), 0);
        Assert.Empty(leaf.Unreadable);
        return leaf.Batch.Images.ToArray();
    }

    private static EncodedSource Source(AugmentationOptions options) =>
        new(new FakeDataset(40, new ImageShape(3, Side, Side)), new BadImagesSpecs.Encoded([.. Enumerable.Range(0, 40).Select(static i => Images[i % Images.Length])]), options, Side + 5, 9);

    private static void ReadAll(SampleReader reader, int epoch, float[] destination)
    {
        for (var sample = 0; sample < Images.Length; sample++)
        {
            reader.ReadTraining(epoch, sample, destination);
            reader.ReadEvaluation(sample, destination);
        }
    }
}
