using System.Runtime.InteropServices;

namespace TorchSharp.Interop;

// native/layers.cpp
internal static unsafe partial class NativeMethods
{
    [LibraryImport(NativeLibraryLoader.Library)]
    internal static partial TensorHandle ct_conv2d(TensorHandle input, TensorHandle weight, TensorHandle bias, long* stride, long* padding, long* dilation, long groups);
    [LibraryImport(NativeLibraryLoader.Library)]
    internal static partial TensorHandle ct_conv2d_same(TensorHandle input, TensorHandle weight, TensorHandle bias, long* stride, long* dilation, long groups);
    [LibraryImport(NativeLibraryLoader.Library)]
    internal static partial TensorHandle ct_linear(TensorHandle input, TensorHandle weight, TensorHandle bias);
    [LibraryImport(NativeLibraryLoader.Library)]
    internal static partial TensorHandle ct_batch_norm(TensorHandle input, TensorHandle weight, TensorHandle bias, TensorHandle runningMean, TensorHandle runningVar, int training, double momentum, double eps);
    [LibraryImport(NativeLibraryLoader.Library)]
    internal static partial TensorHandle ct_max_pool2d(TensorHandle input, long* kernel, long* stride, long* padding, long* dilation, int ceilMode);
    [LibraryImport(NativeLibraryLoader.Library)]
    internal static partial TensorHandle ct_max_pool2d_with_indices(TensorHandle input, long* kernel, long* stride, long* padding, long* dilation, int ceilMode, out nint indices);
    [LibraryImport(NativeLibraryLoader.Library)]
    internal static partial TensorHandle ct_avg_pool2d(TensorHandle input, long* kernel, long* stride, long* padding, int ceilMode, int countIncludePad, long divisor);
    [LibraryImport(NativeLibraryLoader.Library)]
    internal static partial TensorHandle ct_adaptive_avg_pool2d(TensorHandle input, long* size);
    [LibraryImport(NativeLibraryLoader.Library)]
    internal static partial TensorHandle ct_adaptive_max_pool2d(TensorHandle input, long* size);
    [LibraryImport(NativeLibraryLoader.Library)]
    internal static partial TensorHandle ct_pad(TensorHandle input, long* amounts, int count, int mode, double value);
    [LibraryImport(NativeLibraryLoader.Library)]
    internal static partial TensorHandle ct_dropout(TensorHandle input, double p, int training);
    [LibraryImport(NativeLibraryLoader.Library)]
    internal static partial int ct_dropout_(TensorHandle input, double p, int training);
    [LibraryImport(NativeLibraryLoader.Library)]
    internal static partial TensorHandle ct_cross_entropy(TensorHandle input, TensorHandle target, TensorHandle weight, long ignoreIndex, long reduction, double labelSmoothing);
    [LibraryImport(NativeLibraryLoader.Library)]
    internal static partial TensorHandle ct_nll_loss(TensorHandle input, TensorHandle target, TensorHandle weight, long reduction);
    [LibraryImport(NativeLibraryLoader.Library)]
    internal static partial TensorHandle ct_local_response_norm(TensorHandle input, long size, double alpha, double beta, double k);
}
