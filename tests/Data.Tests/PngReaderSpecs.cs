using System.Buffers.Binary;
using Cluster.Workers.Data.Png;

namespace Cluster.Data.Tests;

public class PngReaderSpecs
{
    public static MatrixTheoryData<byte, int> FiltersAndChannels => new([0, 1, 2, 3, 4], [1, 3, 4]);

    [Theory]
    [MemberData(nameof(FiltersAndChannels))]
    public void Every_filter_is_undone_for_every_number_of_channels(byte filter, int channels)
    {
        var png = new PngBytes { Width = 33, Height = 9, Channels = channels, Filter = _ => filter };
        Assert.Equal(Enumerable.Range(0, 9).Select(png.Row), PngBytes.ReadAll(png.Build()));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(1000)]
    public void Filters_may_change_from_row_to_row_and_pixels_may_be_cut_anywhere(int chunkBytes)
    {
        var png = new PngBytes { Width = 16, Height = 40, Filter = y => (byte)(y * 3 % 5), ChunkBytes = chunkBytes };
        Assert.Equal(Enumerable.Range(0, 40).Select(png.Row), PngBytes.ReadAll(png.Build()));
    }

    /// <summary>7 x 6 pixels, value (9x² + 41y + 85c + 13xy) mod 256, written by Pillow.</summary>
    [Theory]
    [InlineData(3, "iVBORw0KGgoAAAANSUhEUgAAAAcAAAAGCAIAAACAbBMhAAAAj0lEQVR42gGEAHv/AQBVqgkJCRsbGy0tLT8/P1FRUWNjYwApftM/lOlnvBGh9kvtQpdLoPW7EGUAUqf8dcofqv9U8UabSp/0tQpfMofcAHvQJasAVe1Cl0GW66f8UR90yan+UwCk+U7hNoswhdqR5jsEWa6J3jMgdcoAzSJ3F2zBc8gd4TaLYbYL80idl+xBUIE8F7p50f0AAAAASUVORK5CYII=")]
    [InlineData(4, "iVBORw0KGgoAAAANSUhEUgAAAAcAAAAGCAYAAAAPDoR2AAAAuUlEQVR42gGuAFH/AQBVqv8JCQkJGxsbGy0tLS0/Pz8/UVFRUWNjY2MAKX7TKD+U6T5nvBFmofZLoO1Cl+xLoPVKuxBlugBSp/xRdcofdKr/VKnxRpvwSp/0SbUKX7Qyh9wxAHvQJXqrAFWq7UKX7EGW60Cn/FGmH3TJHqn+U6gApPlOo+E2i+AwhdovkeY7kARZrgOJ3jOIIHXKHwDNInfMF2zBFnPIHXLhNovgYbYLYPNInfKX7EGWNMtQBnrCvAoAAAAASUVORK5CYII=")]
    [InlineData(1, "iVBORw0KGgoAAAANSUhEUgAAAAcAAAAGCAAAAAAqZduqAAAAOUlEQVR42mNk4JTWtQ9MZtQU07DyiStgCCpd9dFrqxFD9eq3jsvlVzIseWgwkaVTgeGsePHDxM/TAVjlEW4hGajXAAAAAElFTkSuQmCC")]
    public void A_file_of_another_program_is_read(int channels, string base64)
    {
        var expected = new PngBytes { Width = 7, Height = 6, Channels = channels, Pixel = (y, x, c) => (byte)(x * x * 9 + y * 41 + c * 85 + x * y * 13) };
        Assert.Equal(Enumerable.Range(0, 6).Select(expected.Row), PngBytes.ReadAll(Convert.FromBase64String(base64)));
    }

    [Fact]
    public void Chunks_that_do_not_concern_the_pixels_are_skipped()
    {
        var png = new PngBytes { Extra = ("tEXt", "Comment\0nothing"u8.ToArray()) };
        Assert.Equal(4, PngBytes.ReadAll(png.Build()).Count);
    }

    [Fact]
    public void A_file_cut_anywhere_is_refused_as_damaged()
    {
        var whole = new PngBytes { ChunkBytes = 20 }.Build();
        for (var length = 0; length < whole.Length; length++)
            Assert.Throws<PngFormatException>(() => PngBytes.ReadAll(whole[..length]));
    }

    [Fact]
    public void A_file_with_any_one_byte_changed_is_refused_as_damaged()
    {
        var whole = new PngBytes { Filter = y => (byte)(y % 5), ChunkBytes = 20 }.Build();
        for (var at = 0; at < whole.Length; at++)
        {
            var damaged = whole.ToArray();
            damaged[at] ^= 0x41;
            var thrown = Record.Exception(() => PngBytes.ReadAll(damaged));
            Assert.True(thrown is PngFormatException, $"byte {at}: {thrown?.GetType().Name ?? "was read"}");
        }
    }

    [Fact]
    public void A_wrong_checksum_is_named_with_its_chunk()
    {
        var bytes = new PngBytes().Build();
        bytes[^13] ^= 1;                                    // last byte of the IDAT chunk's CRC, in front of the 12 bytes of IEND
        Assert.Contains("IDAT: CRC", Assert.Throws<PngFormatException>(() => PngBytes.ReadAll(bytes)).Message);
    }

    [Theory]
    [InlineData(int.MaxValue, 1)]
    [InlineData(1, int.MaxValue)]
    [InlineData(-1, 4)]
    [InlineData(0, 4)]
    [InlineData(4, 0)]
    [InlineData(PngReader.MostWidth + 1, 1)]
    public void Sizes_out_of_bounds_are_refused_before_memory_is_asked_for(int width, int height)
    {
        var bytes = new PngBytes { Width = 1, Height = 1 }.Build();
        BinaryPrimitives.WriteInt32BigEndian(bytes.AsSpan(16), width);
        BinaryPrimitives.WriteInt32BigEndian(bytes.AsSpan(20), height);
        BinaryPrimitives.WriteUInt32BigEndian(bytes.AsSpan(29), PngChunks.Crc(bytes.AsSpan(12, 17)));
        var before = GC.GetAllocatedBytesForCurrentThread();
        var thrown = Assert.Throws<PngFormatException>(() => new PngReader(new MemoryStream(bytes)));
        Assert.True(GC.GetAllocatedBytesForCurrentThread() - before < 1 << 20);
        Assert.Contains($"{(uint)width} x {(uint)height}", thrown.Message);
    }

    public static TheoryData<string, string> Unsupported => new()
    {
        { "interlaced", "is interlaced" }, { "16 bit", "16 bits" }, { "palette", "colour type 3" }, { "filter", "unknown filter 5" },
        { "short", "no more pixel data in row 3 of 4" }, { "long", "more pixel data than 4 rows" }, { "critical", "critical chunk ABCD" },
        { "not a png", "signature" },
    };

    [Theory]
    [MemberData(nameof(Unsupported))]
    public void What_it_cannot_read_is_refused_with_the_reason(string kind, string reason)
    {
        var bytes = kind switch
        {
            "interlaced" => new PngBytes { Interlace = 1 }.Build(),
            "16 bit" => new PngBytes { Depth = 16 }.Build(),
            "palette" => new PngBytes { ColourType = 3 }.Build(),
            "filter" => new PngBytes { Filter = _ => 5 }.Build(),
            "short" => new PngBytes { Rows = 3 }.Build(),
            "long" => new PngBytes { Rows = 5 }.Build(),
            "critical" => new PngBytes { Extra = ("ABCD", [1, 2, 3]) }.Build(),
            _ => "GIF89a, which this is not"u8.ToArray(),
        };
        Assert.Contains(reason, Assert.Throws<PngFormatException>(() => PngBytes.ReadAll(bytes)).Message);
    }
}
