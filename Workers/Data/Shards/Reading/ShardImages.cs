using System.Globalization;
using System.Numerics;
using Cluster.Contracts;
using Cluster.Workers.Data.Images;

namespace Cluster.Workers.Data.Shards;

/// <summary>The encoded images of a packed split, read block by block. Any number of threads; nothing is allocated per sample.</summary>
internal sealed class ShardImages : IEncodedImages, IDisposable
{
    private readonly ShardIndex _index;
    private readonly ShardFiles _files;
    private readonly BlockCache _cache;
    private readonly ShardAhead _ahead;
    private readonly CachedReads? _cached;

    /// <param name="slots">Blocks in memory.</param>
    /// <param name="triesPageCache">Reads what the system has in memory without a block; a spec about blocks does without.</param>
    public ShardImages(ShardIndex index, string directory, int slots, string name, bool triesPageCache = true)
    {
        _index = index;
        _files = new ShardFiles(directory, index);
        _cache = new BlockCache(index, _files, slots, name);
        _ahead = new ShardAhead(_cache);
        _cached = triesPageCache ? new CachedReads(index, _files) : null;
    }

    public int Count => _index.Samples.Length;

    public BlockCache Cache => _cache;

    public int LabelOf(int sample) => _index.Samples[sample].Label;

    public string PlaceOf(int sample)
    {
        var place = _index.Samples[sample];
        return string.Create(CultureInfo.InvariantCulture, $"{_files.PathOf(place.Shard)}, {EntryOf(place)} at byte {place.Offset}");
    }

    public int Read(int sample, ref byte[] buffer)
    {
        ref readonly var place = ref _index.Samples[sample];
        if (buffer.Length < place.Length) buffer = new byte[BitOperations.RoundUpToPowerOf2((uint)place.Length)];
        var to = buffer.AsSpan(0, place.Length);
        var isWhole = _cached?.TryRead(sample, place, to) == true || TryReadBlock(sample, place, to);
        if (!isWhole) throw new UnreadableSampleException(sample, $"{PlaceOf(sample)}: the shard ends before the image does; it was cut, copy it again");
        // Of the copy, which is in the nearest cache.
        if (Crc32C.Of(to) != place.Crc) throw new UnreadableSampleException(sample, $"{PlaceOf(sample)}: its checksum is not that of the index; the shard is damaged, copy it again");
        return place.Length;
    }

    /// <inheritdoc cref="IDataset.Expect"/>
    public void Expect(SampleOrder order, int position)
    {
        // What the system holds in memory already need not be loaded again.
        if (_cached is not { IsPaused: false }) _ahead.Expect(order, position);
    }

    public void Dispose()
    {
        _cached?.Dispose();
        _cache.Dispose();
        _files.Dispose();
    }

    private bool TryReadBlock(int sample, in ShardSample place, Span<byte> to)
    {
        var block = _cache.Rent(sample / _cache.BlockSamples);
        try
        {
            var bytes = block.BytesOf(place);
            if (bytes.Length != to.Length) return false;
            bytes.CopyTo(to);
            return true;
        }
        finally
        {
            _cache.Return(block);
        }
    }

    /// <summary>The entry's name from the header before it, for messages alone; a long name is only in an extended header.</summary>
    private string EntryOf(ShardSample place)
    {
        try
        {
            var block = new byte[TarHeader.BlockBytes];
            if (place.Offset >= block.Length && _files.Read(place.Shard, place.Offset - block.Length, block) == block.Length) return TarHeader.Read(block).Name;
        }
        catch (Exception e) when (e is TarFormatException or ClusterException)
        {
            // The header is damaged too.
        }
        return "the image";
    }
}
