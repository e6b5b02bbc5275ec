using Cluster.Contracts;
using Cluster.Workers.Data.Cifar.Fetch;
using Microsoft.Win32.SafeHandles;

namespace Cluster.Workers.Data.Shards;

/// <summary>The archives of a split, opened when first read. Any number of threads.</summary>
internal sealed class ShardFiles(string directory, ShardIndex index) : IDisposable
{
    private readonly SafeFileHandle?[] _open = new SafeFileHandle?[Math.Min(index.Shards.Count, Limits.OpenShardFiles)];
    private readonly Lock _opening = new();
    private bool _closed;

    public string PathOf(int shard) => Path.Combine(directory, index.Shards[shard].Name);

    /// <summary>Reads as much as there is.</summary>
    /// <returns>Fewer bytes than wanted when the archive ends before.</returns>
    /// <exception cref="ClusterException">The archive is gone, or the medium failed.</exception>
    public int Read(int shard, long offset, Span<byte> to)
    {
        try
        {
            if (shard < _open.Length) return ReadFrom(_open[shard] ?? Open(shard), offset, to);
            using var handle = OpenAnew(shard);
            return ReadFrom(handle, offset, to);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new ClusterException($"shard {PathOf(shard)} is gone: put it back and start again with --resume", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ClusterException($"shard {PathOf(shard)} cannot be read: {OneLine.Of(e.Message)}", e);
        }
    }

    /// <summary>Reads what the page cache holds, and does not wait for more.</summary>
    /// <returns>True when that was all of it; false also for an archive that is gone, which <see cref="Read"/> tells.</returns>
    public bool TryReadCached(int shard, long offset, Span<byte> to)
    {
        if (shard >= _open.Length) return false;
        try
        {
            return PageCache.TryRead(_open[shard] ?? Open(shard), offset, to);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    public void Dispose()
    {
        lock (_opening)
        {
            _closed = true;
            foreach (var handle in _open) handle?.Dispose();
        }
    }

    private static int ReadFrom(SafeFileHandle handle, long offset, Span<byte> to)
    {
        var got = 0;
        while (got < to.Length)
        {
            var more = RandomAccess.Read(handle, to[got..], offset + got);
            if (more == 0) break;
            got += more;
        }
        return got;
    }

    private SafeFileHandle Open(int shard)
    {
        lock (_opening)
        {
            ObjectDisposedException.ThrowIf(_closed, this);
            return _open[shard] ??= OpenAnew(shard);
        }
    }

    private SafeFileHandle OpenAnew(int shard) => File.OpenHandle(PathOf(shard), FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
}
