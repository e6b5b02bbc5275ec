using System.Diagnostics;

namespace Cluster.Checkpoints.Tests;

/// <summary>This executable again, as a process that writes checkpoints (see <see cref="Program"/>).</summary>
internal static class WriterProcess
{
    /// <summary>Exit code of a process that SIGKILL ended.</summary>
    public const int Killed = 128 + 9;

    public static Process Start(params IReadOnlyList<string> arguments) => Launch(Environment.ProcessPath!, arguments);

    public static (int ExitCode, string Output) Run(params IReadOnlyList<string> arguments) => Finish(Start(arguments));

    /// <summary>A shell script in a mount namespace of its own, so that what it mounts goes with it. $0 is this executable.</summary>
    public static (int ExitCode, string Output) RunIsolated(string script, string folder) =>
        Finish(Launch("unshare", ["--mount", "sh", "-euc", script, Environment.ProcessPath!, folder]));

    public static bool CanMount(string folder) =>
        OperatingSystem.IsLinux() && Environment.IsPrivilegedProcess && RunIsolated("mount -t tmpfs -o size=64k tmpfs \"$1\"", folder).ExitCode == 0;

    private static Process Launch(string program, IReadOnlyList<string> arguments) =>
        Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardInput = true, RedirectStandardOutput = true, UseShellExecute = false })!;

    private static (int ExitCode, string Output) Finish(Process process)
    {
        using (process)
        {
            var output = process.StandardOutput.ReadToEnd();
            process.WaitForExit();
            return (process.ExitCode, output);
        }
    }
}
