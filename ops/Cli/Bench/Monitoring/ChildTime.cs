using System.Runtime.InteropServices;

namespace Cluster.Cli.Bench.Monitoring;

/// <summary>Processor time of the processes that this one started and that have ended, with all their own: getrusage(2), RUSAGE_CHILDREN.</summary>
internal static partial class ChildTime
{
    private const int Children = -1;

    /// <summary>Since the start of this process; user and system. Zero where there is no getrusage.</summary>
    public static TimeSpan Now()
    {
        if (!OperatingSystem.IsLinux()) return TimeSpan.Zero;
        Span<long> usage = stackalloc long[18];     // struct rusage: two timevals of two longs, then fourteen longs
        return GetUsage(Children, usage) == 0
            ? TimeSpan.FromSeconds(usage[0] + usage[2]) + TimeSpan.FromMicroseconds(usage[1] + usage[3])
            : TimeSpan.Zero;
    }

    [LibraryImport("libc", EntryPoint = "getrusage")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int GetUsage(int who, Span<long> usage);
}
