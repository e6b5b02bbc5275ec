using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using Cluster.Contracts;

namespace Cluster.Coordinator.Core;

/// <summary>
/// SHA-256 of a run's state: the version, then every tensor's name, kind, shape and little-endian bytes: parameters and
/// buffers, counters, optimizer slots. Never the term, the workers or the shards: equal training gives equal hashes.
/// Feed it in this order; a tensor may arrive in any number of pieces, so shards hand in their ranges one after another.
/// </summary>
/// <remarks>Not thread-safe. Dispose it.</remarks>
public sealed class StateHash : IDisposable
{
    private const byte SlotKind = 3; // follows StateKind's numbers
    private readonly IncrementalHash _sha = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private readonly ParameterLayout _layout;
    private readonly List<StateEntry> _floats;
    private Stage _stage = Stage.State;
    private string _slot = "";
    private int _position, _entry;

    private enum Stage { State, Counters, Slots, Done }

    public StateHash(ParameterLayout layout, WeightsVersion version)
    {
        ArgumentNullException.ThrowIfNull(layout);
        _layout = layout;
        _floats = layout.Entries.Where(static e => e.Kind != StateKind.Counter).ToList();
        _sha.AppendData("cluster state 1\0"u8);
        AppendNumber(version.Value);
    }

    /// <summary>The hash of a state that lies in one piece, in lower-case hex.</summary>
    /// <param name="state">[StateFloats].</param>
    /// <param name="counter">The value of a counter.</param>
    /// <param name="slots">Slots by name, each at least as long as <see cref="StateSlots.LengthOf(string, ParameterLayout)"/> says.</param>
    public static string Of(
        ParameterLayout layout, WeightsVersion version, ReadOnlySpan<float> state, Func<StateEntry, long> counter, params ReadOnlySpan<(string Name, ReadOnlyMemory<float> Values)> slots)
    {
        ArgumentNullException.ThrowIfNull(layout);
        using var hash = new StateHash(layout, version);
        hash.AppendState(state);
        hash.AppendCounters(counter);
        var ordered = slots.ToArray();
        Array.Sort(ordered, static (a, b) => string.CompareOrdinal(a.Name, b.Name));
        foreach (var (name, values) in ordered)
        {
            hash.BeginSlot(name);
            hash.AppendSlot(values.Span[..StateSlots.LengthOf(name, layout)]);
        }
        return hash.Finish();
    }

    /// <summary>The next piece of the state vector, in offset order; padding included, which is not hashed.</summary>
    public void AppendState(ReadOnlySpan<float> piece)
    {
        Expect(_stage == Stage.State, "the state comes first");
        Append(piece, _layout.StateFloats, _floats);
    }

    /// <summary>All counters, once the state is complete. Call it even if the model has none.</summary>
    public void AppendCounters(Func<StateEntry, long> value)
    {
        ArgumentNullException.ThrowIfNull(value);
        Expect(_stage == Stage.State && _position == _layout.StateFloats, $"{_position} of {_layout.StateFloats} floats of the state are in");
        _stage = Stage.Counters;
        foreach (var entry in _layout.Counters)
        {
            AppendHeader(entry.Name, (byte)entry.Kind, entry.Shape);
            AppendNumber(value(entry));
        }
    }

    /// <summary>Begins an optimizer slot; slots come in ordinal order of their names.</summary>
    public void BeginSlot(string name)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        Expect(_stage == Stage.Counters || (_stage == Stage.Slots && _position == StateSlots.LengthOf(_slot, _layout)), "a slot begins after the counters, or after a complete slot");
        Expect(string.CompareOrdinal(name, _slot) > 0, $"slot '{name}' comes before '{_slot}'");
        (_stage, _slot, _position, _entry) = (Stage.Slots, name, 0, 0);
    }

    /// <summary>The next piece of the slot, laid out like the state it covers: the padded parameters [BufferOffset], or all of it.</summary>
    public void AppendSlot(ReadOnlySpan<float> piece)
    {
        Expect(_stage == Stage.Slots, "begin the slot first");
        Append(piece, StateSlots.LengthOf(_slot, _layout), _floats);
    }

    /// <summary>The hash in lower-case hex. The object is spent then.</summary>
    public string Finish()
    {
        Expect(_stage == Stage.Counters || (_stage == Stage.Slots && _position == StateSlots.LengthOf(_slot, _layout)), "the state is not complete");
        _stage = Stage.Done;
        return Convert.ToHexStringLower(_sha.GetHashAndReset());
    }

    public void Dispose() => _sha.Dispose();

    private void Append(ReadOnlySpan<float> piece, int total, List<StateEntry> entries)
    {
        Expect(piece.Length <= total - _position, $"a piece of {piece.Length} floats at {_position} runs past the end at {total}");
        var pieceEnd = _position + piece.Length;
        while (_entry < entries.Count && entries[_entry].Offset < Math.Min(pieceEnd, total))
        {
            var entry = entries[_entry];
            var entryEnd = entry.Offset + entry.Length;
            var from = Math.Max(entry.Offset, _position);
            if (from == entry.Offset)
            {
                if (_stage == Stage.Slots) AppendHeader(entry.Name + "." + _slot, SlotKind, entry.Shape);
                else AppendHeader(entry.Name, (byte)entry.Kind, entry.Shape);
            }
            var to = Math.Min(entryEnd, pieceEnd);
            AppendFloats(piece[(from - _position)..(to - _position)]);
            if (to < entryEnd) break;
            _entry++;
        }
        _position = pieceEnd;
    }

    private void AppendFloats(ReadOnlySpan<float> values)
    {
        if (BitConverter.IsLittleEndian)
        {
            // In blocks: the byte view of more than 2^29 floats would not fit a span's length.
            const int Block = 1 << 20;
            for (var start = 0; start < values.Length; start += Block)
                _sha.AppendData(MemoryMarshal.AsBytes(values.Slice(start, Math.Min(Block, values.Length - start))));
            return;
        }
        Span<byte> bytes = stackalloc byte[sizeof(float)];
        foreach (var value in values)
        {
            BinaryPrimitives.WriteSingleLittleEndian(bytes, value);
            _sha.AppendData(bytes);
        }
    }

    private void AppendHeader(string name, byte kind, IReadOnlyList<int> shape)
    {
        var bytes = Encoding.UTF8.GetBytes(name);
        AppendNumber(bytes.Length);
        _sha.AppendData(bytes);
        _sha.AppendData([kind]);
        AppendNumber(shape.Count);
        foreach (var dimension in shape) AppendNumber(dimension);
    }

    private void AppendNumber(long value)
    {
        Span<byte> bytes = stackalloc byte[sizeof(long)];
        BinaryPrimitives.WriteInt64LittleEndian(bytes, value);
        _sha.AppendData(bytes);
    }

    private static void Expect(bool holds, string message)
    {
        if (!holds) throw new InvalidOperationException("state hash: " + message);
    }
}
