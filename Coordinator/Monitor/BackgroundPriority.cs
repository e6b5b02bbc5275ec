using System.Runtime.InteropServices;

namespace Cluster.Coordinator.Monitor;

/// <summary>
/// Threads that watch yield to threads that train: under load they take what the others leave, and about a hundredth of
/// a core. .NET's own thread priorities have no effect on Linux; nice values do, per thread (sched(7)).
/// </summary>
public static partial class BackgroundPriority
{
    private const int Process = 0, CallingThread = 0, Nice = 15;

    /// <summary>For the calling thread, until it ends. A system that refuses leaves it as it is.</summary>
    public static void Enter()
    {
        if (OperatingSystem.IsLinux()) _ = SetPriority(Process, CallingThread, Nice);
    }

    [LibraryImport("libc", EntryPoint = "setpriority")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int SetPriority(int which, uint who, int priority);
}
