using TorchSharp.Interop;

namespace TorchSharp;

/// <summary>
/// The root of the binding: TorchSharp's namespaces, types and signatures over the system's libtorch, as far as this
/// project uses them. Code written against it compiles against TorchSharp. https://pytorch.org/docs/stable/torch.html
/// </summary>
public static partial class torch
{
    private static ScalarType s_defaultType = ScalarType.Float32;

    public static ScalarType get_default_dtype() => s_defaultType;

    /// <summary>The element type of new floating point tensors; for the whole process.</summary>
    public static void set_default_dtype(ScalarType dtype) => s_defaultType = dtype;

    /// <summary>Version of libtorch.</summary>
    public static string __version__ => Cluster.Torch.TorchRuntime.Version;

    /// <summary>A scope that disposes the tensors that this thread makes in it. Use with <c>using</c>.</summary>
    public static DisposeScope NewDisposeScope() => new();

    // Ranges, random numbers, joins.
    /// <summary>stop is not reached.</summary>
    public static Tensor arange(Scalar stop, ScalarType? dtype = null, Device? device = null, bool requires_grad = false) =>
        arange(0, stop, 1, dtype ?? stop.Type, device, requires_grad);

    public static Tensor arange(Scalar start, Scalar stop, ScalarType? dtype = null, Device? device = null, bool requires_grad = false) =>
        arange(start, stop, 1, dtype, device, requires_grad);

    public static Tensor arange(Scalar start, Scalar stop, Scalar step, ScalarType? dtype = null, Device? device = null, bool requires_grad = false)
    {
        var integral = start.Value.Kind == 1 && stop.Value.Kind == 1 && step.Value.Kind == 1;
        var options = NativeOptions.Of(dtype ?? (integral ? ScalarType.Int64 : null), device, requires_grad);
        return Native.Wrap(NativeMethods.ct_arange(start.Value, stop.Value, step.Value, options));
    }

    /// <summary>Integers in [0, high), int64.</summary>
    public static Tensor randint(long high, long[] size, ScalarType? dtype = null, Device? device = null, bool requires_grad = false, Generator? generator = null, string[]? names = null) =>
        randint(0, high, size, dtype, device, requires_grad, generator, names);

    public static unsafe Tensor randint(long low, long high, long[] size, ScalarType? dtype = null, Device? device = null, bool requires_grad = false, Generator? generator = null, string[]? names = null)
    {
        RefuseNames(names);
        var options = new NativeOptions(dtype ?? ScalarType.Int64, device, requires_grad);
        fixed (long* sizes = size)
            return Native.Wrap(NativeMethods.ct_randint(low, high, sizes, size.Length, Generator.HandleOf(generator), options));
    }

    /// <summary>0 to n - 1 in random order, int64.</summary>
    public static Tensor randperm(long n, ScalarType? dtype = null, Device? device = null, bool requires_grad = false, Generator? generator = null) =>
        Native.Wrap(NativeMethods.ct_randperm(n, Generator.HandleOf(generator), new NativeOptions(dtype ?? ScalarType.Int64, device, requires_grad)));

    public static unsafe Tensor cat(IList<Tensor> tensors, long dim = 0)
    {
        var handles = Native.Handles(tensors);
        fixed (nint* pointer = handles)
        {
            var result = Native.Wrap(NativeMethods.ct_cat(pointer, handles.Length, dim));
            GC.KeepAlive(tensors);
            return result;
        }
    }

    public static unsafe Tensor stack(IEnumerable<Tensor> tensors, long dim = 0)
    {
        var kept = tensors.ToArray();
        var handles = Native.Handles(kept);
        fixed (nint* pointer = handles)
        {
            var result = Native.Wrap(NativeMethods.ct_stack(pointer, handles.Length, dim));
            GC.KeepAlive(kept);
            return result;
        }
    }

    public static Tensor where(Tensor condition, Tensor x, Tensor y) => Native.Wrap(NativeMethods.ct_where(condition.Owned, x.Owned, y.Owned));
    public static Tensor matmul(Tensor input, Tensor target) => input.matmul(target);
    public static Tensor zeros_like(Tensor input, ScalarType? dtype = null, Device? device = null, bool requires_grad = false, string[]? names = null)
    {
        RefuseNames(names);
        return input.zeros_like(dtype, device, requires_grad);
    }
    public static bool allclose(Tensor tensor, Tensor target, double rtol = 1e-05, double atol = 1e-08, bool equal_nan = false) =>
        tensor.allclose(target, rtol, atol, equal_nan);

    // Threads and modes.
    /// <summary>Intra-op threads of libtorch for the calling thread; see <see cref="Cluster.Torch.TorchRuntime.SetThreads"/>, which sets the BLAS too.</summary>
    public static void set_num_threads(int num) => Native.Check(NativeMethods.ct_set_threads(num, 0));
    public static int get_num_threads() => NativeMethods.ct_get_threads();
    public static void set_num_interop_threads(int num) => Native.Check(NativeMethods.ct_set_interop_threads(num));
    public static int get_num_interop_threads() => NativeMethods.ct_get_interop_threads();

    public static bool is_grad_enabled() => NativeMethods.ct_grad_enabled() != 0;
    /// <summary>No graph is recorded on this thread until the result is disposed.</summary>
    public static IDisposable no_grad() => new GradMode(false);
    public static IDisposable enable_grad(bool enabled = true) => new GradMode(enabled);
    public static IDisposable set_grad_enabled(bool mode = true) => new GradMode(mode);
    /// <summary>Like <see cref="no_grad"/>, and the tensors made can never join a graph. https://pytorch.org/docs/stable/generated/torch.autograd.grad_mode.inference_mode.html</summary>
    public static IDisposable inference_mode(bool mode = true) => new InferenceMode(mode);

    /// <summary>Seeds the default generators of all devices.</summary>
    public static Generator manual_seed(long seed)
    {
        Native.Check(NativeMethods.ct_manual_seed(unchecked((ulong)seed)));
        return Generator.Default;
    }

    /// <summary>Makes operators choose deterministic algorithms, or throw where there is none, until the result is disposed.</summary>
    public static IDisposable use_deterministic_algorithms(bool mode = true, bool warn_only = false) => new DeterministicMode(mode, warn_only);

    private sealed class GradMode : IDisposable
    {
        private readonly int _before = NativeMethods.ct_grad_enabled();
        public GradMode(bool on) => NativeMethods.ct_set_grad_enabled(on ? 1 : 0);
        public void Dispose() => NativeMethods.ct_set_grad_enabled(_before);
    }

    private sealed class InferenceMode(bool on) : IDisposable
    {
        private nint _guard = NativeMethods.ct_inference_mode_enter(on ? 1 : 0);

        public void Dispose()
        {
            NativeMethods.ct_inference_mode_leave(_guard);
            _guard = 0;
        }
    }

    private sealed class DeterministicMode : IDisposable
    {
        private readonly int _before = NativeMethods.ct_is_deterministic();
        public DeterministicMode(bool on, bool warnOnly) => Native.Check(NativeMethods.ct_deterministic(on ? 1 : 0, warnOnly ? 1 : 0));
        public void Dispose() => Native.Check(NativeMethods.ct_deterministic(_before, 0));
    }

    /// <summary>https://pytorch.org/docs/stable/cuda.html</summary>
    public static partial class cuda
    {
        /// <summary>False too when libtorch was built without CUDA.</summary>
        public static bool is_available() => NativeMethods.ct_cuda_is_available() != 0 && device_count() > 0;
        public static int device_count() => NativeMethods.ct_cuda_device_count();
        public static bool is_cudnn_available() => NativeMethods.ct_cudnn_is_available() != 0;
    }

    public static partial class backends
    {
        private static bool Answer(int status)
        {
            Native.Check(status);
            return status != 0;
        }

        public static partial class cuda
        {
            public static partial class matmul
            {
                public static bool allow_tf32
                {
                    get => Answer(NativeMethods.ct_get_tf32_cublas());
                    set => Native.Check(NativeMethods.ct_set_tf32_cublas(value ? 1 : 0));
                }
            }
        }

        public static partial class cudnn
        {
            public static bool allow_tf32
            {
                get => Answer(NativeMethods.ct_get_tf32_cudnn());
                set => Native.Check(NativeMethods.ct_set_tf32_cudnn(value ? 1 : 0));
            }
        }
    }
}
