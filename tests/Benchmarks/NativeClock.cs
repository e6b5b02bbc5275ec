using System.Runtime.InteropServices;

namespace Cluster.Benchmarks;

/// <summary>struct timespec of 64-bit Linux.</summary>
[StructLayout(LayoutKind.Sequential)]
internal readonly record struct TimeSpecification(long Seconds, long Nanoseconds);

/// <summary>The C library's clocks.</summary>
internal static partial class NativeClock
{
    [LibraryImport("libc")]
    internal static partial int clock_gettime(int clock, out TimeSpecification time);
}
