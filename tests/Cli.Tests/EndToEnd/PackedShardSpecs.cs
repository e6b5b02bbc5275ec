using System.Buffers.Binary;
using System.IO.Compression;

namespace Cluster.Cli.Tests.EndToEnd;

/// <summary>Folder, pack, training and audit as a person types them: real processes.</summary>
[Trait("Clock", "wall")]
public sealed class PackedShardSpecs : IDisposable
{
    private readonly World _world = new();

    public PackedShardSpecs()
    {
        for (var i = 0; i < 48 + 12; i++)
        {
            var folder = Directory.CreateDirectory(_world.PathOf($"images/{(i < 48 ? "train" : "val")}/class-{i % 4}")).FullName;
            File.WriteAllBytes(Path.Combine(folder, $"{i:D2}.png"), Png(36, 32, i));
        }
    }

    public void Dispose() => _world.Dispose();

    private Outcome Run(params string[] arguments) => Processes.Run(Processes.Cluster, _world.Folder, arguments);

    private string Mistake(params string[] arguments)
    {
        var outcome = Run(arguments);
        Assert.Equal(2, outcome.ExitCode);
        return Assert.Single(outcome.ErrorLines);
    }

    private string[] Train(string name, string workers) =>
    [
        "train", "--data", "shards:out", "--image-size", "32", "--batch", "16", "--microbatches", "4", "--seed", "3", "--steps", "4", "--workers", workers,
        "--eval-samples", "8", "--monitor", "none", "--out", name,
    ];

    [Fact]
    public void A_packed_folder_trains_to_one_hash_with_one_worker_and_three_and_the_audit_proves_its_order()
    {
        var packed = Run("data", "pack", "imagefolder:images", "out");
        Assert.True(packed.ExitCode == 0, packed.Error);
        Assert.Contains("60 images are in 2 shards", packed.OutputLines[^1]);
        Assert.Equal(0, Run("data", "check", "shards:out").ExitCode);

        var one = Training.HashOf(Run(Train("one", "1")));
        Assert.Equal(one, Training.HashOf(Run(Train("three", "3"))));
        Assert.Contains("sample-order: blocks-1024-window-32", File.ReadAllText(_world.PathOf("three/config.yaml")));
        var audit = Run("audit", "three");
        Assert.True(audit.ExitCode == 0, audit.Output);
        Assert.Contains("48 samples each", audit.Output);
        // Held against the order of other sets it is not this run's.
        File.WriteAllText(_world.PathOf("three/config.yaml"), File.ReadAllText(_world.PathOf("three/config.yaml")).Replace("blocks-1024-window-32", "uniform", StringComparison.Ordinal));
        Assert.Equal(1, Run("audit", "three").ExitCode);
    }

    [Fact]
    public void Mistakes_are_one_line_and_leave_nothing_behind()
    {
        Assert.Contains("where to? write cluster data pack imagefolder:", Mistake("data", "pack", "imagefolder:images"));
        Assert.Contains("which data set? write imagefolder:DIR or shards:DIR", Mistake("data", "pack"));
        Assert.Contains("--shard-size 5: must be a number of bytes from 1M to 1024G", Mistake("data", "pack", "imagefolder:images", "out", "--shard-size", "5"));
        Assert.Contains("--resize big: must be a short side", Mistake("data", "pack", "imagefolder:images", "out", "--resize", "big"));
        Assert.Contains("--quality is of the JPEGs that --resize makes", Mistake("data", "pack", "imagefolder:images", "out", "--quality", "80"));
        Assert.Contains("name a folder outside of it", Mistake("data", "pack", "imagefolder:images", "images/packed"));
        Assert.Contains("there is no folder", Mistake("train", "--data", "shards:out", "--steps", "1", "--out", "run"));
        Assert.False(Path.Exists(_world.PathOf("out")) || Path.Exists(_world.PathOf("run")));

        Assert.Equal(0, Run("data", "pack", "imagefolder:images", "out", "--resize", "16").ExitCode);
        Assert.Contains("was begun with resize 16, not 24", Mistake("data", "pack", "imagefolder:images", "out", "--resize", "24"));
        using (var shard = File.OpenWrite(_world.PathOf("out/train-000000.tar"))) shard.SetLength(5000);
        Assert.Contains("train-000000.tar has 5000 bytes, and the index says", Mistake("train", "--data", "shards:out", "--image-size", "32", "--steps", "1", "--out", "run"));
        Assert.False(Path.Exists(_world.PathOf("run")));
    }

    /// <summary>Eight bits of red, green and blue, no filter.</summary>
    private static byte[] Png(int width, int height, int number)
    {
        using var pixels = new MemoryStream();
        using (var zlib = new ZLibStream(pixels, CompressionLevel.Fastest, leaveOpen: true))
            for (var y = 0; y < height; y++)
            {
                zlib.WriteByte(0);
                for (var x = 0; x < width * 3; x++) zlib.WriteByte((byte)(number * 13 + y * 5 + x * (number % 4 + 1)));
            }
        var header = new byte[13];
        BinaryPrimitives.WriteInt32BigEndian(header, width);
        BinaryPrimitives.WriteInt32BigEndian(header.AsSpan(4), height);
        (header[8], header[9]) = (8, 2);
        return [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A, .. Chunk("IHDR"u8, header), .. Chunk("IDAT"u8, pixels.ToArray()), .. Chunk("IEND"u8, [])];
    }

    private static byte[] Chunk(ReadOnlySpan<byte> name, byte[] data)
    {
        var chunk = new byte[12 + data.Length];
        BinaryPrimitives.WriteInt32BigEndian(chunk, data.Length);
        name.CopyTo(chunk.AsSpan(4));
        data.CopyTo(chunk, 8);
        var crc = uint.MaxValue;
        foreach (var b in chunk.AsSpan(4, 4 + data.Length))
        {
            crc ^= b;
            for (var bit = 0; bit < 8; bit++) crc = (crc >> 1) ^ ((crc & 1) * 0xEDB88320);
        }
        BinaryPrimitives.WriteUInt32BigEndian(chunk.AsSpan(8 + data.Length), ~crc);
        return chunk;
    }
}
