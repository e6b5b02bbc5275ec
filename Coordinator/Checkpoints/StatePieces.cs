using Cluster.Contracts;

namespace Cluster.Coordinator.Checkpoints;

/// <summary>
/// A vector that lies in several buffers, as the shards hand it over, read as one: an entry may straddle pieces.
/// Refers to the buffers without owning a reference: whoever made it keeps them alive and disposes them. Reading is thread-safe.
/// </summary>
public sealed class StatePieces
{
    private readonly (int Offset, NativeBuffer Buffer)[] _pieces;

    /// <param name="pieces">In any order; from 0 on without gap or overlap.</param>
    /// <exception cref="ArgumentException">They leave a gap, overlap, or there is none.</exception>
    public StatePieces(IEnumerable<(int Offset, NativeBuffer Buffer)> pieces)
    {
        ArgumentNullException.ThrowIfNull(pieces);
        _pieces = [.. pieces.OrderBy(static p => p.Offset)];
        var end = 0;
        foreach (var (offset, buffer) in _pieces)
        {
            if (offset != end) throw new ArgumentException($"a piece begins at {offset}, the one before it ends at {end}");
            end = checked(offset + buffer.Length);
        }
        if (end == 0) throw new ArgumentException("a state without pieces");
        Length = end;
    }

    /// <summary>Floats in all.</summary>
    public int Length { get; }

    /// <summary>A vector in one buffer.</summary>
    public static StatePieces Whole(NativeBuffer buffer) => new([(0, buffer)]);

    /// <summary>The weights [StateFloats] out of the shards' snapshots.</summary>
    public static StatePieces OfWeights(IEnumerable<ShardSnapshot> snapshots)
    {
        ArgumentNullException.ThrowIfNull(snapshots);
        return new(snapshots.Select(static s => (s.Offset, s.Weights)));
    }

    /// <summary>Slots by name, each over what it covers of the state, out of the shards' snapshots.</summary>
    public static IReadOnlyDictionary<string, StatePieces> OfSlots(IEnumerable<ShardSnapshot> snapshots)
    {
        ArgumentNullException.ThrowIfNull(snapshots);
        return snapshots
            .SelectMany(static s => s.Slots.Select(slot => (slot.Key, s.Offset, Buffer: slot.Value)))
            .GroupBy(static s => s.Key, StringComparer.Ordinal)
            .ToDictionary(static g => g.Key, static g => new StatePieces(g.Select(static s => (s.Offset, s.Buffer))), StringComparer.Ordinal);
    }

    /// <summary>The stretches of memory that make up [offset, offset + length), in order: <c>foreach (var run in pieces.Range(...))</c>.</summary>
    public Runs Range(int offset, int length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        ArgumentOutOfRangeException.ThrowIfGreaterThan((long)offset + length, Length);
        return new Runs(_pieces, offset, length);
    }

    /// <summary>Copies the floats from <paramref name="offset"/> on.</summary>
    public void CopyTo(int offset, Span<float> destination)
    {
        foreach (var run in Range(offset, destination.Length))
        {
            run.CopyTo(destination);
            destination = destination[run.Length..];
        }
    }

    /// <summary>Walks over the stretches of a range.</summary>
    public ref struct Runs
    {
        private readonly (int Offset, NativeBuffer Buffer)[] _pieces;
        private readonly int _end;
        private int _position, _piece;

        internal Runs((int Offset, NativeBuffer Buffer)[] pieces, int offset, int length)
        {
            (_pieces, _position, _end) = (pieces, offset, offset + length);
            while (_position < _end && _pieces[_piece].Offset + _pieces[_piece].Buffer.Length <= _position) _piece++;
        }

        public ReadOnlySpan<float> Current { get; private set; }

        public readonly Runs GetEnumerator() => this;

        public bool MoveNext()
        {
            if (_position == _end) return false;
            var (offset, buffer) = _pieces[_piece++];
            var to = Math.Min(_end, offset + buffer.Length);
            Current = buffer.Span[(_position - offset)..(to - offset)];
            _position = to;
            return true;
        }
    }
}
