using System.Runtime.InteropServices;

namespace TorchSharp.Interop;

// native/runtime.cpp
internal static unsafe partial class NativeMethods
{
    [LibraryImport(NativeLibraryLoader.Library)]
    internal static partial int ct_set_threads(int count, int withBlas);
    [LibraryImport(NativeLibraryLoader.Library)]
    internal static partial int ct_get_threads();
    [LibraryImport(NativeLibraryLoader.Library)]
    internal static partial int ct_get_blas_threads();
    [LibraryImport(NativeLibraryLoader.Library)]
    internal static partial int ct_set_interop_threads(int count);
    [LibraryImport(NativeLibraryLoader.Library)]
    internal static partial int ct_get_interop_threads();
    [LibraryImport(NativeLibraryLoader.Library)]
    internal static partial int ct_keep_freed_memory();
    [LibraryImport(NativeLibraryLoader.Library)]
    internal static partial int ct_grad_enabled();
    [LibraryImport(NativeLibraryLoader.Library)]
    internal static partial void ct_set_grad_enabled(int on);
    [LibraryImport(NativeLibraryLoader.Library)]
    internal static partial nint ct_inference_mode_enter(int on);
    [LibraryImport(NativeLibraryLoader.Library)]
    internal static partial void ct_inference_mode_leave(nint mode);
    [LibraryImport(NativeLibraryLoader.Library)]
    internal static partial int ct_deterministic(int on, int warnOnly);
    [LibraryImport(NativeLibraryLoader.Library)]
    internal static partial int ct_is_deterministic();
    [LibraryImport(NativeLibraryLoader.Library)]
    internal static partial int ct_exact_cuda();
    [LibraryImport(NativeLibraryLoader.Library)]
    internal static partial int ct_get_tf32_cublas();
    [LibraryImport(NativeLibraryLoader.Library)]
    internal static partial int ct_set_tf32_cublas(int on);
    [LibraryImport(NativeLibraryLoader.Library)]
    internal static partial int ct_get_tf32_cudnn();
    [LibraryImport(NativeLibraryLoader.Library)]
    internal static partial int ct_set_tf32_cudnn(int on);
    [LibraryImport(NativeLibraryLoader.Library)]
    internal static partial int ct_cuda_is_available();
    [LibraryImport(NativeLibraryLoader.Library)]
    internal static partial int ct_cuda_device_count();
    [LibraryImport(NativeLibraryLoader.Library)]
    internal static partial int ct_cudnn_is_available();
    [LibraryImport(NativeLibraryLoader.Library)]
    internal static partial long ct_version(byte* output, long capacity);
    [LibraryImport(NativeLibraryLoader.Library)]
    internal static partial long ct_build_configuration(byte* output, long capacity);
    [LibraryImport(NativeLibraryLoader.Library)]
    internal static partial long ct_blas_configuration(byte* output, long capacity);
    [LibraryImport(NativeLibraryLoader.Library)]
    internal static partial int ct_manual_seed(ulong seed);
    [LibraryImport(NativeLibraryLoader.Library)]
    internal static partial GeneratorHandle ct_generator_new(ulong seed, int deviceType, int deviceIndex);
    [LibraryImport(NativeLibraryLoader.Library)]
    internal static partial GeneratorHandle ct_generator_default();
    [LibraryImport(NativeLibraryLoader.Library)]
    internal static partial void ct_generator_free(nint generator);
    [LibraryImport(NativeLibraryLoader.Library)]
    internal static partial int ct_generator_set_seed(GeneratorHandle generator, ulong seed);
    [LibraryImport(NativeLibraryLoader.Library)]
    internal static partial ulong ct_generator_seed(GeneratorHandle generator);
    [LibraryImport(NativeLibraryLoader.Library)]
    internal static partial TensorHandle ct_generator_state(GeneratorHandle generator);
    [LibraryImport(NativeLibraryLoader.Library)]
    internal static partial int ct_generator_set_state(GeneratorHandle generator, TensorHandle state);
    [LibraryImport(NativeLibraryLoader.Library)]
    internal static partial int ct_flat_gather(nint* tensors, long* offsets, int count, int gradients, float* output, long length);
    [LibraryImport(NativeLibraryLoader.Library)]
    internal static partial int ct_flat_scatter(nint* tensors, long* offsets, int count, float* data, long length);
}
