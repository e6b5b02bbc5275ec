using System.Globalization;
using System.Text;
using Cluster.Contracts;

namespace Cluster.Workers.Data.Shards;

/// <summary>
/// Which shards are whole, a line each, while a pack is not finished. Held open by the process that packs, so that two do not
/// pack into one folder. A last line without its end is of a process that was stopped while it wrote.
/// </summary>
internal sealed class PackJournal : IDisposable
{
    private readonly FileStream _file;

    private PackJournal(FileStream file, List<ShardFile> shards) => (_file, Shards) = (file, shards);

    /// <summary>In the order in which they were finished.</summary>
    public List<ShardFile> Shards { get; }

    /// <exception cref="UserMistakeException">Another process packs into this folder.</exception>
    public static PackJournal Open(string directory)
    {
        FileStream file;
        try
        {
            file = new FileStream(Path.Combine(directory, ShardNames.Journal), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException e) when (File.Exists(Path.Combine(directory, ShardNames.Journal)))
        {
            throw new UserMistakeException($"another process is packing into {directory}: wait for it, or stop it", e);
        }
        using var reader = new StreamReader(file, Encoding.UTF8, leaveOpen: true);
        var text = reader.ReadToEnd();
        var lines = text[..(text.LastIndexOf('\n') + 1)].Split('\n', StringSplitOptions.RemoveEmptyEntries);
        return new PackJournal(file, [.. lines.Select(Parse).TakeWhile(static shard => shard is not null).Select(static shard => shard!)]);
    }

    /// <summary>Keeps these shards alone.</summary>
    public void Rewrite(IEnumerable<ShardFile> shards)
    {
        var kept = shards.ToList();
        Shards.Clear();
        _file.SetLength(0);
        foreach (var shard in kept) Add(shard);
    }

    public void Add(ShardFile shard)
    {
        _file.Seek(0, SeekOrigin.End);
        _file.Write(Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{shard.Name}\t{shard.Length}\t{shard.Sha256}\t{shard.Samples}\n")));
        _file.Flush(flushToDisk: true);
        Shards.Add(shard);
    }

    public void Dispose() => _file.Dispose();

    private static ShardFile? Parse(string line) =>
        line.Split('\t') is [var name, var length, { Length: 64 } sha256, var samples]
        && long.TryParse(length, NumberStyles.None, CultureInfo.InvariantCulture, out var bytes) && int.TryParse(samples, NumberStyles.None, CultureInfo.InvariantCulture, out var count)
            ? new ShardFile(name, bytes, sha256, count)
            : null;
}
