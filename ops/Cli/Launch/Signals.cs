using System.Runtime.InteropServices;

namespace Cluster.Cli.Launch;

/// <summary>The few calls of POSIX that .NET does not offer.</summary>
internal static partial class Signals
{
    private const int WaitForPid = 1, WaitStopped = 2, WaitLeave = 0x0100_0000, SetParentDeathSignal = 1;

    /// <summary>siginfo_t is 128 bytes on every Linux; macOS needs less.</summary>
    private const int SignalInfoBytes = 128;

    private static bool IsMac => OperatingSystem.IsMacOS();

    /// <summary>The number of a signal on this system.</summary>
    public static int NumberOf(ChildSignal signal) => signal switch
    {
        ChildSignal.Terminate => 15,
        ChildSignal.Kill => 9,
        ChildSignal.HangUp => 1,
        ChildSignal.Stop => IsMac ? 17 : 19,
        ChildSignal.Continue => IsMac ? 19 : 18,
        ChildSignal.Checkpoint => Hosting.Supervision.CheckpointSignal.Number,
        _ => throw new ArgumentOutOfRangeException(nameof(signal)),
    };

    /// <returns>False when there is no such process, or it is not ours.</returns>
    public static bool Send(int process, ChildSignal signal) => Kill(process, NumberOf(signal)) == 0;

    /// <summary>Whether the number belongs to a process, be it alive or not yet reaped.</summary>
    public static bool Exists(int process) => Kill(process, 0) == 0;

    /// <summary>Blocks until a child of ours is stopped, or is no more. Does not reap.</summary>
    /// <returns>Whether it is stopped.</returns>
    public static unsafe bool WaitUntilStopped(int process)
    {
        var info = stackalloc byte[SignalInfoBytes];
        const int Interrupted = 4;
        int result;
        while ((result = WaitId(WaitForPid, process, info, WaitStopped | (IsMac ? 0x20 : WaitLeave))) != 0 && Marshal.GetLastPInvokeError() == Interrupted) { }
        return result == 0;
    }

    /// <summary>Asks the kernel for SIGKILL when the thread that started this process ends. Linux alone has it; elsewhere nothing happens.</summary>
    public static void DieWithParent()
    {
        if (OperatingSystem.IsLinux()) _ = ProcessControl(SetParentDeathSignal, (nuint)NumberOf(ChildSignal.Kill), 0, 0, 0);
    }

    public static int Parent => GetParent();

    /// <summary>Makes this process the first of a group of its own: what a terminal sends to the group of its supervisor passes it by.</summary>
    public static void LeaveGroup() => _ = SetGroup(0, 0);

    /// <summary>Waits for the other end of standard input to close.</summary>
    /// <returns>True when it is closed; false when the time is over.</returns>
    public static unsafe bool InputEnds(TimeSpan patience)
    {
        const short Readable = 1;
        var poll = new PollFile { File = 0, Events = Readable };
        if (Poll(&poll, 1, (int)patience.TotalMilliseconds) <= 0) return false;
        var buffer = stackalloc byte[256];
        var count = Read(0, buffer, 256);

        // No standard input at all tells nothing, at once: no reason to ask again without a pause.
        if (count < 0) Thread.Sleep(patience);
        return count == 0;
    }

    /// <summary>Reads what is on standard input.</summary>
    /// <returns>Bytes; 0 = it has ended; -1 = nothing came in this time.</returns>
    public static unsafe int ReadInput(Span<byte> to, TimeSpan patience)
    {
        const short Readable = 1;
        var poll = new PollFile { File = 0, Events = Readable };
        int found;
        // A signal is no silence.
        while ((found = Poll(&poll, 1, (int)patience.TotalMilliseconds)) < 0) { }
        if (found == 0) return -1;
        fixed (byte* first = to) return (int)Math.Max(0, Read(0, first, (nuint)to.Length));
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct PollFile
    {
        public int File;
        public short Events;
        public short Found;
    }

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    private static partial int Kill(int process, int signal);

    [LibraryImport("libc", EntryPoint = "waitid", SetLastError = true)]
    private static unsafe partial int WaitId(int kind, int id, byte* info, int options);

    [LibraryImport("libc", EntryPoint = "prctl", SetLastError = true)]
    private static partial int ProcessControl(int option, nuint a, nuint b, nuint c, nuint d);

    [LibraryImport("libc", EntryPoint = "getppid")]
    private static partial int GetParent();

    [LibraryImport("libc", EntryPoint = "setpgid", SetLastError = true)]
    private static partial int SetGroup(int process, int group);

    [LibraryImport("libc", EntryPoint = "poll", SetLastError = true)]
    private static unsafe partial int Poll(PollFile* files, nuint count, int milliseconds);

    [LibraryImport("libc", EntryPoint = "read", SetLastError = true)]
    private static unsafe partial nint Read(int file, byte* buffer, nuint count);
}
