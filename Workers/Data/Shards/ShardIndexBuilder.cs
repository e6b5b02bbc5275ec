using System.Globalization;
using Cluster.Contracts;
using Cluster.Workers.Data.Cifar.Fetch;

namespace Cluster.Workers.Data.Shards;

/// <summary>Makes the index of archives that somebody else packed: reads each once, from the first byte to the last.</summary>
internal static class ShardIndexBuilder
{
    private sealed record Scanned(ShardFile File, List<ShardSample> Samples, int MaxLabel);

    /// <param name="names">Of the archives, in their order.</param>
    /// <exception cref="UserMistakeException">An archive that is no tar, cut, or holds what samples do not; one line that names it and the place.</exception>
    public static ShardIndex Build(string directory, IReadOnlyList<string> names, IProgress<DownloadProgress>? progress)
    {
        var total = names.Sum(name => new FileInfo(Path.Combine(directory, name)).Length);
        var (done, scanned) = (0L, new Scanned[names.Count]);
        var mistakes = new UserMistakeException?[names.Count];
        Parallel.For(0, names.Count, new ParallelOptions { MaxDegreeOfParallelism = Environment.ProcessorCount }, (i, loop) =>
        {
            try
            {
                scanned[i] = Scan(directory, names[i], i);
            }
            catch (UserMistakeException e)
            {
                // Several archives may be bad, and the first one is told: those before this one are read yet.
                mistakes[i] = e;
                loop.Break();
                return;
            }
            progress?.Report(new DownloadProgress($"indexing {names[i]}", Interlocked.Add(ref done, scanned[i].File.Length), total));
        });
        if (mistakes.FirstOrDefault(static mistake => mistake is not null) is { } first) throw first;
        var samples = scanned.SelectMany(static shard => shard.Samples).ToArray();
        var classes = scanned.Max(static shard => shard.MaxLabel) + 1;
        return new ShardIndex([.. Enumerable.Range(0, classes).Select(static label => label.ToString(CultureInfo.InvariantCulture))], [.. scanned.Select(static shard => shard.File)], samples);
    }

    private static Scanned Scan(string directory, string name, int shard)
    {
        var path = Path.Combine(directory, name);
        try
        {
            using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 1 << 20, FileOptions.SequentialScan);
            using var tar = new TarScanner(file);
            var reading = new ShardReading(tar, shard);
            while (tar.Next() is { } entry) reading.Take(entry);
            reading.EndSample();
            if (reading.Samples.Count == 0) throw new UserMistakeException($"{path} holds no sample (an image .jpg, .jpeg or .png and its class .cls): it is empty, or of something else");
            return new Scanned(new ShardFile(name, tar.Position, Convert.ToHexStringLower(tar.Sha256()), reading.Samples.Count), reading.Samples, reading.MaxLabel);
        }
        catch (TarFormatException e)
        {
            throw new UserMistakeException($"{path}: {e.Message}", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new UserMistakeException($"{path} cannot be read: {OneLine.Of(e.Message)}", e);
        }
    }
}

/// <summary>Puts the entries of one archive together to samples: those that follow each other with one key.</summary>
internal sealed class ShardReading(TarScanner tar, int shard)
{
    /// <summary>Digits of a class number, and some space around them.</summary>
    private const int MaxLabelBytes = 32;

    private readonly HashSet<string> _keys = new(StringComparer.Ordinal);
    private byte[] _content = new byte[256 * 1024];
    private string? _key;
    private ShardSample? _image;
    private int? _label;

    public List<ShardSample> Samples { get; } = [];

    public int MaxLabel { get; private set; } = -1;

    /// <exception cref="TarFormatException">A bad name, label or length, or a sample that is not whole.</exception>
    public void Take(TarEntry entry)
    {
        TarEntryName name;
        try
        {
            if (TarEntryName.Parse(entry.Name) is not { } parsed) return;
            name = parsed;
        }
        catch (TarFormatException e)
        {
            throw tar.Fault(e.Message);
        }
        if (name.Key != _key)
        {
            EndSample();
            if (!_keys.Add(name.Key)) throw tar.Fault($"({entry.Name}) belongs to a sample whose other entries came before: a sample's entries follow each other, and no key comes twice");
            _key = name.Key;
        }
        if (name.IsImage) TakeImage(entry);
        else if (name.IsLabel) TakeLabel(entry);
    }

    /// <summary>Called after the last entry too.</summary>
    public void EndSample()
    {
        // A sample of other things, without image and class, is let be: captions, masks.
        if (_image is not null || _label is not null)
        {
            if (_image is not { } image) throw tar.Fault($"ends the sample {_key}, which has a class and no image (.jpg, .jpeg or .png)");
            if (_label is not { } label) throw tar.Fault($"ends the sample {_key}, which has an image and no class (.cls)");
            Samples.Add(image with { Label = label });
            MaxLabel = Math.Max(MaxLabel, label);
        }
        (_key, _image, _label) = (null, null, null);
    }

    private void TakeImage(TarEntry entry)
    {
        if (_image is not null) throw tar.Fault($"({entry.Name}) is the second image of one sample");
        if (entry.Length is < 1 or > Limits.MaxEncodedImageBytes) throw tar.Fault($"({entry.Name}) has {entry.Length} bytes; an image has 1 to {Limits.MaxEncodedImageBytes}");
        var length = (int)entry.Length;
        if (_content.Length < length) _content = new byte[length];
        tar.Read(_content.AsSpan(0, length));
        _image = new ShardSample(shard, length, 0, Crc32C.Of(_content.AsSpan(0, length)), entry.Offset);
    }

    private void TakeLabel(TarEntry entry)
    {
        if (_label is not null) throw tar.Fault($"({entry.Name}) is the second class of one sample");
        if (entry.Length > MaxLabelBytes) throw tar.Fault($"({entry.Name}) has {entry.Length} bytes; a class is a whole number as text");
        Span<byte> text = stackalloc byte[(int)entry.Length];
        tar.Read(text);
        if (!int.TryParse(text.Trim(" \t\r\n"u8), NumberStyles.None, CultureInfo.InvariantCulture, out var label) || label >= Limits.MaxClasses)
            throw tar.Fault($"({entry.Name}) is no class: a class is a whole number from 0 to {Limits.MaxClasses - 1} as text");
        _label = label;
    }
}
