namespace Cluster.Coordinator.Monitor;

/// <summary>
/// Carries what happens in a run to its watchers, on one thread of its own: whoever tells something pays for a
/// queue entry. A watcher that throws is taken out, said once, and the run goes on. Post and Drop from any thread.
/// </summary>
public sealed class WatchThread : IDisposable
{
    /// <summary>How late a watcher may hear of something: one wake-up for all that gathered meanwhile.</summary>
    private const int PauseMilliseconds = 50;

    /// <summary>Calls that wait: ten seconds of a thousand steps a second with six calls each. Behind that, what may be dropped is dropped.</summary>
    private const int MaxWaiting = 65_536;

    private readonly Lock _lock = new();
    private IRunWatcher[] _watchers;
    private readonly Action<string> _say;
    private readonly Thread _thread;
    private readonly ManualResetEventSlim _over = new();
    private List<Action<IRunWatcher>> _waiting = [];
    private List<Action<IRunWatcher>> _spare = [];
    private bool _isClosed;
    private long _dropped;

    /// <param name="watchers">Owned from here on; told in this order.</param>
    /// <param name="say">For a person; any thread.</param>
    public WatchThread(IEnumerable<IRunWatcher> watchers, Action<string> say)
    {
        _watchers = [.. watchers];
        _say = say;
        _thread = new Thread(Run) { Name = "watchers", IsBackground = true };
        _thread.Start();
    }

    /// <summary>Calls that were thrown away because the watchers did not keep up.</summary>
    public long Dropped => Interlocked.Read(ref _dropped);

    /// <summary>Tells every watcher, soon. Returns at once.</summary>
    /// <param name="mayBeDropped">True for what a watcher can do without when it cannot keep up.</param>
    public void Post(Action<IRunWatcher> call, bool mayBeDropped = false)
    {
        lock (_lock)
        {
            if (_isClosed) return;
            if (mayBeDropped && _waiting.Count >= MaxWaiting)
            {
                _dropped++;
                return;
            }
            _waiting.Add(call);
        }
    }

    private void Run()
    {
        while (!_over.Wait(PauseMilliseconds)) Deliver();
        Deliver();
        foreach (var watcher in _watchers) Tell(watcher, static w => w.Dispose());
    }

    private void Deliver()
    {
        lock (_lock) (_waiting, _spare) = (_spare, _waiting);
        foreach (var call in _spare)
            foreach (var watcher in _watchers) Tell(watcher, call);
        _spare.Clear();
        foreach (var watcher in _watchers) Tell(watcher, static w => w.Rested());
    }

    private void Tell(IRunWatcher watcher, Action<IRunWatcher> call)
    {
        try
        {
            call(watcher);
        }
        catch (Exception e)
        {
            // Whatever it is: training goes on without it.
            _watchers = [.. _watchers.Where(w => w != watcher)];
            _say($"{watcher.GetType().Name} gave up watching the run: {e.Message.ReplaceLineEndings(" ")}");
        }
    }

    /// <summary>Delivers what was posted, disposes the watchers, and returns when that is done.</summary>
    public void Dispose()
    {
        lock (_lock)
        {
            if (_isClosed) return;
            _isClosed = true;
        }
        _over.Set();
        _thread.Join();
        _over.Dispose();
    }
}
