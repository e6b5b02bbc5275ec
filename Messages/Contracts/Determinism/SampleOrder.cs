namespace Cluster.Contracts;

/// <summary>
/// The order of an epoch's samples: a bijection of [0, count) keyed by (seed, epoch), computed in O(1) per position,
/// never stored or shipped, so a run goes on in mid-epoch with any number of workers. Immutable; any thread.
/// </summary>
public sealed class SampleOrder
{
    private readonly ulong _seed;

    /// <summary>Of samples where the layout is uniform, else of blocks.</summary>
    private readonly KeyedPermutation _outer;

    private readonly int _blocks;

    /// <summary>Where among the blocks of the epoch the last block of the split comes, and how many samples it lacks.</summary>
    private readonly int _shortPlace, _lacking;

    public SampleOrder(ulong seed, long epoch, int count, OrderLayout layout = default)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(count);
        ArgumentOutOfRangeException.ThrowIfNegative(epoch);
        layout.ThrowUnlessSound();
        (_seed, Count, Epoch, Layout) = (seed, count, epoch, layout);
        if (layout.IsUniform)
        {
            _outer = new KeyedPermutation(new PhiloxStream(seed, RandomPurpose.Permutation, (ulong)epoch), count);
            return;
        }
        _blocks = (int)(((long)count + layout.BlockSamples - 1) / layout.BlockSamples);
        _outer = new KeyedPermutation(new PhiloxStream(seed, RandomPurpose.BlockPermutation, (ulong)epoch), _blocks);
        _lacking = (int)((long)_blocks * layout.BlockSamples - count);
        _shortPlace = _outer.PlaceOf(_blocks - 1);
    }

    public int Count { get; }
    public long Epoch { get; }
    public OrderLayout Layout { get; }

    /// <summary>Windows of the epoch; 1 where the order is uniform.</summary>
    public int Windows => Layout.IsUniform ? 1 : (_blocks + Layout.WindowBlocks - 1) / Layout.WindowBlocks;

    /// <summary>Whether every position holds the same sample in both.</summary>
    public bool IsSameAs(SampleOrder other) =>
        other is not null && (_seed, Epoch, Count, Layout) == (other._seed, other.Epoch, other.Count, other.Layout);

    /// <summary>The order of the epoch after this one.</summary>
    public SampleOrder Next() => new(_seed, Epoch + 1, Count, Layout);

    /// <summary>The sample at <paramref name="position"/> of this epoch.</summary>
    public int SampleAt(int position)
    {
        ThrowIfOutside(position);
        if (Layout.IsUniform) return _outer.At(position);
        var window = WindowOf(position);
        var first = PlaceStart((long)window * Layout.WindowBlocks);
        var end = PlaceStart(Math.Min(_blocks, (long)(window + 1) * Layout.WindowBlocks));
        var mixed = new KeyedPermutation(new PhiloxStream(_seed, RandomPurpose.WindowPermutation, (ulong)Epoch, (ulong)window), end - first);
        // A place among the samples of the window's blocks, as they would come unmixed.
        var unmixed = first + mixed.At(position - first);
        var place = (int)PlaceAt(unmixed);
        return (int)((long)_outer.At(place) * Layout.BlockSamples) + (unmixed - PlaceStart(place));
    }

    /// <summary>The window in which a position lies.</summary>
    public int WindowOf(int position)
    {
        ThrowIfOutside(position);
        return Layout.IsUniform ? 0 : (int)(PlaceAt(position) / Layout.WindowBlocks);
    }

    /// <summary>First position of a window, or of what would be the one after the last: <see cref="Count"/>.</summary>
    public int WindowStart(int window)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(window);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(window, Windows);
        return Layout.IsUniform ? window * Count : PlaceStart(Math.Min(_blocks, (long)window * Layout.WindowBlocks));
    }

    /// <summary>Writes the numbers of a window's blocks, in no particular order; how many they are.</summary>
    /// <param name="blocks">At least [<see cref="OrderLayout.WindowBlocks"/>].</param>
    public int BlocksOf(int window, Span<int> blocks)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(window);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(window, Windows);
        if (Layout.IsUniform) return 0;
        var first = window * Layout.WindowBlocks;
        var count = Math.Min(Layout.WindowBlocks, _blocks - first);
        for (var i = 0; i < count; i++) blocks[i] = _outer.At(first + i);
        return count;
    }

    private void ThrowIfOutside(int position)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(position);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(position, Count);
    }

    /// <summary>Samples before the block that comes at <paramref name="place"/>.</summary>
    private int PlaceStart(long place) => (int)(place * Layout.BlockSamples - (place > _shortPlace ? _lacking : 0));

    /// <summary>The place of the block that an unmixed position lies in.</summary>
    private long PlaceAt(long position) =>
        (position < (long)(_shortPlace + 1) * Layout.BlockSamples - _lacking ? position : position + _lacking) / Layout.BlockSamples;
}

/// <summary>
/// Digest of the sample ids of a leaf, in order: what a worker reports of the samples that it decoded and what the
/// auditor recomputes from (seed, epoch) alone. Not cryptographic: it finds mistakes, not forgers of a whole log.
/// </summary>
public struct SampleDigest
{
    private ulong _state;

    public void Add(int sampleId)
    {
        // The finalizer of SplitMix64 (Steele, Lea and Flood, 2014) over a running state: order matters, zero ids count.
        var x = _state + 0x9E3779B97F4A7C15 + (ulong)(uint)sampleId;
        x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9;
        x = (x ^ (x >> 27)) * 0x94D049BB133111EB;
        _state = x ^ (x >> 31);
    }

    public readonly ulong Value => _state;
}
