using System.Collections;
using TorchSharp.Interop;

namespace TorchSharp.Utils;

/// <summary>The elements of a CPU tensor, in place and in index order whatever its strides. Keeps the tensor alive.</summary>
public sealed unsafe class TensorAccessor<T> : IDisposable, IEnumerable<T> where T : unmanaged
{
    private readonly torch.Tensor _tensor;
    private readonly long[] _shape;
    private readonly long[] _strides;
    private readonly bool _contiguous;

    internal TensorAccessor(torch.Tensor tensor)
    {
        ElementTypes.Require<T>(tensor.dtype);
        if (!tensor.is_cpu()) throw new InvalidOperationException($"the elements of a tensor on {tensor.device} cannot be reached: copy it with cpu() first");
        _tensor = tensor;
        _shape = tensor.shape;
        _strides = tensor.stride();
        _contiguous = tensor.is_contiguous();
        Count = tensor.NumberOfElements;
    }

    public long Count { get; }

    public bool IsReadOnly => false;

    /// <exception cref="ArgumentOutOfRangeException">An index lies outside its dimension, or their number is not the tensor's.</exception>
    public T this[params long[] indices]
    {
        get => Pointer[OffsetOf(indices)];
        set => Pointer[OffsetOf(indices)] = value;
    }

    private T* Pointer => (T*)NativeMethods.ct_data_ptr(_tensor.Owned);

    public T[] ToArray()
    {
        var array = new T[Count];
        CopyTo(array);
        return array;
    }

    /// <summary>Copies from element <paramref name="tensorIndex"/> on, until either end.</summary>
    public void CopyTo(T[] array, int arrayIndex = 0, long tensorIndex = 0)
    {
        var count = Math.Min(array.Length - arrayIndex, Count - tensorIndex);
        if (_contiguous) new ReadOnlySpan<T>(Pointer + tensorIndex, checked((int)count)).CopyTo(array.AsSpan(arrayIndex));
        else for (long i = 0; i < count; i++) array[arrayIndex + i] = Pointer[OffsetOf(tensorIndex + i)];
    }

    /// <summary>Copies into element <paramref name="tensorIndex"/> and on, until either end.</summary>
    public void CopyFrom(T[] array, int arrayIndex = 0, long tensorIndex = 0)
    {
        var count = Math.Min(array.Length - arrayIndex, Count - tensorIndex);
        if (_contiguous) array.AsSpan(arrayIndex, checked((int)count)).CopyTo(new Span<T>(Pointer + tensorIndex, (int)count));
        else for (long i = 0; i < count; i++) Pointer[OffsetOf(tensorIndex + i)] = array[arrayIndex + i];
    }

    public IEnumerator<T> GetEnumerator()
    {
        for (long i = 0; i < Count; i++) yield return At(i);
    }

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    /// <summary>Nothing to free: the tensor owns the memory.</summary>
    public void Dispose() => GC.KeepAlive(_tensor);

    private T At(long position) => Pointer[_contiguous ? position : OffsetOf(position)];

    private long OffsetOf(long[] indices)
    {
        if (indices.Length != _shape.Length)
            throw new ArgumentOutOfRangeException(nameof(indices), $"{indices.Length} indices for a tensor of {_shape.Length} dimensions");
        long offset = 0;
        for (var d = 0; d < indices.Length; d++)
        {
            if (indices[d] < 0 || indices[d] >= _shape[d])
                throw new ArgumentOutOfRangeException(nameof(indices), $"index {indices[d]} in dimension {d} of size {_shape[d]}");
            offset += indices[d] * _strides[d];
        }
        return offset;
    }

    private long OffsetOf(long position)
    {
        long offset = 0;
        for (var d = _shape.Length - 1; d >= 0; d--)
        {
            offset += position % _shape[d] * _strides[d];
            position /= _shape[d];
        }
        return offset;
    }
}
