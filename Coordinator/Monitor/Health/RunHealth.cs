using Cluster.Contracts;

namespace Cluster.Coordinator.Monitor.Health;

/// <summary>
/// Health of whoever carries a run. Ready while a term is in force and workers are there: from a step that began to an event
/// that says otherwise. Watcher calls come from the watch thread, everything else from any.
/// </summary>
public sealed class RunHealth : IRunWatcher, IHealth
{
    private readonly Turns _watching;
    private readonly Turns _coordinator;
    private readonly TimeProvider _time;
    private volatile string _notReady = "the run has not begun its first step yet";
    private volatile string? _leaving;
    private volatile Func<Task>? _ask;
    private Task? _asked;
    private DateTimeOffset _lastAsked;

    public RunHealth(TimeProvider time)
    {
        _time = time;
        _watching = new Turns("the thread that watches the run", time.GetUtcNow());
        _coordinator = new Turns("the coordinator", time.GetUtcNow());
    }

    /// <summary>From here on liveness is that of the coordinator too.</summary>
    /// <param name="ask">Returns at once; its task ends when the coordinator has taken a message.</param>
    public void Watch(Func<Task> ask) => _ask = ask;

    /// <summary>The process was asked to stop: it is not ready any more, at once.</summary>
    public void Leaving(string reason) => _leaving = reason;

    /// <summary>A step may be opened and wait for workers at once, so that this ends every state but that.</summary>
    public void Begun(StepId step, DateTimeOffset at)
    {
        if (_notReady != NoWorker) _notReady = "";
    }

    public void Committed(CommittedStep step) => _notReady = "";

    public void Happened(RunEvent happened) => _notReady = After(_notReady, happened.Kind);

    public void Ended(RunEnding ending)
    {
        _ask = null;
        _leaving ??= $"the run has ended: {ending.Reason}";
    }

    private const string NoWorker = "no worker is there";

    /// <summary>Why the run does not go on once an event of this kind has happened; empty = it does.</summary>
    /// <param name="before">Why it did not until now; empty = it did.</param>
    public static string After(string before, string kind) => kind switch
    {
        "term" => "a new term begins",
        "waiting" => NoWorker,
        "worker-joined" when before == NoWorker => "",
        "commit-waits" or "term-waits" or "log-waits" => "the disk is full",
        "commit-goes-on" => "",
        _ => before,
    };

    public void Rested()
    {
        var now = _time.GetUtcNow();
        _watching.Turned(now);
        if (_ask is not { } ask)
        {
            // Nobody to ask yet: the process still starts.
            _coordinator.Turned(now);
            return;
        }
        if (_asked is { IsCompletedSuccessfully: true }) _coordinator.Turned(now);
        if (_asked is { IsCompleted: false } || now - _lastAsked < TimeSpan.FromSeconds(1)) return;
        _lastAsked = now;
        _asked = ask();
    }

    public HealthVerdict Live(DateTimeOffset now) =>
        (_watching.Stall(now) ?? _coordinator.Stall(now)) is { } stall ? new HealthVerdict(false, stall) : new HealthVerdict(true, "the process turns over");

    public HealthVerdict Ready() =>
        (_leaving ?? _notReady) is { Length: > 0 } reason ? new HealthVerdict(false, reason) : new HealthVerdict(true, "a term is in force and workers are there");

    public void Dispose() { }
}
