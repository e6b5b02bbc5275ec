using System.Runtime.InteropServices;

namespace Cluster.Cli.Hosting.Supervision;

/// <summary>
/// SIGUSR1 = a checkpoint now, as batch systems send it ahead of a preemption. Signals are a matter of the whole process,
/// and so is this. A process that keeps no checkpoints must outlive the signal too: schedulers send it to all at once.
/// </summary>
internal static class CheckpointSignal
{
    private static readonly Lock Gate = new();
    private static Action? _asked;
    private static bool _isWaiting;

    /// <summary>The number of SIGUSR1 on this system.</summary>
    public static int Number => OperatingSystem.IsMacOS() ? 30 : 10;

    /// <summary>First thing in <c>main</c>: from here on the signal does not end the process.</summary>
    /// <returns>Ends it; null where the system has no such signal.</returns>
    public static IDisposable? Begin() => OperatingSystem.IsWindows() ? null : PosixSignalRegistration.Create((PosixSignal)Number, static signal =>
    {
        signal.Cancel = true;
        Raise();
    });

    /// <summary>Who takes the checkpoint, until disposed. A signal that came before is told at once.</summary>
    /// <param name="asked">Returns at once; called on a thread of the signal's.</param>
    public static IDisposable Listen(Action asked)
    {
        bool wasWaiting;
        lock (Gate) (_asked, wasWaiting, _isWaiting) = (asked, _isWaiting, false);
        if (wasWaiting) asked();
        return new Listener(asked);
    }

    /// <summary>The signal has come.</summary>
    internal static void Raise()
    {
        Action? asked;
        lock (Gate)
        {
            asked = _asked;
            _isWaiting = asked is null;
        }
        asked?.Invoke();
    }

    private sealed class Listener(Action asked) : IDisposable
    {
        public void Dispose()
        {
            lock (Gate)
                if (ReferenceEquals(_asked, asked)) _asked = null;
        }
    }
}
