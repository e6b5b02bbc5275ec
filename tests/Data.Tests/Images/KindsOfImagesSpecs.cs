using Cluster.Workers.Data.Images;

namespace Cluster.Data.Tests.Images;

/// <summary>Every kind of JPEG and PNG that a folder of photographs may hold, made by hand.</summary>
public class KindsOfImagesSpecs
{
    private const int Side = 24;

    [Fact]
    public void Grey_becomes_three_equal_channels()
    {
        var (pixels, width, _) = Whole.Decode(new JpegBytes { Components = 1, Level = static (y, x, _) => (byte)(10 + 60 * y + 13 * x) }.Build());
        for (var i = 0; i < pixels.Length; i++)
            if (i % 4 != 3) Assert.Equal(10 + 60 * (i / 4 / width / 8) + 13 * (i / 4 % width / 8), pixels[i]);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Progressive_equals_sequential(bool grey)
    {
        var components = grey ? 1 : 3;
        Assert.Equal(Whole.Decode(new JpegBytes { Components = components }.Build()).Pixels, Whole.Decode(new JpegBytes { Components = components, Progressive = true }.Build()).Pixels);
    }

    /// <summary>Adobe stores ink turned round. By hand: no ink is white, black alone is black, half of cyan takes half of red.</summary>
    [Theory]
    [InlineData(255, 255, 255, 255, 255, 255, 255)]
    [InlineData(255, 255, 255, 0, 0, 0, 0)]
    [InlineData(127, 255, 255, 255, 127, 255, 255)]
    [InlineData(255, 255, 255, 128, 128, 128, 128)]
    [InlineData(0, 128, 255, 128, 0, 64, 128)]
    public void Inverted_CMYK_becomes_what_Pillow_makes_of_it(int cyan, int magenta, int yellow, int black, int red, int green, int blue)
    {
        int[] ink = [cyan, magenta, yellow, black];
        var pixels = Whole.Decode(new JpegBytes { Components = 4, Adobe = 0, Level = (_, _, c) => (byte)ink[c] }.Build()).Pixels;
        Assert.Equal([(byte)red, (byte)green, (byte)blue], pixels[..3]);
        Assert.Equal(pixels[..3], pixels[^4..^1]);
    }

    [Fact]
    public void YCCK_is_turned_into_CMYK_first()
    {
        // Luma alone: cyan, magenta and yellow are equal, 255 less what is stored, which then counts as inverted ink.
        var pixels = Whole.Decode(new JpegBytes { Components = 4, Adobe = 2, Level = static (_, _, c) => (byte)(c is 1 or 2 ? 128 : c == 0 ? 55 : 255) }.Build()).Pixels;
        Assert.Equal([200, 200, 200], pixels[..3]);
    }

    [Fact]
    public void CMYK_and_YCCK_equal_Pillow_all_over_the_colours()
    {
        using var folder = new TemporaryFolder();
        var files = new[] { 0, 2 }.Select(transform =>
        {
            var file = folder.File($"{transform}.jpg");
            File.WriteAllBytes(file, new JpegBytes { Components = 4, Adobe = (byte)transform, Across = 27, Down = 27, Level = static (y, x, c) => (byte)(c switch { 0 => x / 9, 1 => x / 3 % 3, 2 => y / 9, _ => y % 9 } * (c == 3 ? 31 : 127)) }.Build());
            return file;
        }).ToArray();
        const int length = 216 * 216 * 3;
        var theirs = Oracle.Ask(files.Select(file => $"eval\t{file}\t216\t216"));
        Assert.All(files, (file, i) => Assert.Equal(theirs.AsSpan(i * length, length).ToArray(), TestImages.Evaluate(File.ReadAllBytes(file), TestImages.Recipe(side: 216, shortSide: 216))));
    }

    /// <summary>The same picture, stored turned in each of the eight ways, comes out the same.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    [InlineData(6)]
    [InlineData(7)]
    [InlineData(8)]
    public void Orientation_is_undone_in_training_and_evaluation(int orientation)
    {
        var (upright, turned) = (Picture(1).Build(), Picture(orientation).Build());
        // At 24 nothing is decoded smaller; at 6 training is.
        foreach (var side in new[] { Side, 6 })
        {
            var recipe = TestImages.Recipe(side: side, shortSide: side);
            Assert.Equal(TestImages.Evaluate(upright, recipe), TestImages.Evaluate(turned, recipe));
            for (var sample = 0; sample < 20; sample++) Assert.Equal(TestImages.Train(upright, recipe, 0, sample), TestImages.Train(turned, recipe, 0, sample));
        }
    }

    [Fact]
    public void Orientation_of_a_photograph_equals_Pillow()
    {
        using var folder = new TemporaryFolder();
        var files = Enumerable.Range(1, 8).Select(orientation =>
        {
            var file = folder.File($"{orientation}.jpg");
            File.WriteAllBytes(file, new JpegBytes { Across = 9, Down = 5, Orientation = orientation, BigEndianExif = orientation % 2 == 0 }.Build());
            return file;
        }).ToArray();
        const int length = Side * Side * 3;
        var theirs = Oracle.Ask(files.Select(file => $"eval\t{file}\t{Side}\t30"));
        Assert.All(files, (file, i) => Assert.Equal(theirs.AsSpan(i * length, length).ToArray(), TestImages.Evaluate(File.ReadAllBytes(file), TestImages.Recipe(side: Side, shortSide: 30))));
    }

    /// <summary>Nonsense in EXIF is no reason to lose a picture.</summary>
    [Theory]
    [InlineData(0)]
    [InlineData(9)]
    [InlineData(65535)]
    public void Orientation_that_does_not_exist_is_as_stored(int orientation) => Assert.Equal(1, Orientation.Of(new JpegBytes { Orientation = orientation }.Build()));

    [Fact]
    public void Exif_cut_at_any_byte_is_read_without_harm()
    {
        var whole = new JpegBytes { Orientation = 6 }.Build();
        Assert.Equal(6, Orientation.Of(whole));
        for (var length = 0; length < whole.Length; length++) Assert.Contains(Orientation.Of(whole.AsSpan(0, length)), new[] { 1, 6 });
    }

    [Theory]
    [InlineData(1, 8, 0)]
    [InlineData(3, 8, 2)]
    [InlineData(4, 8, 6)]
    [InlineData(2, 8, 4)]
    [InlineData(6, 16, 2)]
    [InlineData(2, 16, 0)]
    public void PNG_gives_its_colours_without_alpha_and_the_upper_half_of_16_bits(int bytes, byte depth, byte type)
    {
        var png = new PngBytes { Width = 13, Height = 9, Channels = bytes, Depth = depth, ColourType = type };
        var (pixels, width, _) = Whole.Decode(png.Build());
        var step = depth / 8;
        for (var i = 0; i < pixels.Length; i++)
            if (i % 4 != 3) Assert.Equal(png.Pixel(i / 4 / width, i / 4 % width, (type is 0 or 4 ? 0 : i % 4) * step), pixels[i]);
    }

    [Fact]
    public void PNG_with_a_palette_gives_the_colours_of_the_palette()
    {
        var palette = Enumerable.Range(0, 768).Select(static i => (byte)(i * 7)).ToArray();
        var png = new PngBytes { Width = 16, Height = 16, Channels = 1, ColourType = 3, Extra = ("PLTE", palette) };
        var pixels = Whole.Decode(png.Build()).Pixels;
        for (var i = 0; i < pixels.Length; i++)
            if (i % 4 != 3) Assert.Equal(palette[png.Pixel(i / 64, i / 4 % 16, 0) * 3 + i % 4], pixels[i]);
    }

    /// <summary>A PNG has no smaller decoding and no region: the crop out of it must still be the right one.</summary>
    [Fact]
    public void PNG_and_JPEG_of_the_same_picture_give_the_same()
    {
        var jpeg = new JpegBytes { Components = 1, Across = 9, Down = 7, Level = static (y, x, _) => (byte)(20 + 30 * y + 3 * x) }.Build();
        var png = new PngBytes { Width = 72, Height = 56, Channels = 1, Pixel = static (y, x, _) => (byte)(20 + 30 * (y / 8) + 3 * (x / 8)) }.Build();
        var recipe = TestImages.Recipe(side: Side, shortSide: 28);
        Assert.Equal(TestImages.Evaluate(jpeg, recipe), TestImages.Evaluate(png, recipe));
        for (var sample = 0; sample < 20; sample++) Assert.Equal(TestImages.Train(jpeg, recipe, 3, sample), TestImages.Train(png, recipe, 3, sample));
    }

    /// <summary>A picture of 9 x 5 squares as a person sees it, stored as the orientation says. Grey: levels are exact.</summary>
    private static JpegBytes Picture(int orientation)
    {
        const int across = 9, down = 5;
        var (storedAcross, storedDown) = Orientation.Transposes(orientation) ? (down, across) : (across, down);
        return new JpegBytes
        {
            Across = storedAcross,
            Down = storedDown,
            Components = 1,
            Orientation = orientation,
            // By the definition, apart from the code under test: which square a person sees where (row, column) is stored.
            Level = (row, column, _) =>
            {
                var (x, y) = orientation switch
                {
                    1 => (column, row),
                    2 => (across - 1 - column, row),
                    3 => (across - 1 - column, down - 1 - row),
                    4 => (column, down - 1 - row),
                    5 => (row, column),
                    6 => (across - 1 - row, column),
                    7 => (across - 1 - row, down - 1 - column),
                    _ => (row, down - 1 - column),
                };
                return (byte)(10 + 45 * y + 4 * x);
            },
        };
    }
}
