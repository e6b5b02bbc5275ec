using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace Cluster.Contracts;

/// <summary>What an entry of the state is.</summary>
public enum StateKind
{
    /// <summary>Trained: has a gradient.</summary>
    Parameter = 0,

    /// <summary>A float buffer such as a running mean: averaged over the leaves of a step.</summary>
    Buffer = 1,

    /// <summary>An int64 that grows by one per applied step (<c>num_batches_tracked</c>). Not part of the float vector.</summary>
    Counter = 2,
}

/// <summary>One named tensor of the state.</summary>
/// <param name="Name">torchvision's name, for example <c>layer1.0.conv1.weight</c>.</param>
/// <param name="Shape">Dimensions as in PyTorch; empty for a scalar.</param>
/// <param name="Kind">Parameter, buffer or counter.</param>
/// <param name="Decays">False for biases and norm layers, which take no weight decay unless asked.</param>
/// <param name="Offset">First float in the state vector; -1 for counters.</param>
public sealed record StateEntry(string Name, IReadOnlyList<int> Shape, StateKind Kind, bool Decays, int Offset)
{
    /// <summary>Number of elements.</summary>
    public int Length { get; } = Shape.Aggregate(1, static (product, dimension) => checked(product * dimension));

    /// <summary>Elements of one row: the weights into one output unit (all but the first dimension). A one-dimensional entry is one row.</summary>
    public int RowLength => Shape.Count > 1 && Shape[0] > 0 ? Length / Shape[0] : Length;
}

/// <summary>What lies of one parameter in one chunk.</summary>
/// <param name="Parameter">Index among <see cref="ParameterLayout.Parameters"/>.</param>
/// <param name="Chunk">Index of the chunk.</param>
/// <param name="Offset">First float in the state vector.</param>
/// <param name="Length">Floats; at least 1.</param>
public readonly record struct ParameterPiece(int Parameter, int Chunk, int Offset, int Length);

/// <summary>
/// Where every tensor lies in the state vector: parameters in the model's order, padded to a chunk edge, then buffers.
/// Laid out once per model; every process computes the same one and compares <see cref="Hash"/>.
/// </summary>
public sealed class ParameterLayout
{
    private readonly Dictionary<string, StateEntry> _byName;
    private readonly int[] _edges;

    private ParameterLayout(IReadOnlyList<StateEntry> entries, int parameterFloats, int bufferOffset, int stateFloats, bool wholeRows)
    {
        Entries = entries;
        ParameterFloats = parameterFloats;
        BufferOffset = bufferOffset;
        StateFloats = stateFloats;
        WholeRows = wholeRows;
        _byName = entries.ToDictionary(e => e.Name, StringComparer.Ordinal);
        _edges = ChunkEdges.Of([.. Parameters], bufferOffset, stateFloats, wholeRows);
        ChunkCount = _edges.Length - 1;
        ParameterChunkCount = Array.BinarySearch(_edges, bufferOffset);
        Pieces = ChunkEdges.Pieces([.. Parameters], _edges);
        Hash = ComputeHash(entries, wholeRows);
    }

    /// <summary>All entries: parameters, buffers and counters, each group in the model's order.</summary>
    public IReadOnlyList<StateEntry> Entries { get; }

    public IEnumerable<StateEntry> Parameters => Entries.Where(static e => e.Kind == StateKind.Parameter);
    public IEnumerable<StateEntry> Buffers => Entries.Where(static e => e.Kind == StateKind.Buffer);
    public IEnumerable<StateEntry> Counters => Entries.Where(static e => e.Kind == StateKind.Counter);

    /// <summary>Trained floats, without padding.</summary>
    public int ParameterFloats { get; }

    /// <summary>First float of the buffers: the end of the padded parameters, a multiple of <see cref="Limits.ChunkFloats"/>.</summary>
    public int BufferOffset { get; }

    /// <summary>Length of the state vector in floats; the last chunk may be short.</summary>
    public int StateFloats { get; }

    public int ChunkCount { get; }

    /// <summary>Chunks that hold parameters and their padding; the rest hold buffers.</summary>
    public int ParameterChunkCount { get; }

    /// <summary>True if no chunk's edge cuts a row of a parameter: for rules that look at all weights of an output unit.</summary>
    public bool WholeRows { get; }

    /// <summary>Every parameter cut at the chunks' edges, in offset order: what sums over single tensors are made of.</summary>
    public IReadOnlyList<ParameterPiece> Pieces { get; }

    /// <summary>SHA-256 over names, shapes, kinds and decay flags, and whole rows, in lower-case hex.</summary>
    public string Hash { get; }

    public StateEntry this[string name] => _byName[name];

    public bool TryGet(string name, out StateEntry? entry) => _byName.TryGetValue(name, out entry);

    /// <summary>The chunk's floats [start, start + length) in the state vector. At most <see cref="Limits.ChunkFloats"/>, unless it is one row that is longer.</summary>
    public (int Start, int Length) Chunk(int chunk)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(chunk);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(chunk, ChunkCount);
        return (_edges[chunk], _edges[chunk + 1] - _edges[chunk]);
    }

    /// <summary>Where the chunk ends in which this float of the state vector lies.</summary>
    public int EndOfChunk(int offset)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(offset, StateFloats);
        return _edges[ChunkEdges.IndexOf(_edges, offset) + 1];
    }

    /// <summary>Lays out <paramref name="tensors"/>: parameters first, then buffers, then counters, each in the order given.</summary>
    /// <param name="wholeRows">Chunks end at the edges of rows (see <see cref="StateEntry.RowLength"/>). Offsets are the same either way.</param>
    /// <exception cref="ArgumentException">A name twice, no parameter, or more floats than <see cref="Limits.MaxStateFloats"/>.</exception>
    public static ParameterLayout Of(IEnumerable<(string Name, IReadOnlyList<int> Shape, StateKind Kind, bool Decays)> tensors, bool wholeRows = false)
    {
        ArgumentNullException.ThrowIfNull(tensors);
        var ordered = tensors.OrderBy(static t => t.Kind).ToList();
        var entries = new List<StateEntry>(ordered.Count);
        long offset = 0, parameterFloats = 0, bufferOffset = -1;
        foreach (var (name, shape, kind, decays) in ordered)
        {
            if (kind != StateKind.Parameter && bufferOffset < 0) offset = bufferOffset = RoundUpToChunk(offset);
            var entry = new StateEntry(name, shape, kind, decays && kind == StateKind.Parameter, kind == StateKind.Counter ? -1 : checked((int)offset));
            entries.Add(entry);
            if (kind == StateKind.Counter) continue;
            offset += entry.Length;
            if (kind == StateKind.Parameter) parameterFloats = offset;
            if (RoundUpToChunk(offset) > Limits.MaxStateFloats) throw new ArgumentException($"the state has more than {Limits.MaxStateFloats} floats at '{name}'");
        }
        if (parameterFloats == 0) throw new ArgumentException("a model without parameters cannot be trained");
        if (bufferOffset < 0) offset = bufferOffset = RoundUpToChunk(offset);
        return new ParameterLayout(entries, (int)parameterFloats, (int)bufferOffset, (int)Math.Max(offset, bufferOffset), wholeRows);
    }

    private static long RoundUpToChunk(long floats) => (floats + Limits.ChunkFloats - 1) / Limits.ChunkFloats * Limits.ChunkFloats;

    private static string ComputeHash(IReadOnlyList<StateEntry> entries, bool wholeRows)
    {
        using var sha = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        Span<byte> number = stackalloc byte[4];
        foreach (var entry in entries)
        {
            sha.AppendData(Encoding.UTF8.GetBytes(entry.Name));
            sha.AppendData([0, (byte)entry.Kind, entry.Decays ? (byte)1 : (byte)0, (byte)entry.Shape.Count]);
            foreach (var dimension in entry.Shape)
            {
                BinaryPrimitives.WriteInt32LittleEndian(number, dimension);
                sha.AppendData(number);
            }
        }
        // Said only where it is so: layouts that were hashed before there were whole rows keep their hash.
        if (wholeRows) sha.AppendData("whole rows"u8);
        return Convert.ToHexStringLower(sha.GetHashAndReset());
    }
}
