using System.Globalization;
using System.Runtime.InteropServices;

namespace Cluster.Chaos;

/// <summary>Signals and the life of processes that are not ours.</summary>
internal static partial class Posix
{
    private const int TerminateSignal = 15, NoSignal = 0;

    /// <summary>SIGTERM.</summary>
    public static void Terminate(int process) => _ = Kill(process, TerminateSignal);

    /// <summary>SIGKILL.</summary>
    public static void KillNow(int process) => _ = Kill(process, 9);

    /// <summary>Whether a process with this number runs. One that is dead and that nobody has reaped yet does not.</summary>
    public static bool IsAlive(int process)
    {
        if (Kill(process, NoSignal) != 0) return false;
        try
        {
            // pid (name) state …; the name may hold anything, so the state stands behind its last bracket.
            var stat = File.ReadAllText(string.Create(CultureInfo.InvariantCulture, $"/proc/{process}/stat"));
            return stat[stat.LastIndexOf(')') + 2] is not ('Z' or 'X');
        }
        catch (IOException)
        {
            // No /proc on this system, or the process has ended just now.
            return !OperatingSystem.IsLinux() && Kill(process, NoSignal) == 0;
        }
    }

    /// <summary>Processes that this one has started; null where the system does not tell (no /proc).</summary>
    public static List<int>? ChildrenOf(int parent)
    {
        if (!OperatingSystem.IsLinux()) return null;
        var children = new List<int>();
        foreach (var folder in Directory.EnumerateDirectories("/proc"))
        {
            if (!int.TryParse(Path.GetFileName(folder), NumberStyles.None, CultureInfo.InvariantCulture, out var process)) continue;
            try
            {
                // pid (name) state parent …
                var stat = File.ReadAllText(Path.Combine(folder, "stat"));
                if (stat[(stat.LastIndexOf(')') + 2)..].Split(' ')[1] == parent.ToString(CultureInfo.InvariantCulture)) children.Add(process);
            }
            catch (IOException)
            {
                // It has ended meanwhile.
            }
        }
        return children;
    }

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int Kill(int process, int signal);
}
