using System.Buffers.Binary;
using System.Globalization;
using System.IO.Compression;
using System.Security.Cryptography;
using System.Text;
using Cluster.Workers.Data.Cifar;
using Cluster.Workers.Data.Cifar.Fetch;
using Cluster.Workers.Data.Folders;
using Cluster.Workers.Data.Mnist;
using Cluster.Workers.Data.Shards;

namespace Cluster.Cli.Bench.Fuzz.Targets;

/// <summary>Data sets as people bring them: binary files, archives, indexes, lists.</summary>
internal static class DataTargets
{
    private const int Records = 2;

    public static IReadOnlyList<FuzzTarget> All { get; } =
    [
        new("cifar10", static () => [Cifar10()], OpenCifar10) { Cost = 4 },
        new("cifar100", static () => [new byte[Records * (2 + 3072)]], static folder => FuzzDecoder.OfFile(folder, "train.bin", static path => Cifar100Files.Read(path, Records).Labels.Length == Records)) { Cost = 2 },
        new("mnist", static () => [Idx([2, 28, 28])], static folder => FuzzDecoder.OfFile(folder, "images", static path => IdxFile.Read(path, "mnist", 3).Values.Length > 0)) { Cost = 2 },
        // The case is packed: what a stranger's archive unpacks to.
        new("mnist.gz", static () => [Seals.Gzip(Idx([2, 28, 28]))], static folder => FuzzDecoder.OfFile(folder, "images.gz", static path => IdxFile.Read(path[..^3], "mnist", 3).Values.Length > 0)) { Cost = 2 },
        new("archive.official", static () => [Tar(("cifar-10-batches-bin/data_batch_1.bin", Cifar10()))], OpenArchive) { Seal = static bytes => Seals.Gzip(Seals.Tar(bytes)), Cost = 10 },
        new("archive.package", static () => [Tar(("package/train_lables.json", "[1,2]"u8.ToArray()), ("package/test_lables.json", "[]"u8.ToArray()), ("package/data_batch_1.png", ImageTargets.PngOf(1024, Records)))], OpenPackage) { Seal = static bytes => Seals.Gzip(Seals.Tar(bytes)), Cost = 10 },
        new("shards.tar", static () => [Tar(("train/000.jpg", [1, 2, 3]), ("train/000.cls", "3"u8.ToArray()), ("train/001.png", [4]), ("train/001.cls", "0\n"u8.ToArray())), Pax()],
            static _ => new FuzzDecoder(Scan)) { Seal = Seals.Tar, Cost = 2, IsTyped = static e => e is TarFormatException },
        new("shards.index", static () => [ShardIndexFile.Write(new ShardIndex(["cat", "dog"], [new ShardFile("train-0.tar", 2048, new string('a', 64), 2)], [new ShardSample(0, 100, 1, 5, 512), new ShardSample(0, 100, 0, 6, 1024)]))],
            static _ => new FuzzDecoder(ReadIndex)) { Seal = Seals.Sha256AtEnd, IsTyped = static e => e is InvalidDataException },
        new("folder.index", FolderIndexes, static folder => FuzzDecoder.OfFile(folder, "index", static path => FolderIndexFile.Read(path) is not null)) { Seal = Seals.Sha256AtEnd, Cost = 2 },
        Lines("folder.skip-list", static path => SkipList.Read(path).Count >= 0, "# none\na/b.jpg\t# cannot be decoded\nc\\x0a\\\\.jpg\n"),
        Lines("labels.pairs", static path => LabelList.Pairs(path).Count() >= 0, "val_0.JPEG\tn01443537\t0\t32\t44\t62\n", "/a/airfield/1.jpg 0\nb.jpg,1\n"),
        Lines("labels.boxes", static path => LabelList.Boxes(path).Count() >= 0, "ImageId,PredictionString\nILSVRC2012_val_00048981,n03995372 85 1 499 272 \n"),
        Lines("labels.validation", static path => LabelList.OfValidation(path).Count() >= 0, "490\n361\n"),
        new("labels.devkit", static () => [DevKit(compressed: false), DevKit(compressed: true)], static folder => FuzzDecoder.OfFile(folder, "meta.mat", static path => DevKitSynsets.Read(path).Count > 0)) { Cost = 2, Allowance = 160 << 20 },
        new("shards.manifest", static () => LinkTargets.Texts("{\"format\":\"cluster shards 1\",\"classes\":2,\"resize\":0,\"train-source\":\"abc\"}"), static _ => new FuzzDecoder(static bytes =>
            PackManifest.Difference(Encoding.UTF8.GetString(bytes), "{\"format\":\"cluster shards 1\",\"classes\":3,\"resize\":0,\"train-source\":\"abc\"}") is { Length: > 0 })),
    ];

    private static FuzzTarget Lines(string name, Func<string, bool> read, params string[] samples) =>
        new(name, () => LinkTargets.Texts(samples), folder => FuzzDecoder.OfFile(folder, "list.txt", read)) { Cost = 2 };

    private static byte[] Cifar10()
    {
        var bytes = new byte[Records * Cifar10Format.RecordBytes];
        bytes[Cifar10Format.RecordBytes] = 9;
        return bytes;
    }

    /// <summary>Length and MD5 are said to be those of the case: what lies behind both is reached.</summary>
    private static FuzzDecoder OpenCifar10(string folder) => new(bytes =>
    {
        File.WriteAllBytes(Path.Combine(folder, "b.bin"), bytes);
#pragma warning disable CA5351 // the format's own checksum
        BatchFile[] files = [new("b.bin", bytes.Length / Cifar10Format.RecordBytes, Convert.ToHexStringLower(MD5.HashData(bytes)))];
#pragma warning restore CA5351
        var cache = Path.Combine(folder, "cache");
        var (train, test) = Cifar10Dataset.Open(folder, cache, files, files);
        using var first = train;
        using var second = test;
        var pixels = new byte[Cifar10Format.PixelBytes];
        for (var i = 0; i < train.Count; i++) ((Cifar10Dataset)train).Read(i, pixels);
        return true;
    });

    private static byte[] Idx(int[] sizes)
    {
        var bytes = new byte[4 + 4 * sizes.Length + sizes.Aggregate(1, static (a, b) => a * b)];
        (bytes[2], bytes[3]) = (8, (byte)sizes.Length);
        for (var i = 0; i < sizes.Length; i++) BinaryPrimitives.WriteInt32BigEndian(bytes.AsSpan(4 + 4 * i), sizes[i]);
        return bytes;
    }

    private static FetchSettings Settings(byte[] batch) => new()
    {
#pragma warning disable CA5351 // the format's own checksum
        Files = [new("data_batch_1.bin", Records, Convert.ToHexStringLower(MD5.HashData(batch)))],
#pragma warning restore CA5351
    };

    private static FuzzDecoder OpenArchive(string folder) => FuzzDecoder.OfFile(folder, "a.tar.gz", path =>
    {
        Packed(path);
        var settings = Settings(Cifar10());
        return Unpacks(() => OfficialArchive.Unpack(settings, path, folder, settings.Files, null, CancellationToken.None));
    });

    private static FuzzDecoder OpenPackage(string folder)
    {
        // What the PNG of the sample becomes: its records with the labels 1 and 2.
        var batch = new byte[Records * Cifar10Format.RecordBytes];
        (batch[0], batch[Cifar10Format.RecordBytes]) = (1, 2);
        var settings = Settings(batch);
        return FuzzDecoder.OfFile(folder, "a.tgz", path =>
        {
            Packed(path);
            return Unpacks(() => NpmPackage.Convert(path, settings.Files, folder, settings.Files, null, CancellationToken.None));
        });
    }

    /// <summary>A sample is a plain archive; a case that is none yet is packed.</summary>
    private static void Packed(string path)
    {
        var bytes = File.ReadAllBytes(path);
        if (bytes is not [0x1F, 0x8B, ..]) File.WriteAllBytes(path, Seals.Gzip(bytes));
    }

    /// <summary>A source that failed is another source's turn: one exception of its own.</summary>
    private static bool Unpacks(Action unpack)
    {
        try
        {
            unpack();
            return true;
        }
        catch (Exception e) when (e is SourceFailedException or IOException)
        {
            // The latter is zlib's for some damage; the fetcher has a sentence for it.
            return false;
        }
    }

    public static byte[] Tar(params (string Name, byte[] Content)[] entries)
    {
        using var archive = new MemoryStream();
        foreach (var (name, content) in entries)
        {
            var block = new byte[512];
            Encoding.ASCII.GetBytes(name).CopyTo(block, 0);
            "0000644\0"u8.CopyTo(block.AsSpan(100));
            Encoding.ASCII.GetBytes(Convert.ToString(content.Length, 8).PadLeft(11, '0') + "\0").CopyTo(block, 124);
            block[156] = (byte)'0';
            "ustar\000"u8.CopyTo(block.AsSpan(257));
            archive.Write(block);
            archive.Write(content);
            archive.Write(new byte[(512 - content.Length % 512) % 512]);
        }
        archive.Write(new byte[1024]);
        return Seals.Tar(archive.ToArray());
    }

    /// <summary>A sample whose name and length stand in a header of their own (pax).</summary>
    private static byte[] Pax()
    {
        var bytes = Tar(("pax", "22 path=train/002.jpg\n"u8.ToArray()), ("short", [7, 8]), ("train/002.cls", "1"u8.ToArray()));
        bytes[156] = (byte)'x';
        return Seals.Tar(bytes);
    }

    private static bool Scan(byte[] bytes)
    {
        using var tar = new TarScanner(new MemoryStream(bytes));
        var reading = new ShardReading(tar, 0);
        while (tar.Next() is { } entry) reading.Take(entry);
        reading.EndSample();
        foreach (var sample in reading.Samples)
            if (sample.Offset < 0 || sample.Length < 1 || sample.Offset + sample.Length > bytes.Length) throw new InvalidOperationException("a sample that lies outside its archive");
        return reading.Samples.Count > 0;
    }

    private static bool ReadIndex(byte[] bytes)
    {
        var index = ShardIndexFile.Read(bytes);
        // What is done with it before any shard is opened.
        _ = (ShardIndexFile.FingerprintOf(index), ShardIndex.LayoutOf(index.Samples));
        return true;
    }

    private static IReadOnlyList<byte[]> FolderIndexes()
    {
        var folder = Directory.CreateTempSubdirectory("cluster-fuzz-").FullName;
        try
        {
            var path = Path.Combine(folder, "index");
            var split = new SplitIndex(["cat", "dog"], [0, 1, 2], "a.jpgb.jpg"u8.ToArray(), [5, 10], [0, 1], new FileFacts(2));
            FolderIndexFile.Write(path, new FolderIndex(["cat", "dog"], ["cat", "dog"], split, SplitIndex.Empty, [new WatchedPath("cat", 5)], 1, [new PassedOver("x", "no image")]) { ContentHash = new string('b', 64) });
            return [File.ReadAllBytes(path)];
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    /// <summary>A MAT-file with two synsets, as ILSVRC2012's devkit has a thousand.</summary>
    private static byte[] DevKit(bool compressed)
    {
        var matrix = Matrix([.. Element(6, [2, 0, 0, 0, 0, 0, 0, 0]), .. Element(5, [2, 0, 0, 0, 1, 0, 0, 0]), .. Element(1, "synsets"u8), .. Element(5, [16, 0, 0, 0]),
            .. Element(1, [.. "ILSVRC2012_ID\0\0\0"u8, .. "WNID\0\0\0\0\0\0\0\0\0\0\0\0"u8]),
            .. Number(1), .. Text("n02119789"), .. Number(2), .. Text("n02100735")]);
        using var file = new MemoryStream();
        var header = new byte[128];
        "MATLAB 5.0 MAT-file"u8.CopyTo(header);
        file.Write(header);
        if (!compressed) file.Write(matrix);
        else
        {
            using var packed = new MemoryStream();
            using (var zlib = new ZLibStream(packed, CompressionLevel.Fastest, leaveOpen: true)) zlib.Write(matrix);
            var start = new byte[8];
            BinaryPrimitives.WriteInt32LittleEndian(start, 15);
            BinaryPrimitives.WriteInt32LittleEndian(start.AsSpan(4), (int)packed.Length);
            file.Write(start);
            file.Write(packed.ToArray());
        }
        return file.ToArray();

        static byte[] Matrix(byte[] content) => Element(14, content);
        static byte[] Number(byte value) => Matrix([.. Element(6, [6, 0, 0, 0, 0, 0, 0, 0]), .. Element(5, [1, 0, 0, 0, 1, 0, 0, 0]), .. Element(1, []), .. Element(9, BitConverter.GetBytes((double)value))]);
        static byte[] Text(string text) => Matrix([.. Element(6, [4, 0, 0, 0, 0, 0, 0, 0]), .. Element(5, [1, 0, 0, 0, (byte)text.Length, 0, 0, 0]), .. Element(1, []), .. Element(4, [.. text.SelectMany(static c => BitConverter.GetBytes((ushort)c))])]);
        static byte[] Element(int type, ReadOnlySpan<byte> content)
        {
            var bytes = new byte[8 + (content.Length + 7) / 8 * 8];
            BinaryPrimitives.WriteInt32LittleEndian(bytes, type);
            BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(4), content.Length);
            content.CopyTo(bytes.AsSpan(8));
            return bytes;
        }
    }
}
