using System.Runtime.InteropServices;
using Cluster.Contracts;

namespace Cluster.Cli.Nodes;

/// <summary>
/// Memory and utilisation of this machine's NVIDIA GPUs, from the driver's own library.
/// https://docs.nvidia.com/deploy/nvml-api/ One thread at a time.
/// </summary>
internal sealed unsafe class Nvml
{
    private const int Success = 0;

    [StructLayout(LayoutKind.Sequential)]
    private struct MemoryInfo
    {
        public ulong Total, Free, Used;
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct UtilizationInfo
    {
        public uint Gpu, Memory;
    }

    private readonly delegate* unmanaged<nint, MemoryInfo*, int> _memory;
    private readonly delegate* unmanaged<nint, UtilizationInfo*, int> _utilization;
    private readonly List<nint> _devices = [];

    private Nvml(nint library)
    {
        var start = (delegate* unmanaged<int>)NativeLibrary.GetExport(library, "nvmlInit_v2");
        var count = (delegate* unmanaged<uint*, int>)NativeLibrary.GetExport(library, "nvmlDeviceGetCount_v2");
        var device = (delegate* unmanaged<uint, nint*, int>)NativeLibrary.GetExport(library, "nvmlDeviceGetHandleByIndex_v2");
        _memory = (delegate* unmanaged<nint, MemoryInfo*, int>)NativeLibrary.GetExport(library, "nvmlDeviceGetMemoryInfo");
        _utilization = (delegate* unmanaged<nint, UtilizationInfo*, int>)NativeLibrary.GetExport(library, "nvmlDeviceGetUtilizationRates");
        uint devices = 0;
        if (start() != Success || count(&devices) != Success) return;
        for (uint i = 0; i < devices; i++)
        {
            nint handle;
            if (device(i, &handle) == Success) _devices.Add(handle);
        }
    }

    /// <summary>For the rest of the process; null where there is no such library, or no GPU.</summary>
    public static Nvml? Open()
    {
        if (!NativeLibrary.TryLoad("libnvidia-ml.so.1", out var library)) return null;
        try
        {
            var nvml = new Nvml(library);
            return nvml._devices.Count > 0 ? nvml : null;
        }
        catch (EntryPointNotFoundException)
        {
            return null;    // a driver from before 2012
        }
    }

    /// <summary>What the driver says now; a GPU that does not answer is left out.</summary>
    public IReadOnlyList<GpuFigures> Read()
    {
        var figures = new List<GpuFigures>(_devices.Count);
        for (var i = 0; i < _devices.Count; i++)
        {
            MemoryInfo memory;
            UtilizationInfo utilization;
            if (_memory(_devices[i], &memory) == Success && _utilization(_devices[i], &utilization) == Success)
                figures.Add(new GpuFigures($"{i}", (long)memory.Used, (long)memory.Total, utilization.Gpu / 100.0));
        }
        return figures;
    }
}
