using System.Globalization;

namespace Cluster.Cli.Bench.Listing;

/// <summary>Resident memory of this process, as Linux counts it (proc_pid_status(5)).</summary>
internal static class ResidentBytes
{
    /// <summary>Forgets the largest size so far, where the system allows it.</summary>
    /// <returns>The size now.</returns>
    public static long ResetPeak()
    {
        try
        {
            File.WriteAllText("/proc/self/clear_refs", "5");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The largest size is then that of the whole process: a figure that is too high, never too low.
        }
        return Read("VmRSS:");
    }

    public static long Now() => Read("VmRSS:");

    public static long Peak() => Read("VmHWM:");

    private static long Read(string name)
    {
        foreach (var line in File.ReadLines("/proc/self/status"))
        {
            if (line.StartsWith(name, StringComparison.Ordinal))
                return 1024 * long.Parse(line.AsSpan(name.Length).Trim().ToString().Split(' ')[0], CultureInfo.InvariantCulture);
        }
        return 0;
    }
}
