using System.Globalization;
using Cluster.Contracts;
using Cluster.Workers.Data.Cifar.Fetch;
using Cluster.Workers.Data.Images;

namespace Cluster.Workers.Data.Shards;

/// <summary>What a pack came to.</summary>
/// <param name="Shards">Of all splits.</param>
/// <param name="Kept">Of these, found whole from an earlier start.</param>
internal sealed record PackResult(int Shards, int Kept, int Samples, long Bytes);

/// <summary>
/// Packs a set into shards, in a shuffled order that its size alone decides, so that reading in order mixes the classes.
/// Stopped at any byte and started again it keeps whole shards and ends with the same bytes.
/// </summary>
/// <param name="transform">Makes what each of the threads does to its images.</param>
internal sealed class ShardPacker(PackSource source, string directory, PackOptions options, Func<IPackTransform> transform, IProgress<DownloadProgress>? progress = null)
{
    /// <summary>Images whose sizes are looked at before anything is written.</summary>
    private const int Looked = 64;

    private readonly string _directory = Path.GetFullPath(directory);
    private long _bytes, _expected;
    private int _kept, _shards;

    /// <exception cref="UserMistakeException">A folder that is no place for this pack, too little room, or an image that cannot be packed.</exception>
    /// <exception cref="OperationCanceledException">What is whole is kept for a further call.</exception>
    public PackResult Run(CancellationToken stop)
    {
        try
        {
            return Pack(stop);
        }
        catch (UnreadableSampleException e)
        {
            throw new UserMistakeException($"{e.Message}; 'cluster data check {source.Spec}' finds all such images and leaves them out, then pack again", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new UserMistakeException($"cannot pack into {_directory}: {OneLine.Of(e.Message)}; then give the same command again, whole shards are kept", e);
        }
    }

    private PackResult Pack(CancellationToken stop)
    {
        Begin();
        using var journal = PackJournal.Open(_directory);
        if (Recall(journal) is { } finished) return finished;
        CheckRoom(journal);
        var known = new Queue<ShardFile>(journal.Shards);
        var whole = new List<ShardFile>();
        foreach (var split in source.Splits) PackOne(split, known, whole, journal, stop);
        foreach (var name in Directory.EnumerateFiles(_directory, "*" + ShardNames.Partial)) File.Delete(name);
        journal.Dispose();
        File.Delete(Path.Combine(_directory, ShardNames.Journal));
        return new PackResult(_shards, _kept, source.Splits.Sum(static split => split.Images.Count), _bytes);
    }

    /// <summary>The folder is empty, or was begun with the same source and options.</summary>
    private void Begin()
    {
        if (File.Exists(_directory)) throw new UserMistakeException($"{_directory} is a file: name a folder that is empty or not there yet");
        Directory.CreateDirectory(_directory);
        var manifest = Path.Combine(_directory, ShardNames.Manifest);
        var wanted = PackManifest.Write(source, options);
        if (File.Exists(manifest))
        {
            if (PackManifest.Difference(File.ReadAllText(manifest), wanted) is { } difference)
                throw new UserMistakeException($"{_directory} {difference}: name another folder, or delete this one");
            return;
        }
        // The manifest is the first thing that is written, under another name until it is whole.
        var begun = manifest + ShardNames.Partial;
        if (Directory.EnumerateFileSystemEntries(_directory).Any(entry => entry != begun)) throw new UserMistakeException($"{_directory} is not empty, and nothing was packed into it: name a folder that is empty or not there yet");
        WriteWhole(manifest, System.Text.Encoding.UTF8.GetBytes(wanted));
    }

    /// <summary>What an earlier call finished: nothing is to be done when all of it is sound, else it is what the journal says.</summary>
    private PackResult? Recall(PackJournal journal)
    {
        var indexes = source.Splits.Select(split => Path.Combine(_directory, ShardNames.Index(split.Name))).ToList();
        if (!indexes.TrueForAll(File.Exists) || journal.Shards.Count > 0) return null;
        try
        {
            var (train, val) = ShardFolder.Open(_directory, _directory);
            var shards = train.Shards.Concat(val.Shards).ToList();
            File.Delete(Path.Combine(_directory, ShardNames.Journal));
            return new PackResult(shards.Count, shards.Count, train.Samples.Length + val.Samples.Length, shards.Sum(static shard => shard.Length));
        }
        catch (UserMistakeException)
        {
            journal.Rewrite(indexes.SelectMany(Listed).ToList());
            return null;
        }

        static IEnumerable<ShardFile> Listed(string index)
        {
            try
            {
                return ShardFolder.Read(index).Shards;
            }
            catch (UserMistakeException)
            {
                return [];
            }
        }
    }

    private void PackOne(PackSplit split, Queue<ShardFile> known, List<ShardFile> whole, PackJournal journal, CancellationToken stop)
    {
        var (files, samples) = (new List<ShardFile>(), new List<ShardSample>(split.Images.Count));
        var order = split.Images.Count == 0 ? null : new SampleOrder(seed: 0, epoch: 0, split.Images.Count, split.Layout);
        while (known.TryPeek(out var shard) && shard.Name == ShardNames.Shard(split.Name, files.Count))
        {
            stop.ThrowIfCancellationRequested();
            if (PackedShard.Read(_directory, shard, files.Count, samples.Count, order, split.Images) is not { } kept) break;
            known.Dequeue();
            samples.AddRange(kept);
            _kept++;
            Keep(shard, files, whole, "kept");
        }
        if (samples.Count < split.Images.Count)
        {
            // What comes after the first shard that is not as it was noted is packed anew.
            known.Clear();
            journal.Rewrite(whole);
            WriteShards(split, order!, files, samples, whole, journal, stop);
        }
        WriteWhole(Path.Combine(_directory, ShardNames.Index(split.Name)), ShardIndexFile.Write(new ShardIndex(source.ClassNames, files, [.. samples])));
    }

    private void WriteShards(PackSplit split, SampleOrder order, List<ShardFile> files, List<ShardSample> samples, List<ShardFile> whole, PackJournal journal, CancellationToken stop)
    {
        using var pipeline = new PackPipeline(split.Images, order, samples.Count, options.Threads, transform);
        ShardWriter? writer = null;
        try
        {
            void Finish()
            {
                var shard = writer!.Finish();
                samples.AddRange(writer.Samples);
                journal.Add(shard);
                Keep(shard, files, whole, "packed");
                writer.Dispose();
                writer = null;
            }
            for (var position = samples.Count; position < order.Count; position++)
            {
                stop.ThrowIfCancellationRequested();
                pipeline.Take((sample, image) =>
                {
                    if (writer is not null && writer.LengthWith(image.Length) > options.ShardBytes) Finish();
                    writer ??= new ShardWriter(_directory, ShardNames.Shard(split.Name, files.Count), files.Count);
                    writer.Add(position, ExtensionOf(image, sample, split.Images), image, split.Images.LabelOf(sample));
                });
            }
            Finish();
        }
        finally
        {
            writer?.Dispose();
        }
    }

    private void Keep(ShardFile shard, List<ShardFile> files, List<ShardFile> whole, string what)
    {
        files.Add(shard);
        whole.Add(shard);
        _shards++;
        _bytes += shard.Length;
        progress?.Report(new DownloadProgress($"{what} {shard.Name}", _bytes, Math.Max(_bytes, _expected)));
    }

    /// <summary>By what the bytes are, whatever the file was called.</summary>
    private static string ExtensionOf(ReadOnlySpan<byte> image, int sample, IEncodedImages images)
    {
        if (image.StartsWith((ReadOnlySpan<byte>)[0xFF, 0xD8, 0xFF])) return "jpg";
        if (image.StartsWith((ReadOnlySpan<byte>)[0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A])) return "png";
        throw new UnreadableSampleException(sample, $"{images.PlaceOf(sample)}: the image is neither a JPEG nor a PNG");
    }

    /// <summary>By the sizes of some images: a pack that would fill the disk after hours is refused at once.</summary>
    private void CheckRoom(PackJournal journal)
    {
        using var change = transform();
        var buffer = Array.Empty<byte>();
        double expected = 0;
        foreach (var split in source.Splits)
        {
            var (count, looked) = (split.Images.Count, Math.Min(split.Images.Count, Looked));
            double bytes = 0;
            for (var i = 0; i < looked; i++)
            {
                var sample = (int)((long)i * count / looked);
                var length = split.Images.Read(sample, ref buffer);
                if (change.Apply(ref buffer, ref length) is { } fault) throw new UnreadableSampleException(sample, $"{split.Images.PlaceOf(sample)}: the image {fault}");
                bytes += ShardWriter.SampleBytes(length);
            }
            if (looked > 0) expected += bytes / looked * count;
        }
        _expected = (long)expected;
        var missing = _expected - journal.Shards.Sum(static shard => shard.Length);
        var free = new DriveInfo(_directory).AvailableFreeSpace;
        if (missing > free)
            throw new UserMistakeException(string.Create(CultureInfo.InvariantCulture, $"{_directory} has room for {free / 1e9:0.0} GB, and the shards need about {missing / 1e9:0.0} GB more: name a folder on another disk{(options.Resize > 0 ? "" : ", or make the images smaller with --resize 256")}"));
    }

    private static void WriteWhole(string path, byte[] bytes)
    {
        var temporary = path + ShardNames.Partial;
        using (var file = new FileStream(temporary, FileMode.Create, FileAccess.Write, FileShare.Read))
        {
            file.Write(bytes);
            file.Flush(flushToDisk: true);
        }
        File.Move(temporary, path, overwrite: true);
    }
}
