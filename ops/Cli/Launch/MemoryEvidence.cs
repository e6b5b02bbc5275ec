using System.Globalization;

namespace Cluster.Cli.Launch;

/// <summary>
/// What the kernel tells about processes that it killed for want of memory: the counter of this control group
/// (memory.events of version 2, memory.oom_control of version 1; Documentation/admin-guide/cgroup-v2.rst, cgroup-v1/memory.rst), else of
/// the whole machine (/proc/vmstat).
/// </summary>
internal static class MemoryEvidence
{
    private const string Counter = "oom_kill", Groups = "/sys/fs/cgroup";

    /// <summary>Processes killed so far; null where nobody counts.</summary>
    public static long? Kills() => FilesOf(Text("/proc/self/cgroup") ?? "").Append("/proc/vmstat").Select(static path => CounterIn(Text(path) ?? "")).FirstOrDefault(static count => count is not null);

    /// <summary>The words behind "was killed by SIGKILL" when nobody here sent it.</summary>
    /// <param name="before">The counter at the last look.</param>
    /// <param name="now">The counter after the death.</param>
    /// <param name="peakBytes">Largest resident size that was seen; 0 = unknown.</param>
    public static string Words(long? before, long? now, long peakBytes)
    {
        var size = peakBytes > 0 ? string.Create(CultureInfo.InvariantCulture, $"; it had {peakBytes / 1_000_000.0:0} MB in memory at most") : "";
        return (before, now) switch
        {
            ({ } then, { } after) when after > then => $"from the kernel's out-of-memory killer (its counter rose from {then} to {after}{size})",
            ({ }, { }) => $"from outside (the kernel's out-of-memory counter did not rise{size})",
            _ => $"from outside, or from the kernel's out-of-memory killer, whose counter cannot be read here{(size.Length > 0 ? $" ({size[2..]})" : "")}",
        };
    }

    /// <summary>Where the counter of this process's control groups may be, the most particular first.</summary>
    /// <param name="groups">/proc/self/cgroup: <c>ID:CONTROLLERS:PATH</c>, or <c>0::PATH</c> in version 2.</param>
    internal static IEnumerable<string> FilesOf(string groups)
    {
        foreach (var line in groups.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            var parts = line.Split(':', 3);
            if (parts.Length < 3) continue;
            if (parts[0] == "0" && parts[1].Length == 0)
            {
                yield return $"{Groups}/{parts[2].Trim('/')}/memory.events";
                yield return $"{Groups}/memory.events";
            }
            else if (parts[1].Split(',').Contains("memory"))
            {
                yield return $"{Groups}/memory/{parts[2].Trim('/')}/memory.oom_control";
                yield return $"{Groups}/memory/memory.oom_control";
            }
        }
    }

    /// <summary>The number behind <c>oom_kill</c> at the beginning of a line.</summary>
    internal static long? CounterIn(string text)
    {
        foreach (var line in text.Split('\n'))
        {
            var parts = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            if (parts is [Counter, var number] && long.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out var count)) return count;
        }
        return null;
    }

    /// <summary>VmHWM of /proc/PID/status in bytes; 0 when the process is no more, or the system has no such file.</summary>
    public static long PeakResidentBytesOf(int process)
    {
        const string Label = "VmHWM:";
        foreach (var line in (Text($"/proc/{process}/status") ?? "").Split('\n'))
        {
            if (!line.StartsWith(Label, StringComparison.Ordinal)) continue;
            return line[Label.Length..].Trim().Split(' ') is [var kilobytes, "kB"] && long.TryParse(kilobytes, NumberStyles.None, CultureInfo.InvariantCulture, out var count) ? count * 1024 : 0;
        }
        return 0;
    }

    private static string? Text(string path)
    {
        try
        {
            return File.Exists(path) ? File.ReadAllText(path) : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
