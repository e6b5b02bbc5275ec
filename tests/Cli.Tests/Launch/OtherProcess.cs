using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Cluster.Cli.Tests.Launch;

/// <summary>A process that is not a child of this one, watched through a descriptor of it (pidfd): its number cannot become another's meanwhile.</summary>
internal sealed unsafe partial class OtherProcess : IDisposable
{
    private const nint OpenCall = 434, SendCall = 424;

    private readonly int _descriptor;

    public OtherProcess(int process)
    {
        Id = process;
        _descriptor = (int)Call(OpenCall, process, 0);
        if (_descriptor < 0) throw new InvalidOperationException($"process {process} cannot be opened: error {Marshal.GetLastPInvokeError()}");
    }

    public int Id { get; }

    /// <summary>Blocks until it is dead (though perhaps not reaped by whoever has inherited it).</summary>
    /// <returns>Whether it died within the time.</returns>
    public bool DiesWithin(TimeSpan time)
    {
        var clock = Stopwatch.StartNew();
        while (clock.Elapsed < time)
        {
            var poll = new PollFile { File = _descriptor, Events = 1 };
            if (Poll(&poll, 1, (int)Math.Ceiling((time - clock.Elapsed).TotalMilliseconds)) > 0) return true;
        }
        return false;
    }

    /// <summary>Sends a signal by number (pidfd_send_signal): to this process or to none.</summary>
    public void Send(int signal)
    {
        if (SendThrough(SendCall, _descriptor, signal, 0, 0) != 0) throw new InvalidOperationException($"signal {signal} to process {Id}: error {Marshal.GetLastPInvokeError()}");
    }

    /// <summary>Kills it if it still lives.</summary>
    public void Kill() => _ = SendThrough(SendCall, _descriptor, 9, 0, 0);

    /// <summary>The letter of its state in /proc: R, S, T (stopped), Z, …</summary>
    public static char StateOf(int process)
    {
        var text = File.ReadAllText($"/proc/{process}/stat");
        return text[text.LastIndexOf(')') + 2];
    }

    public void Dispose() => _ = Close(_descriptor);

    [StructLayout(LayoutKind.Sequential)]
    private struct PollFile
    {
        public int File;
        public short Events;
        public short Found;
    }

    [LibraryImport("libc", EntryPoint = "syscall", SetLastError = true)]
    private static partial nint Call(nint number, nint process, nint flags);

    [LibraryImport("libc", EntryPoint = "syscall", SetLastError = true)]
    private static partial nint SendThrough(nint number, nint descriptor, nint signal, nint info, nint flags);

    [LibraryImport("libc", EntryPoint = "poll", SetLastError = true)]
    private static partial int Poll(PollFile* files, nuint count, int milliseconds);

    [LibraryImport("libc", EntryPoint = "close")]
    private static partial int Close(int file);
}
