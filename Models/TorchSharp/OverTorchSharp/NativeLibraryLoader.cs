using Cluster.Torch;

namespace TorchSharp.Interop;

// TorchSharp's native half and the shim pass tensors to each other: both must run on one libtorch, or memory breaks.
internal static partial class NativeLibraryLoader
{
    private const string MemoryMap = "/proc/self/maps";

    // First, so that a libtorch that its package brings is the one in the process.
    static partial void LoadTorchSharp() => torch.InitializeDeviceType(DeviceType.CPU);

    /// <exception cref="LibtorchNotFoundException">There are two.</exception>
    static partial void RequireOneLibtorch()
    {
        if (!File.Exists(MemoryMap)) return;
        string[] loaded = [.. LibtorchsIn(File.ReadLines(MemoryMap))];
        if (loaded.Length > 1)
            throw new LibtorchNotFoundException($"TorchSharp and libcluster_torch.so run on two libtorchs, {string.Join(" and ", loaded)}: build again with Torch_DIR set to the folder of TorchConfig.cmake of the one that TorchSharp uses");
    }

    /// <summary>Files of libtorch's kernels, each once, in lines of a process's memory map.</summary>
    internal static IEnumerable<string> LibtorchsIn(IEnumerable<string> lines) =>
        lines.Select(static line => line.IndexOf('/', StringComparison.Ordinal) is var start and >= 0 ? line[start..] : "")
            .Where(static path => Path.GetFileName(path).StartsWith("libtorch_cpu.so", StringComparison.Ordinal))
            .Distinct(StringComparer.Ordinal);
}
