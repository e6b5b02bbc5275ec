using System.Globalization;
using Cluster.Contracts;

namespace Cluster.Cli.Launch;

/// <summary>
/// The child's half of "children are gone within 2 s of their supervisor's death". On Linux the kernel kills the child with its
/// parent (PR_SET_PDEATHSIG). Two more witnesses cover other systems, and a parent that died before the kernel was asked:
/// the end of standard input, a pipe that only the supervisor holds, and another parent at a poll. Those send SIGTERM, to
/// end in order, and SIGKILL a second later.
/// </summary>
/// <remarks>
/// The parent-death signal is SIGKILL, not SIGTERM with a thread that follows it up. A process that is stopped
/// (<c>--fault stop</c>) takes no SIGTERM, and collections without a pause were measured to keep a managed thread from its
/// turn for more than 2 s. An orderly end would gain nothing: every committed step is in the log, and with all processes of
/// the machine ending at once no further one can be committed.
/// </remarks>
public static class ParentWatch
{
    /// <summary>Names the supervisor's process to its children. Absent: a process started by hand, which nobody watches.</summary>
    public const string ParentVariable = "CLUSTER_SUPERVISOR_PID";

    /// <summary>
    /// Call first thing in <c>main</c> of a process that a supervisor may start. Takes standard input for itself, and leaves the
    /// terminal's process group, so that Ctrl-C reaches the supervisor alone, which stops its children in order.
    /// </summary>
    /// <returns>Whether a supervisor started this process.</returns>
    public static bool Begin()
    {
        if (Environment.GetEnvironmentVariable(ParentVariable) == Hosts.RemoteInput.Word)
        {
            Environment.SetEnvironmentVariable(ParentVariable, null);
            Hosts.RemoteInput.Begin();
            return true;
        }
        if (!int.TryParse(Environment.GetEnvironmentVariable(ParentVariable), NumberStyles.None, CultureInfo.InvariantCulture, out var parent)) return false;

        // What this process starts itself has another parent.
        Environment.SetEnvironmentVariable(ParentVariable, null);
        Signals.LeaveGroup();
        Signals.DieWithParent();

        // A thread of its own: neither native compute nor a full thread pool delays it. It asks for the parent before it first
        // waits: for a supervisor that died before the request above the kernel sends nothing.
        new Thread(() => Watch(parent), maxStackSize: 128 * 1024) { IsBackground = true, Name = "parent watch" }.Start();
        return true;
    }

    private static void Watch(int parent)
    {
        var patience = TimeSpan.FromMilliseconds(Limits.ParentPollMilliseconds);
        while (Signals.Parent == parent && !Signals.InputEnds(patience)) { }
        Signals.Send(Environment.ProcessId, ChildSignal.Terminate);
        Thread.Sleep(Limits.OrphanGraceMilliseconds);
        Signals.Send(Environment.ProcessId, ChildSignal.Kill);
    }
}
