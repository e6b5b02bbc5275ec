using Cluster.Workers.Data.Images;

namespace Cluster.Data.Tests.Images;

/// <summary>A region is what the whole image has there, to the bit: neither its columns nor its rows show that their neighbours were left out.</summary>
public class RegionSpecs
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(4)]
    [InlineData(8)]
    public void Region_equals_the_same_part_of_the_whole_image(int divisor)
    {
        var random = new Random(divisor);
        foreach (var file in TestImages.Files("imagenet-sample", 5))
        {
            var encoded = File.ReadAllBytes(file);
            var (whole, width, height) = Whole.Decode(encoded, divisor);
            for (var i = 0; i < 6; i++)
            {
                var (w, h) = (random.Next(1, width + 1), random.Next(1, height + 1));
                var box = new PixelBox(random.Next(width - w + 1), random.Next(height - h + 1), w, h);
                AssertPart(file, whole, width, box, Whole.Decode(encoded, divisor, box).Pixels);
            }
        }
    }

    private static void AssertPart(string file, byte[] whole, int width, PixelBox box, byte[] part)
    {
        for (var row = 0; row < box.Height; row++)
            for (var x = 0; x < box.Width * 4; x++)
            {
                if (x % 4 == 3 || whole[((box.Y + row) * width + box.X) * 4 + x] == part[row * box.Width * 4 + x]) continue;
                Assert.Fail($"{Path.GetFileName(file)}, width {width}, {box}: row {row}, column {x / 4} differs");
            }
    }
}
