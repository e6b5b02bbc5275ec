using Cluster.Contracts;
using Cluster.Workers.Data;
using Cluster.Workers.Data.Images;
using Cluster.Workers.Data.Images.Native;

namespace Cluster.Data.Tests.Images;

/// <summary>What is no image, or a damaged one: a reason in one line, with the place, and the next image is read as if nothing had been.</summary>
public class BadImagesSpecs
{
    private const int Side = 16;
    private static readonly byte[] Good = new JpegBytes().Build();

    public static TheoryData<string, byte[]> Bad => new()
    {
        { "it is empty", [] },
        { "it is neither a JPEG nor a PNG", "<html>not found</html>"u8.ToArray() },
        { "it is neither a JPEG nor a PNG", [0xFF, 0xD8] },
        { "it is neither a JPEG nor a PNG", [.. "GIF89a"u8, .. new byte[100]] },
        { "it ends too early", [0xFF, 0xD8, 0xFF] },
        { "it ends too early", Good[..100] },
        { "it ends too early", new JpegBytes { Across = 40, Down = 40 }.Build()[..^300] },
        { "it ends too early", new JpegBytes { Across = 40, Down = 40, Progressive = true }.Build()[..^300] },
        { "30000 x 30000 pixels are more than 20000 on a side", new JpegBytes { Claimed = (30_000, 30_000) }.Build() },
        { "19999 x 19999 pixels are more than 100000000 in all", new JpegBytes { Claimed = (19_999, 19_999) }.Build() },
        { "30000 x 30000 pixels are more than 20000 on a side", new PngBytes { Width = 30_000, Height = 30_000, Rows = 1 }.Build() },
        { "a JPEG of 2 channels is not supported", new JpegBytes { Components = 2 }.Build() },
        { "it has more than 500 scans", new JpegBytes { Progressive = true, Scans = 600 }.Build() },
        { "it ends too early", new PngBytes { Width = 60, Height = 60 }.Build()[..^40] },
        { "Not enough image data", new PngBytes { Width = 60, Height = 60, Rows = 50 }.Build() },
        { "IHDR: CRC error", Flipped(new PngBytes { Width = 60, Height = 60 }.Build(), 19) },
        { "IDAT: ", Flipped(new PngBytes { Width = 60, Height = 60 }.Build(), 100) },
    };

    [Theory]
    [MemberData(nameof(Bad))]
    public void Is_unreadable_with_its_place_and_a_reason(string reason, byte[] encoded)
    {
        using var reader = new EncodedSource(new FakeDataset(2, new ImageShape(3, Side, Side)), new Encoded(encoded, Good), new AugmentationOptions(), Side, 5).Open();
        var destination = new float[3 * Side * Side];
        foreach (Action read in new Action[] { () => reader.ReadTraining(0, 0, destination), () => reader.ReadEvaluation(0, destination) })
        {
            var e = Assert.Throws<UnreadableSampleException>(read);
            Assert.StartsWith("place 0: ", e.Message, StringComparison.Ordinal);
            Assert.Contains(reason, e.Message, StringComparison.Ordinal);
            Assert.DoesNotContain('\n', e.Message);
            Assert.Equal(0, e.Sample);
            var after = new float[destination.Length];
            Assert.Equal(1, reader.ReadEvaluation(1, after));
            Assert.Equal(TestImages.Evaluate(Good, Recipe()), TestImages.ToBytes(Restored(after)));
        }
    }

    /// <summary>Whichever part of it a crop shows: else the same file would be good in one epoch and bad in the next.</summary>
    [Fact]
    public void Truncated_image_is_unreadable_in_every_epoch()
    {
        var whole = TestJpeg();
        using var reader = new ImageReader(TestImages.Recipe(side: Side, shortSide: Side));
        var destination = new float[3 * Side * Side];
        for (var epoch = 0; epoch < 50; epoch++)
        {
            reader.ReadTraining(whole, epoch, 0, destination);
            Assert.Throws<BadImageException>(() => reader.ReadTraining(whole.AsSpan(0, whole.Length - 200), epoch, 0, destination));
        }

        static byte[] TestJpeg() => new JpegBytes { Across = 30, Down = 30 }.Build();
    }

    /// <summary>As Pillow: what libjpeg only warns of is decoded. The whole scan is there, rubbish follows it.</summary>
    [Fact]
    public void Rubbish_behind_the_image_is_no_damage() =>
        Assert.Equal(Whole.Decode(Good).Pixels, Whole.Decode([.. Good[..^2], 1, 2, 3, 4, 0xFF, 0xD9, .. "trailing"u8]).Pixels);

    /// <summary>Neither a crash nor a foreign exception, whatever byte is wrong.</summary>
    [Theory]
    [InlineData("jpeg")]
    [InlineData("progressive")]
    [InlineData("cmyk")]
    [InlineData("png")]
    public void Any_flipped_byte_gives_an_image_or_a_reason(string kind)
    {
        var encoded = kind switch
        {
            "png" => new PngBytes { Width = 20, Height = 20 }.Build(),
            "cmyk" => new JpegBytes { Components = 4, Adobe = 2, Orientation = 6 }.Build(),
            _ => new JpegBytes { Progressive = kind == "progressive", Orientation = 3 }.Build(),
        };
        using var reader = new ImageReader(TestImages.Recipe(side: Side, shortSide: Side));
        var destination = new float[3 * Side * Side];
        var (good, bad) = (0, 0);
        for (var i = 0; i < encoded.Length; i++)
            foreach (var flip in new byte[] { 1, 0x80, 0xFF })
            {
                var damaged = (byte[])encoded.Clone();
                damaged[i] ^= flip;
                try
                {
                    reader.ReadTraining(damaged, i, flip, destination);
                    good++;
                }
                catch (BadImageException)
                {
                    bad++;
                }
            }
        Assert.True(good > 0 && bad > 0, $"{good} images, {bad} reasons");
        reader.ReadEvaluation(Good, destination);
    }

    private static ImageRecipe Recipe() => TestImages.Recipe(side: Side, shortSide: Side);

    /// <summary>The fake set's mean is 0.5 and its deviation 0.25: back to bytes over 255.</summary>
    private static float[] Restored(float[] normalised) => [.. normalised.Select(static v => v * 0.25f + 0.5f)];

    private static byte[] Flipped(byte[] bytes, int at)
    {
        bytes[at] ^= 1;
        return bytes;
    }

    /// <summary>Images in memory.</summary>
    internal sealed class Encoded(params byte[][] images) : IEncodedImages
    {
        public int Count => images.Length;
        public int LabelOf(int sample) => sample;
        public string PlaceOf(int sample) => $"place {sample}";

        public int Read(int sample, ref byte[] buffer)
        {
            if (buffer.Length < images[sample].Length) buffer = new byte[images[sample].Length];
            images[sample].CopyTo(buffer, 0);
            return images[sample].Length;
        }
    }
}
