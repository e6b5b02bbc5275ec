using System.Runtime.InteropServices;

namespace TorchSharp.Interop;

/// <summary>The shim's C interface, one declaration per export. Errors: a null handle or -1, then <see cref="ct_last_error"/>. Here: native/tensor.cpp.</summary>
internal static unsafe partial class NativeMethods
{
    [LibraryImport(NativeLibraryLoader.Library)]
    internal static partial nint ct_last_error();
    [LibraryImport(NativeLibraryLoader.Library)]
    internal static partial void ct_tensor_free(nint t);
    [LibraryImport(NativeLibraryLoader.Library)]
    internal static partial TensorHandle ct_alias(TensorHandle t);
    [LibraryImport(NativeLibraryLoader.Library)]
    internal static partial long ct_dim(TensorHandle t);
    [LibraryImport(NativeLibraryLoader.Library)]
    internal static partial long ct_numel(TensorHandle t);
    [LibraryImport(NativeLibraryLoader.Library)]
    internal static partial int ct_dtype(TensorHandle t);
    [LibraryImport(NativeLibraryLoader.Library)]
    internal static partial long ct_element_size(TensorHandle t);
    [LibraryImport(NativeLibraryLoader.Library)]
    internal static partial int ct_device_type(TensorHandle t);
    [LibraryImport(NativeLibraryLoader.Library)]
    internal static partial int ct_device_index(TensorHandle t);
    [LibraryImport(NativeLibraryLoader.Library)]
    internal static partial int ct_is_contiguous(TensorHandle t);
    [LibraryImport(NativeLibraryLoader.Library)]
    internal static partial int ct_is_channels_last(TensorHandle t);
    [LibraryImport(NativeLibraryLoader.Library)]
    internal static partial int ct_is_leaf(TensorHandle t);
    [LibraryImport(NativeLibraryLoader.Library)]
    internal static partial int ct_requires_grad(TensorHandle t);
    [LibraryImport(NativeLibraryLoader.Library)]
    internal static partial long ct_storage_offset(TensorHandle t);
    [LibraryImport(NativeLibraryLoader.Library)]
    internal static partial void ct_sizes(TensorHandle t, long* output);
    [LibraryImport(NativeLibraryLoader.Library)]
    internal static partial void ct_strides(TensorHandle t, long* output);
    [LibraryImport(NativeLibraryLoader.Library)]
    internal static partial nint ct_data_ptr(TensorHandle t);
    [LibraryImport(NativeLibraryLoader.Library)]
    internal static partial int ct_is_pinned(TensorHandle t);
    [LibraryImport(NativeLibraryLoader.Library)]
    internal static partial TensorHandle ct_empty(long* sizes, int count, NativeOptions o);
    [LibraryImport(NativeLibraryLoader.Library)]
    internal static partial TensorHandle ct_empty_pinned(long* sizes, int count, NativeOptions o);
    [LibraryImport(NativeLibraryLoader.Library)]
    internal static partial TensorHandle ct_zeros(long* sizes, int count, NativeOptions o);
    [LibraryImport(NativeLibraryLoader.Library)]
    internal static partial TensorHandle ct_ones(long* sizes, int count, NativeOptions o);
    [LibraryImport(NativeLibraryLoader.Library)]
    internal static partial TensorHandle ct_full(long* sizes, int count, ScalarValue value, NativeOptions o);
    [LibraryImport(NativeLibraryLoader.Library)]
    internal static partial TensorHandle ct_arange(ScalarValue start, ScalarValue end, ScalarValue step, NativeOptions o);
    [LibraryImport(NativeLibraryLoader.Library)]
    internal static partial TensorHandle ct_rand(long* sizes, int count, GeneratorHandle generator, NativeOptions o);
    [LibraryImport(NativeLibraryLoader.Library)]
    internal static partial TensorHandle ct_randn(long* sizes, int count, GeneratorHandle generator, NativeOptions o);
    [LibraryImport(NativeLibraryLoader.Library)]
    internal static partial TensorHandle ct_randint(long low, long high, long* sizes, int count, GeneratorHandle generator, NativeOptions o);
    [LibraryImport(NativeLibraryLoader.Library)]
    internal static partial TensorHandle ct_randperm(long n, GeneratorHandle generator, NativeOptions o);
    [LibraryImport(NativeLibraryLoader.Library)]
    internal static partial TensorHandle ct_from_memory(void* data, long byteCount, int sourceDtype, long* sizes, int count, NativeOptions o);
    [LibraryImport(NativeLibraryLoader.Library)]
    internal static partial TensorHandle ct_to(TensorHandle t, NativeOptions o, int copy);
    [LibraryImport(NativeLibraryLoader.Library)]
    internal static partial TensorHandle ct_clone(TensorHandle t);
    [LibraryImport(NativeLibraryLoader.Library)]
    internal static partial TensorHandle ct_contiguous(TensorHandle t);
    [LibraryImport(NativeLibraryLoader.Library)]
    internal static partial TensorHandle ct_contiguous_channels_last(TensorHandle t);
    [LibraryImport(NativeLibraryLoader.Library)]
    internal static partial TensorHandle ct_pin_memory(TensorHandle t);
    [LibraryImport(NativeLibraryLoader.Library)]
    internal static partial int ct_copy_(TensorHandle t, TensorHandle source, int nonBlocking);
    [LibraryImport(NativeLibraryLoader.Library)]
    internal static partial int ct_item(TensorHandle t, out ScalarValue output);
    [LibraryImport(NativeLibraryLoader.Library)]
    internal static partial int ct_read(TensorHandle t, void* output, long byteCount);
    [LibraryImport(NativeLibraryLoader.Library)]
    internal static partial int ct_write(TensorHandle t, void* data, long byteCount);
    [LibraryImport(NativeLibraryLoader.Library)]
    internal static partial TensorHandle ct_grad(TensorHandle t);
    [LibraryImport(NativeLibraryLoader.Library)]
    internal static partial int ct_set_grad(TensorHandle t, TensorHandle grad);
    [LibraryImport(NativeLibraryLoader.Library)]
    internal static partial int ct_clear_grads(nint* tensors, int count);
    [LibraryImport(NativeLibraryLoader.Library)]
    internal static partial int ct_set_requires_grad(TensorHandle t, int on);
    [LibraryImport(NativeLibraryLoader.Library)]
    internal static partial int ct_set_data(TensorHandle t, TensorHandle other);
    [LibraryImport(NativeLibraryLoader.Library)]
    internal static partial int ct_retain_grad(TensorHandle t);
    [LibraryImport(NativeLibraryLoader.Library)]
    internal static partial TensorHandle ct_detach(TensorHandle t);
    [LibraryImport(NativeLibraryLoader.Library)]
    internal static partial int ct_detach_(TensorHandle t);
    [LibraryImport(NativeLibraryLoader.Library)]
    internal static partial int ct_backward(TensorHandle t, TensorHandle gradient, int retainGraph, int createGraph, nint* inputs, int inputCount);
}
