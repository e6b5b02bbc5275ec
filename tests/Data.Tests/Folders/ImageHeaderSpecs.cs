using System.Buffers.Binary;
using Cluster.Contracts;
using Cluster.Workers.Data.Folders;

namespace Cluster.Data.Tests.Folders;

public sealed class ImageHeaderSpecs : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void The_size_of_a_jpeg_stands_in_its_frame() => Assert.Equal(new ImageHeader(ImageKind.Jpeg, 640, 480), Read(ImageFolder.JpegHeader(640, 480)));

    [Theory]
    [InlineData((byte)0xC1)]
    [InlineData((byte)0xC2)]
    public void Extended_and_progressive_frames_are_frames(byte frame) => Assert.Equal(new ImageHeader(ImageKind.Jpeg, 7, 9), Read(ImageFolder.JpegHeader(7, 9, frame)));

    [Fact]
    public void Profiles_and_photographs_in_front_of_the_frame_are_jumped_over() =>
        Assert.Equal(new ImageHeader(ImageKind.Jpeg, 33, 44), Read(ImageFolder.JpegHeader(33, 44, 0xC0, (0xE0, 14), (0xE1, 65_000), (0xE2, 65_533), (0xDB, 65), (0xC4, 29), (0xE2, 4_070))));

    [Fact]
    public void A_frame_is_found_wherever_the_windows_edge_cuts_it()
    {
        for (var before = 4_060; before < 4_100; before++)
            Assert.Equal(new ImageHeader(ImageKind.Jpeg, 33, 44), Read(ImageFolder.JpegHeader(33, 44, 0xC0, (0xE1, before))));
    }

    [Fact]
    public void Fill_bytes_before_a_marker_are_allowed()
    {
        var jpeg = ImageFolder.JpegHeader(5, 6).ToList();
        jpeg.InsertRange(2, [0xFF, 0xFF, 0xFF]);
        Assert.Equal(new ImageHeader(ImageKind.Jpeg, 5, 6), Read([.. jpeg]));
    }

    [Fact]
    public void The_size_of_a_png_stands_in_its_first_chunk() => Assert.Equal(new ImageHeader(ImageKind.Png, 12, 10), Read(ImageFolder.Png));

    [Theory]
    [InlineData(30_000, 30_000)]
    [InlineData(Limits.MaxImageSide + 1, 1)]
    [InlineData(1, Limits.MaxImageSide + 1)]
    public void An_image_larger_than_what_is_decoded_is_told_by_its_header(int width, int height)
    {
        var png = (byte[])ImageFolder.Png.Clone();
        BinaryPrimitives.WriteInt32BigEndian(png.AsSpan(16), width);
        BinaryPrimitives.WriteInt32BigEndian(png.AsSpan(20), height);
        foreach (var header in new[] { Read(png), Read(ImageFolder.JpegHeader(width, height)) })
        {
            Assert.Equal(ImageKind.TooLarge, header.Kind);
            Assert.Contains($"{width:N0}x{height:N0} pixels", header.Fault());
        }
    }

    [Fact]
    public void The_largest_image_that_is_decoded_is_sound() => Assert.Null(Read(ImageFolder.JpegHeader(Limits.MaxImageSide, Limits.MaxImagePixels / Limits.MaxImageSide)).Fault());

    [Theory]
    [InlineData("", nameof(ImageKind.Empty))]
    [InlineData("this is a text", nameof(ImageKind.NoImage))]
    [InlineData("x", nameof(ImageKind.NoImage))]
    [InlineData("GIF89a..........", nameof(ImageKind.OtherFormat))]
    [InlineData("BM..............", nameof(ImageKind.OtherFormat))]
    [InlineData("RIFF....WEBPVP8 ", nameof(ImageKind.OtherFormat))]
    [InlineData("P6\n10 10\n255\n...", nameof(ImageKind.OtherFormat))]
    public void What_is_no_jpeg_and_no_png_is_told_by_its_first_bytes(string text, string expected) => Assert.Equal(expected, Read([.. text.Select(static letter => (byte)letter)]).Kind.ToString());

    [Fact]
    public void A_jpeg_or_png_that_is_cut_anywhere_in_its_header_is_called_cut_short()
    {
        var jpeg = ImageFolder.JpegHeader(640, 480, 0xC0, (0xE0, 14));
        var frame = jpeg.Length - 15;
        for (var length = 2; length < frame + 9; length++) Assert.Equal(ImageKind.CutShort, Read(jpeg[..length]).Kind);
        for (var length = 2; length < 24; length++) Assert.Equal(ImageKind.CutShort, Read(ImageFolder.Png[..length]).Kind);
    }

    [Fact]
    public void Random_bytes_behind_a_jpegs_first_ones_never_throw()
    {
        var random = new Random(7);
        for (var i = 0; i < 2_000; i++)
        {
            var bytes = new byte[random.Next(3, 300)];
            random.NextBytes(bytes);
            (bytes[0], bytes[1], bytes[2]) = (0xFF, 0xD8, 0xFF);
            var header = Read(bytes);
            Assert.True(header.Kind is ImageKind.Jpeg or ImageKind.CutShort or ImageKind.Damaged or ImageKind.TooLarge, header.ToString());
        }
    }

    [Fact]
    public void Pixels_or_the_end_before_a_frame_are_damage()
    {
        Assert.Equal(ImageKind.Damaged, Read([0xFF, 0xD8, 0xFF, 0xD9, 0, 0, 0, 0, 0, 0, 0, 0]).Kind);
        Assert.Equal(ImageKind.Damaged, Read([0xFF, 0xD8, 0xFF, 0xDA, 0, 4, 0, 0, 0, 0, 0, 0]).Kind);
        Assert.Equal(ImageKind.Damaged, Read(ImageFolder.JpegHeader(0, 5)).Kind);
    }

    [Fact]
    public void A_file_larger_than_any_image_is_not_even_read()
    {
        var path = _folder.File("large.jpg");
        using (var file = File.Create(path)) file.SetLength(Limits.MaxEncodedImageBytes + 1L);
        using var handle = File.OpenHandle(path);
        Assert.Equal(ImageKind.TooManyBytes, ImageHeader.Read(handle, Limits.MaxEncodedImageBytes + 1L, new byte[ImageHeader.WindowBytes]).Kind);
    }

    private ImageHeader Read(byte[] bytes)
    {
        var path = _folder.File("image");
        File.WriteAllBytes(path, bytes);
        using var handle = File.OpenHandle(path);
        return ImageHeader.Read(handle, bytes.Length, new byte[ImageHeader.WindowBytes]);
    }
}
