using System.Runtime.InteropServices;

namespace Cluster.Coordinator.Checkpoints;

/// <summary>Takes the next bytes of a file.</summary>
public delegate void ByteSink(ReadOnlySpan<byte> bytes);

/// <summary>
/// Writes a safetensors file as a stream: the header at once, then the tensors in the order of <see cref="InDataOrder"/>,
/// each in as many pieces as the caller has. The same specs and values give the same bytes. Not thread-safe.
/// </summary>
public sealed class SafeTensorsWriter
{
    private const int BlockElements = 1 << 20;      // a span of bytes cannot cover all floats of a large state

    private readonly ByteSink _sink;
    private int _tensor;
    private long _written;      // bytes of the tensor that is being written

    /// <summary>Hands the header to <paramref name="sink"/>.</summary>
    /// <param name="tensors">Their names stand in the header in this order.</param>
    /// <param name="metadata">Strings for __metadata__; may be empty.</param>
    /// <exception cref="ArgumentException">A name twice, or a size that overflows.</exception>
    public SafeTensorsWriter(ByteSink sink, IReadOnlyList<TensorSpec> tensors, IReadOnlyDictionary<string, string> metadata)
    {
        ArgumentNullException.ThrowIfNull(sink);
        ArgumentNullException.ThrowIfNull(tensors);
        ArgumentNullException.ThrowIfNull(metadata);
        if (!BitConverter.IsLittleEndian) throw new PlatformNotSupportedException("safetensors data are little-endian; this processor is not");
        _sink = sink;
        var (header, places) = SafeTensorsHeader.Create(tensors, metadata);
        InDataOrder = [.. places.OrderBy(static t => t.Begin).ThenBy(static t => t.End)];
        _sink(header);
    }

    /// <summary>The order in which the tensors are to be written: wider elements first, else as given.</summary>
    public IReadOnlyList<TensorInfo> InDataOrder { get; }

    /// <summary>The next piece of an F32 tensor.</summary>
    public void Append(string name, ReadOnlySpan<float> values)
    {
        Expect(name, TensorType.F32, (long)values.Length * sizeof(float));
        for (var at = 0; at < values.Length; at += BlockElements) _sink(MemoryMarshal.AsBytes(values.Slice(at, Math.Min(BlockElements, values.Length - at))));
    }

    /// <summary>The next piece of an I64 tensor.</summary>
    public void Append(string name, ReadOnlySpan<long> values)
    {
        Expect(name, TensorType.I64, (long)values.Length * sizeof(long));
        for (var at = 0; at < values.Length; at += BlockElements) _sink(MemoryMarshal.AsBytes(values.Slice(at, Math.Min(BlockElements, values.Length - at))));
    }

    /// <exception cref="InvalidOperationException">A tensor is not complete.</exception>
    public void Complete()
    {
        SkipComplete();
        if (_tensor < InDataOrder.Count) throw new InvalidOperationException($"safetensors: {_written} bytes of '{InDataOrder[_tensor].Name}' are written, more are missing");
    }

    private void Expect(string name, TensorType type, long bytes)
    {
        if (bytes == 0) return;
        SkipComplete();
        if (_tensor == InDataOrder.Count || InDataOrder[_tensor] is var next && (next.Name != name || next.Type != type || bytes > next.End - next.Begin - _written))
            throw new InvalidOperationException($"safetensors: {bytes} bytes of {type} '{name}' do not come next");
        _written += bytes;
    }

    private void SkipComplete()
    {
        while (_tensor < InDataOrder.Count && InDataOrder[_tensor].End - InDataOrder[_tensor].Begin == _written) (_tensor, _written) = (_tensor + 1, 0);
    }
}
