using TorchSharp;
using TorchSharp.Interop;

namespace Cluster.Torch;

/// <summary>
/// Copies between one span of floats and many tensors in one native call: the tensors of a model at fixed offsets of
/// a state vector. Non-contiguous tensors, other element types and CUDA tensors are converted on the way. Refers to the
/// tensors itself, so that they outlive their objects; modules that are moved with <c>to</c> keep their handles. One thread at a time.
/// </summary>
public sealed class FlatCopy : IDisposable
{
    private readonly TensorHandle[] _held;
    private readonly nint[] _handles;
    private readonly long[] _offsets;
    private bool _disposed;

    /// <summary>The tensors one after another, without gaps.</summary>
    public FlatCopy(IReadOnlyList<torch.Tensor> tensors) : this(tensors, Packed(tensors)) { }

    /// <param name="offsets">Where each tensor begins, in floats. Gaps are left alone.</param>
    /// <exception cref="ArgumentException">Not one offset per tensor, or a negative one.</exception>
    public FlatCopy(IReadOnlyList<torch.Tensor> tensors, ReadOnlySpan<long> offsets)
    {
        ArgumentNullException.ThrowIfNull(tensors);
        if (offsets.Length != tensors.Count) throw new ArgumentException($"{tensors.Count} tensors need as many offsets, not {offsets.Length}", nameof(offsets));
        _held = new TensorHandle[tensors.Count];
        _handles = new nint[tensors.Count];
        _offsets = offsets.ToArray();
        for (var i = 0; i < _held.Length; i++)
        {
            if (_offsets[i] < 0) throw new ArgumentException($"tensor {i} has the offset {_offsets[i]}: offsets are not negative", nameof(offsets));
            Length = Math.Max(Length, _offsets[i] + tensors[i].NumberOfElements);
        }
        for (var i = 0; i < _held.Length; i++)
        {
            _held[i] = Native.Share(tensors[i]);
            _handles[i] = _held[i].DangerousGetHandle();
        }
    }

    /// <summary>Floats from offset 0 to the end of the last tensor.</summary>
    public long Length { get; }

    /// <summary>Writes every tensor's gradient; zeros where a tensor has none.</summary>
    /// <exception cref="TorchException">The span is too short.</exception>
    public void CopyGradientsTo(Span<float> destination) => Gather(destination, gradients: true);

    /// <summary>Writes every tensor's values.</summary>
    /// <exception cref="TorchException">The span is too short.</exception>
    public void CopyTo(Span<float> destination) => Gather(destination, gradients: false);

    /// <summary>Overwrites every tensor's values, outside of autograd.</summary>
    /// <exception cref="TorchException">The span is too short.</exception>
    public unsafe void CopyFrom(ReadOnlySpan<float> source)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        fixed (nint* handles = _handles)
        fixed (long* offsets = _offsets)
        fixed (float* data = source)
            Native.Check(NativeMethods.ct_flat_scatter(handles, offsets, _handles.Length, data, source.Length));
    }

    /// <summary>Takes every tensor's gradient away, so that the next backward writes new ones instead of adding.</summary>
    public unsafe void ClearGradients()
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        fixed (nint* handles = _handles) Native.Check(NativeMethods.ct_clear_grads(handles, _handles.Length));
    }

    public void Dispose()
    {
        if (_disposed) return;
        _disposed = true;
        foreach (var handle in _held) handle.Dispose();
    }

    private unsafe void Gather(Span<float> destination, bool gradients)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        fixed (nint* handles = _handles)
        fixed (long* offsets = _offsets)
        fixed (float* output = destination)
            Native.Check(NativeMethods.ct_flat_gather(handles, offsets, _handles.Length, gradients ? 1 : 0, output, destination.Length));
    }

    private static long[] Packed(IReadOnlyList<torch.Tensor> tensors)
    {
        ArgumentNullException.ThrowIfNull(tensors);
        var offsets = new long[tensors.Count];
        for (var i = 1; i < offsets.Length; i++) offsets[i] = offsets[i - 1] + tensors[i - 1].NumberOfElements;
        return offsets;
    }
}
