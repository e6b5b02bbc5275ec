using TorchSharp;
using TorchSharp.Interop;
using TorchSharp.Utils;

namespace Cluster.Torch;

/// <summary>Moves values between managed or native memory and tensors of any layout, on any device.</summary>
public static class TensorMemory
{
    /// <summary>Writes the tensor's elements, in index order; waits for the device.</summary>
    /// <typeparam name="T">The C# type of the tensor's element type.</typeparam>
    /// <exception cref="ArgumentException">T is not the tensor's type.</exception>
    /// <exception cref="TorchException">The span's length is not the number of elements.</exception>
    public static unsafe void CopyTo<T>(torch.Tensor tensor, Span<T> destination) where T : unmanaged
    {
        ElementTypes.Require<T>(tensor.dtype);
        fixed (T* output = destination) Native.Check(NativeMethods.ct_read(tensor.Owned, output, (long)destination.Length * sizeof(T)));
    }

    /// <summary>Overwrites the tensor's elements, in index order, outside of autograd.</summary>
    /// <inheritdoc cref="CopyTo{T}" path="/exception"/>
    public static unsafe void CopyFrom<T>(torch.Tensor tensor, ReadOnlySpan<T> source) where T : unmanaged
    {
        ElementTypes.Require<T>(tensor.dtype);
        fixed (T* data = source) Native.Check(NativeMethods.ct_write(tensor.Owned, data, (long)source.Length * sizeof(T)));
    }

    /// <summary>A new tensor with a copy of the values.</summary>
    /// <param name="device">The CPU if null.</param>
    /// <exception cref="TorchException">The shape's number of elements is not the span's length.</exception>
    public static unsafe torch.Tensor From<T>(ReadOnlySpan<T> values, ReadOnlySpan<long> shape, torch.Device? device = null) where T : unmanaged
    {
        var type = ElementTypes.Of<T>();
        fixed (T* data = values)
        fixed (long* sizes = shape)
        {
            var options = new NativeOptions(type, device, false);
            return Native.Wrap(NativeMethods.ct_from_memory(data, (long)values.Length * sizeof(T), (int)type, sizes, shape.Length, options));
        }
    }

    /// <summary>
    /// Uninitialised CPU memory to fill and then copy to a device: page-locked where there is a CUDA device, so that
    /// <c>copy_(..., nonBlocking: true)</c> does not wait; ordinary memory where there is none.
    /// </summary>
    public static unsafe torch.Tensor AllocateStaging(ReadOnlySpan<long> shape, torch.ScalarType type)
    {
        var options = new NativeOptions(type, null, false);
        fixed (long* sizes = shape)
        {
            return Native.Wrap(torch.cuda.is_available()
                ? NativeMethods.ct_empty_pinned(sizes, shape.Length, options)
                : NativeMethods.ct_empty(sizes, shape.Length, options));
        }
    }
}

/// <summary>Orders of a tensor's dimensions in memory. https://pytorch.org/docs/stable/tensor_attributes.html#torch.memory_format</summary>
public static class MemoryFormats
{
    /// <summary>The same values in N, H, W, C order in memory; the shape stays [N, C, H, W]. A new object.</summary>
    /// <exception cref="TorchException">The tensor has not four dimensions.</exception>
    public static torch.Tensor ContiguousChannelsLast(torch.Tensor tensor) => Native.Wrap(NativeMethods.ct_contiguous_channels_last(tensor.Owned));

    public static bool IsChannelsLast(torch.Tensor tensor) => NativeMethods.ct_is_channels_last(tensor.Owned) != 0;

    /// <summary>Lays the convolution weights of a module out channels-last, in place, as <c>module.to(memory_format=...)</c> does in PyTorch.</summary>
    public static void ToChannelsLast(torch.nn.Module module)
    {
        foreach (var parameter in module.parameters())
        {
            if (parameter.ndim != 4) continue;
            using var detached = parameter.detach();
            using var relaid = ContiguousChannelsLast(detached);
            Native.Check(NativeMethods.ct_set_data(parameter.Owned, relaid.Owned));
        }
    }
}

/// <summary>What TorchSharp cannot do with gradients.</summary>
public static class Gradients
{
    /// <summary>Makes <paramref name="gradient"/> (shared, not copied) the tensor's gradient; null takes it away.</summary>
    /// <exception cref="TorchException">Shape, type or device is not the tensor's.</exception>
    public static void Set(torch.Tensor tensor, torch.Tensor? gradient) =>
        Native.Check(NativeMethods.ct_set_grad(tensor.Owned, gradient is null ? TensorHandle.None : gradient.Owned));

    /// <summary>Takes the gradients away, so that the next backward writes new ones instead of adding.</summary>
    public static unsafe void Clear(IEnumerable<torch.Tensor> tensors)
    {
        torch.Tensor[] kept = [.. tensors];
        var handles = Native.Handles(kept);
        fixed (nint* pointer = handles) Native.Check(NativeMethods.ct_clear_grads(pointer, handles.Length));
        GC.KeepAlive(kept);
    }
}
