using System.Runtime.InteropServices;
using TorchSharp.Interop;

namespace Cluster.Torch;

/// <summary>The libtorch of this process: what it is, and the settings on which its bits depend.</summary>
public static class TorchRuntime
{
    private static readonly Lazy<string> s_version = new(static () => Text(Source.Version));
    private static readonly Lazy<string> s_build = new(static () => Text(Source.Build));
    private static readonly Lazy<string> s_blas = new(static () => Text(Source.Blas));

    private enum Source { Version, Build, Blas }

    /// <summary>Tensors (handles) that managed code holds now. Constant from step to step, or something leaks.</summary>
    public static long LiveTensors => Native.LiveTensors;

    /// <summary>Version of libtorch, such as 1.13.1.</summary>
    public static string Version => s_version.Value;

    /// <summary>libtorch's description of its own build: compiler, flags, libraries.</summary>
    public static string BuildConfiguration => s_build.Value;

    /// <summary>The instruction set whose kernels libtorch chose on this CPU (NO AVX, AVX2, AVX512); decides bits. "unknown" if it does not say.</summary>
    public static string CpuCapability
    {
        get
        {
            const string Label = "CPU capability usage:";
            var line = BuildConfiguration.Split('\n').FirstOrDefault(text => text.Contains(Label, StringComparison.Ordinal));
            return line is null ? "unknown" : line[(line.IndexOf(Label, StringComparison.Ordinal) + Label.Length)..].Trim();
        }
    }

    /// <summary>The BLAS that matrix products run on, with its version, threading and core type; decides bits. "unknown" if it does not say.</summary>
    public static string Blas
    {
        get
        {
            if (s_blas.Value.Length > 0) return s_blas.Value.Trim();
            return BuildConfiguration.Contains("MKL", StringComparison.Ordinal) && !BuildConfiguration.Contains("BLAS_INFO=generic", StringComparison.Ordinal) ? "MKL" : "unknown";
        }
    }

    /// <summary>
    /// Threads that libtorch and the BLAS use for work of the calling thread. Call it first on every compute thread: under
    /// OpenMP libtorch's count belongs to the thread. The same count gives the same bits, another count others.
    /// </summary>
    /// <remarks>
    /// OpenBLAS keeps its count per process and adapts it to the calling thread's at each product, so threads with
    /// different counts that compute at the same time may disturb each other: give all threads of a process the same.
    /// </remarks>
    public static void SetThreads(int count)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 1);
        Native.Check(NativeMethods.ct_set_threads(count, 1));
    }

    /// <summary>Threads that the BLAS says it uses; -1 if it does not say.</summary>
    public static int BlasThreads => NativeMethods.ct_get_blas_threads();

    /// <summary>
    /// For the whole process and from now on: deterministic algorithms or an exception where there is none, no TF32, no
    /// cudnn.benchmark. https://pytorch.org/docs/stable/notes/randomness.html
    /// </summary>
    /// <remarks>On CUDA, cuBLAS wants CUBLAS_WORKSPACE_CONFIG=:4096:8 in the environment before its first use; it is set here if it is absent.</remarks>
    public static void Deterministic()
    {
        Native.Check(NativeMethods.ct_deterministic(1, 0));
        Native.Check(NativeMethods.ct_exact_cuda());
    }

    /// <summary>
    /// Keeps the memory of freed CPU tensors in the process for the next step's, instead of giving it back to the system
    /// and taking it again page by page. Call it once, at the start, before compute threads begin. Changes no bit.
    /// </summary>
    /// <returns>False if the C library (not glibc) cannot be told so; nothing is changed then.</returns>
    public static bool KeepFreedMemory() => NativeMethods.ct_keep_freed_memory() == 1;

    private static unsafe string Text(Source source)
    {
        var capacity = 256L;
        while (true)
        {
            var buffer = new byte[capacity];
            long length;
            fixed (byte* output = buffer)
            {
                length = source switch
                {
                    Source.Version => NativeMethods.ct_version(output, capacity),
                    Source.Build => NativeMethods.ct_build_configuration(output, capacity),
                    _ => NativeMethods.ct_blas_configuration(output, capacity),
                };
                if (length < capacity) return Marshal.PtrToStringUTF8((nint)output, (int)length);
            }
            capacity = length + 1;
        }
    }
}
