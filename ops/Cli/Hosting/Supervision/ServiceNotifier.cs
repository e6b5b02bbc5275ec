using Cluster.Coordinator.Monitor.Health;

namespace Cluster.Cli.Hosting.Supervision;

/// <summary>
/// Tells the service manager that started this process (systemd with <c>Type=notify</c>) how it is, from a thread of its own:
/// neither native compute nor a full thread pool keeps a healthy process from saying so. <see cref="ServiceNotices"/> decides what.
/// </summary>
internal sealed class ServiceNotifier : IDisposable
{
    private static readonly TimeSpan LongestPause = TimeSpan.FromMilliseconds(500);

    private readonly NotifySocket _socket;
    private readonly TimeSpan? _beatEvery;
    private readonly TimeProvider _time;
    private readonly long _started;
    private readonly ManualResetEventSlim _over = new();
    private readonly Lock _telling = new();
    private readonly Thread _thread;
    private ServiceState _state = ServiceState.Nothing;
    private volatile IHealth? _health;
    private volatile Func<bool>? _isIn;
    private volatile string? _doing;
    private volatile string? _stopping;

    private ServiceNotifier(NotifySocket socket, TimeSpan? beatEvery, TimeProvider time)
    {
        (_socket, _beatEvery, _time, _started) = (socket, beatEvery, time, time.GetTimestamp());
        _thread = new Thread(Run) { Name = "service", IsBackground = true };
        _thread.Start();
    }

    /// <returns>Null when no service manager wants to know, as is usual. The variables are taken: what this process starts itself is not the service.</returns>
    public static ServiceNotifier? FromEnvironment(TimeProvider time)
    {
        var socket = NotifySocket.Open(Taken(NotifySocket.Variable));
        var beat = ServiceNotices.BeatEvery(Taken("WATCHDOG_USEC"), Taken("WATCHDOG_PID"), Environment.ProcessId);
        return socket is null ? null : new ServiceNotifier(socket, beat, time);

        static string? Taken(string variable)
        {
            var value = Environment.GetEnvironmentVariable(variable);
            Environment.SetEnvironmentVariable(variable, null);
            return value;
        }
    }

    /// <summary>From here on the process is as well as this says.</summary>
    /// <param name="isIn">Whether it is in the run; null = when it is ready.</param>
    public void Watch(IHealth health, Func<bool>? isIn = null)
    {
        _isIn = isIn ?? (() => health.Ready().IsGood);
        _health = health;
        Tell();
    }

    /// <summary>What a ready process does just now: a sentence, shown until the next.</summary>
    public void Doing(string sentence) => _doing = sentence;

    /// <summary>A planned end begins.</summary>
    public void Stopping(string reason)
    {
        _stopping = reason;
        Tell();
    }

    /// <summary>The process ends in order. One that had nothing to do was as ready as it could be: else its manager takes the end for a failure.</summary>
    public void Done()
    {
        _isIn = static () => true;
        _stopping ??= "it is done";
        Tell();
    }

    private void Run()
    {
        var pause = _beatEvery is { } beat && beat < LongestPause ? beat : LongestPause;
        do Tell();
        while (!_over.Wait(pause));
    }

    private void Tell()
    {
        lock (_telling)
        {
            var (next, message) = ServiceNotices.Advance(_state, Look(), _beatEvery);
            // What was not taken is told again.
            if (message.Length == 0 || _socket.Send(message)) _state = next;
        }
    }

    private ServiceLook Look()
    {
        var now = _time.GetElapsedTime(_started);
        if (_health is not { } health) return new ServiceLook(true, _isIn?.Invoke() ?? false, _stopping is not null, _stopping ?? "the process starts", now);
        var (live, ready) = (health.Live(_time.GetUtcNow()), health.Ready());
        var status = _stopping ?? (!live.IsGood ? live.Reason : ready.IsGood ? _doing ?? ready.Reason : ready.Reason);
        return new ServiceLook(live.IsGood, _isIn!(), _stopping is not null, status, now);
    }

    public void Dispose()
    {
        _stopping ??= "it ends";
        Tell();
        _over.Set();
        _thread.Join();
        _over.Dispose();
        _socket.Dispose();
    }
}
