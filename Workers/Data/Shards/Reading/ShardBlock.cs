namespace Cluster.Workers.Data.Shards;

internal enum BlockState
{
    Empty,
    Loading,
    Ready,
}

/// <summary>
/// Memory for one block of samples, reused for others. State, readers and age are guarded by the cache's lock; the bytes are
/// written by the one thread that loads and read by those that rented the block.
/// </summary>
internal sealed class ShardBlock
{
    /// <summary>What of one archive the block holds.</summary>
    /// <param name="From">Place in the archive of the piece's first byte.</param>
    /// <param name="At">Its place in the memory.</param>
    /// <param name="Length">Bytes that were there; fewer than asked for where the archive was cut.</param>
    private readonly record struct Piece(int Shard, long From, int At, int Length);

    private readonly List<Piece> _pieces = new(2);
    private byte[] _bytes = [];

    public BlockState State;
    public int Number = -1;
    public int Readers;
    public long LastUse;

    /// <summary>Reads the block: one read per archive that it spans.</summary>
    /// <param name="samples">Of the block.</param>
    /// <exception cref="Contracts.ClusterException">The medium failed.</exception>
    public void Load(ReadOnlySpan<ShardSample> samples, ShardFiles files)
    {
        _pieces.Clear();
        var total = 0;
        for (var first = 0; first < samples.Length; first = EndOfPiece(samples, first)) total += LengthOfPiece(samples, first);
        // Grown a little further than needed: blocks differ, and each that is the largest so far would allocate again.
        if (_bytes.Length < total) _bytes = GC.AllocateUninitializedArray<byte>(total + total / 8);
        var at = 0;
        for (var first = 0; first < samples.Length; first = EndOfPiece(samples, first))
        {
            var length = LengthOfPiece(samples, first);
            var (shard, from) = (samples[first].Shard, samples[first].Offset);
            _pieces.Add(new Piece(shard, from, at, files.Read(shard, from, _bytes.AsSpan(at, length))));
            at += length;
        }
    }

    /// <summary>A sample's encoded bytes; empty when the archive ends before the sample does.</summary>
    public ReadOnlySpan<byte> BytesOf(in ShardSample sample)
    {
        foreach (var piece in _pieces)
        {
            if (piece.Shard != sample.Shard) continue;
            var start = sample.Offset - piece.From;
            return start + sample.Length <= piece.Length ? _bytes.AsSpan(piece.At + (int)start, sample.Length) : default;
        }
        return default;
    }

    private static int EndOfPiece(ReadOnlySpan<ShardSample> samples, int first)
    {
        var end = first + 1;
        while (end < samples.Length && samples[end].Shard == samples[first].Shard) end++;
        return end;
    }

    private static int LengthOfPiece(ReadOnlySpan<ShardSample> samples, int first) =>
        checked((int)(samples[EndOfPiece(samples, first) - 1].End - samples[first].Offset));
}
