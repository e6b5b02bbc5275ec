using Cluster.Contracts;

namespace Cluster.Workers.Data.Shards;

/// <summary>
/// Blocks of one split in memory, a fixed number, shared by all readers of the process: who needs a block that is not there
/// loads it, others wait for it; one thread of its own loads what will be needed next. The block that was used least recently
/// makes room. Any number of threads.
/// </summary>
internal sealed class BlockCache : IDisposable
{
    private readonly object _gate = new();
    private readonly ShardIndex _index;
    private readonly ShardFiles _files;
    private readonly ShardBlock[] _slots;
    private readonly Dictionary<int, ShardBlock> _blocks;
    private readonly Thread _ahead;

    /// <summary>Blocks that will be needed, the first one first.</summary>
    private readonly int[] _wanted;
    private int _wantedCount;

    private long _clock;
    /// <summary>Readers that wait for a block, or for room.</summary>
    private int _waiting;
    private int _lastRented = -1;
    private bool _isTold;
    private bool _closed;

    /// <param name="slots">Blocks in memory, at least 3; no more are made than the split has.</param>
    public BlockCache(ShardIndex index, ShardFiles files, int slots, string name)
    {
        (_index, _files) = (index, files);
        BlockSamples = index.Order.BlockSamples;
        BlockCount = (index.Samples.Length + BlockSamples - 1) / BlockSamples;
        _slots = [.. Enumerable.Range(0, Math.Max(1, Math.Min(slots, BlockCount))).Select(static _ => new ShardBlock())];
        _blocks = new Dictionary<int, ShardBlock>(_slots.Length);
        _wanted = new int[_slots.Length];
        _ahead = new Thread(LoadAhead) { IsBackground = true, Name = $"read ahead {name}" };
        _ahead.Start();
    }

    public int BlockSamples { get; }

    public int BlockCount { get; }

    /// <summary>Blocks that were read from disk, for measurements.</summary>
    public long Loads => Interlocked.Read(ref _loads);

    private long _loads;

    /// <summary>The block with this number, which stays in memory until it is given back. Loads it on the calling thread if need be.</summary>
    /// <exception cref="ClusterException">The medium failed; a further call tries again.</exception>
    public ShardBlock Rent(int block)
    {
        ShardBlock? slot;
        lock (_gate)
        {
            Follow(block);
            while (true)
            {
                ObjectDisposedException.ThrowIf(_closed, this);
                if (_blocks.TryGetValue(block, out slot))
                {
                    if (slot.State == BlockState.Ready) return Use(slot);
                }
                else if (Claim(block, keepsWanted: false) is { } claimed)
                {
                    slot = claimed;
                    break;
                }
                _waiting++;
                Monitor.Wait(_gate);
                _waiting--;
            }
        }
        Load(slot, readers: 1);
        return slot;
    }

    public void Return(ShardBlock block)
    {
        lock (_gate)
        {
            if (--block.Readers == 0 && _waiting > 0) Monitor.PulseAll(_gate);
        }
    }

    /// <summary>Says what will be needed, instead of what was said before.</summary>
    /// <param name="blocks">The most urgent first; those beyond what fits in memory are dropped.</param>
    public void Want(ReadOnlySpan<int> blocks)
    {
        lock (_gate)
        {
            _isTold = true;
            Replace(blocks);
        }
    }

    public void Dispose()
    {
        lock (_gate)
        {
            if (_closed) return;
            _closed = true;
            Monitor.PulseAll(_gate);
        }
        _ahead.Join();
    }

    /// <summary>Who is not told what comes next takes blocks that follow each other for the beginning of a row.</summary>
    private void Follow(int block)
    {
        if (_isTold || block == _lastRented) return;
        if (block == _lastRented + 1)
        {
            Span<int> next = [block + 1, block + 2];
            Replace(next[..Math.Clamp(BlockCount - block - 1, 0, next.Length)]);
        }
        _lastRented = block;
    }

    private void Replace(ReadOnlySpan<int> blocks)
    {
        _wantedCount = Math.Min(blocks.Length, _wanted.Length);
        blocks[.._wantedCount].CopyTo(_wanted);
        Monitor.PulseAll(_gate);
    }

    private ShardBlock Use(ShardBlock slot)
    {
        slot.Readers++;
        slot.LastUse = ++_clock;
        return slot;
    }

    /// <summary>Room for a block, marked as loading; null when there is none.</summary>
    /// <param name="keepsWanted">What is wanted makes no room: else two wanted blocks could push each other out for ever.</param>
    private ShardBlock? Claim(int block, bool keepsWanted)
    {
        ShardBlock? oldest = null;
        foreach (var slot in _slots)
        {
            if (slot.State == BlockState.Loading || slot.Readers > 0) continue;
            if (keepsWanted && _wanted.AsSpan(0, _wantedCount).Contains(slot.Number)) continue;
            if (oldest is null || slot.LastUse < oldest.LastUse) oldest = slot;
        }
        if (oldest is null) return null;
        if (oldest.Number >= 0) _blocks.Remove(oldest.Number);
        (oldest.State, oldest.Number, oldest.LastUse) = (BlockState.Loading, block, ++_clock);
        _blocks.Add(block, oldest);
        return oldest;
    }

    /// <summary>Fills a claimed block, without the lock; afterwards it is ready, or empty where that failed.</summary>
    private void Load(ShardBlock slot, int readers)
    {
        var loaded = false;
        try
        {
            var first = slot.Number * BlockSamples;
            slot.Load(_index.Samples.AsSpan(first, Math.Min(BlockSamples, _index.Samples.Length - first)), _files);
            Interlocked.Increment(ref _loads);
            loaded = true;
        }
        finally
        {
            lock (_gate)
            {
                (slot.State, slot.Readers) = loaded ? (BlockState.Ready, readers) : (BlockState.Empty, 0);
                if (!loaded)
                {
                    _blocks.Remove(slot.Number);
                    (slot.Number, slot.LastUse) = (-1, 0);
                }
                Monitor.PulseAll(_gate);
            }
        }
    }

    private void LoadAhead()
    {
        while (true)
        {
            ShardBlock? slot = null;
            lock (_gate)
            {
                while (!_closed && (slot = ClaimWanted()) is null) Monitor.Wait(_gate);
                if (_closed)
                {
                    if (slot is null) return;
                    _blocks.Remove(slot.Number);
                    (slot.State, slot.Number) = (BlockState.Empty, -1);
                    return;
                }
            }
            try
            {
                Load(slot!, readers: 0);
            }
            catch (ClusterException)
            {
                // Whoever needs the block tries again and is told.
                lock (_gate) _wantedCount = 0;
            }
        }
    }

    private ShardBlock? ClaimWanted()
    {
        for (var i = 0; i < _wantedCount; i++)
            if (!_blocks.ContainsKey(_wanted[i])) return Claim(_wanted[i], keepsWanted: true);
        return null;
    }
}
