using Cluster.Contracts;

namespace Cluster.Workers.Data.Shards;

/// <summary>
/// Reads of what the system has in its page cache, straight to where they are wanted: one copy, where a block of our own would
/// cost a second one through memory. The first read that finds something missing sends the next ones to the blocks, which
/// load in large pieces; later the page cache is tried again. Any number of threads.
/// </summary>
internal sealed class CachedReads(ShardIndex index, ShardFiles files) : IDisposable
{
    /// <summary>Small images that follow each other are read together, into memory that stays in the second-level cache.</summary>
    private const int WindowBytes = 128 * 1024, MostOfWindow = WindowBytes / 8;

    private readonly ThreadLocal<Window> _windows = new(static () => new Window());
    private int _pause, _hits;
    private int _nextPause = Limits.ReadsPastPageCache;

    /// <summary>What was wanted last was not there: blocks are worth loading ahead.</summary>
    public bool IsPaused => Volatile.Read(ref _pause) > 0;

    /// <param name="to">As long as the sample.</param>
    /// <returns>False: it is not in the page cache as a whole, and <paramref name="to"/> may have been written to.</returns>
    public bool TryRead(int sample, in ShardSample place, Span<byte> to)
    {
        if (IsPaused)
        {
            Interlocked.Decrement(ref _pause);
            return false;
        }
        if (place.Length > MostOfWindow ? files.TryReadCached(place.Shard, place.Offset, to) : _windows.Value!.TryRead(sample, place, to, index, files))
        {
            Interlocked.Increment(ref _hits);
            return true;
        }
        Pause();
        return false;
    }

    /// <summary>Of a set that comes from the disk only what the blocks just loaded is found: then it is tried more and more rarely. A race of two readers costs a few tries.</summary>
    private void Pause()
    {
        var isCold = Interlocked.Exchange(ref _hits, 0) < Limits.ReadsPastPageCache;
        _nextPause = isCold ? Math.Min(_nextPause * 2, Limits.MostReadsPastPageCache) : Limits.ReadsPastPageCache;
        Volatile.Write(ref _pause, _nextPause);
    }

    public void Dispose() => _windows.Dispose();

    private sealed class Window
    {
        private readonly byte[] _bytes = new byte[WindowBytes];
        private int _shard = -1, _length;
        private long _from;
        private int _last = -2;

        public bool TryRead(int sample, in ShardSample place, Span<byte> to, ShardIndex index, ShardFiles files)
        {
            var isNext = sample == _last + 1;
            _last = sample;
            if (Holds(place)) return Take(place, to);
            return isNext && Fill(place, index, files) ? Take(place, to) : files.TryReadCached(place.Shard, place.Offset, to);
        }

        private bool Holds(in ShardSample place) => place.Shard == _shard && place.Offset >= _from && place.End <= _from + _length;

        private bool Take(in ShardSample place, Span<byte> to)
        {
            _bytes.AsSpan((int)(place.Offset - _from), place.Length).CopyTo(to);
            return true;
        }

        private bool Fill(in ShardSample place, ShardIndex index, ShardFiles files)
        {
            var length = (int)Math.Min(WindowBytes, index.Shards[place.Shard].Length - place.Offset);
            _length = 0;
            if (length < place.Length || !files.TryReadCached(place.Shard, place.Offset, _bytes.AsSpan(0, length))) return false;
            (_shard, _from, _length) = (place.Shard, place.Offset, length);
            return true;
        }
    }
}
