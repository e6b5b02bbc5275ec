using System.Collections.Concurrent;
using Cluster.Cli.Launch;
using Cluster.Contracts;

namespace Cluster.Cli.Bench.Hosts;

/// <summary>
/// What starts the processes of one host, and starts again what fails, as systemd would. It can lose power: all its processes are
/// killed at once. One thread starts them all and lives as long as they do, since the kernel's parent-death signal is about the
/// thread. All methods: any thread.
/// </summary>
internal sealed class HostAgent : IDisposable
{
    private static readonly TimeSpan RestartPause = TimeSpan.FromMilliseconds(200);

    private readonly IReadOnlyList<ChildSpec> _specs;
    private readonly ISupervisorObserver _observer;
    private readonly Action<string, ChildEnd, string> _ended;
    private readonly BlockingCollection<Action> _orders = [];
    private readonly Dictionary<string, ChildProcess> _living = new(StringComparer.Ordinal);
    private readonly Thread _thread;
    private int _lives;
    private bool _isUp;

    /// <param name="specs">Its processes.</param>
    /// <param name="observer">Hears their lines.</param>
    /// <param name="ended">Told of each process that ended by itself: name, how, its last line. On the agent's thread.</param>
    public HostAgent(IReadOnlyList<ChildSpec> specs, ISupervisorObserver observer, Action<string, ChildEnd, string> ended)
    {
        (_specs, _observer, _ended) = (specs, observer, ended);
        _thread = new Thread(() => { foreach (var order in _orders.GetConsumingEnumerable()) order(); }) { IsBackground = true, Name = "host" };
        _thread.Start();
    }

    /// <summary>The host has power: its processes are started.</summary>
    public Task UpAsync() => Do(() =>
    {
        if (_isUp) return;
        _isUp = true;
        _lives++;
        foreach (var spec in _specs) Start(spec);
    });

    /// <summary>The host loses power: SIGKILL to all processes.</summary>
    /// <returns>Ends when all are reaped.</returns>
    public Task DownAsync() => Do(() =>
    {
        _isUp = false;
        foreach (var process in _living.Values) process.Send(ChildSignal.Kill);
        foreach (var process in _living.Values) process.Ended.Wait();
        _living.Clear();
    });

    /// <summary>Asks all processes to end in order (SIGTERM); they are not started again.</summary>
    public Task LeaveAsync() => Do(() =>
    {
        _isUp = false;
        foreach (var process in _living.Values) process.Send(ChildSignal.Terminate);
    });

    private void Start(ChildSpec spec)
    {
        var process = ChildProcess.Start(spec, _observer);
        _living[spec.Name] = process;
        process.Attend();
        _ = process.Ended.ContinueWith(end => Post(() => Ended(spec, process, end.Result)), CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
    }

    private void Ended(ChildSpec spec, ChildProcess process, ChildEnd end)
    {
        // One that was killed with its host is not there any more.
        if (!_living.TryGetValue(spec.Name, out var living) || living != process) return;
        _living.Remove(spec.Name);
        _ended(spec.Name, end, process.LastLine);
        if (end.IsDone || end.IsRunFailure || !_isUp) return;
        var life = _lives;
        _ = Task.Delay(RestartPause).ContinueWith(_ => Post(() =>
        {
            if (_isUp && _lives == life && !_living.ContainsKey(spec.Name)) Start(spec);
        }), TaskScheduler.Default);
    }

    private Task Do(Action order)
    {
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Post(() =>
        {
            try
            {
                order();
                done.SetResult();
            }
            catch (ClusterException e)
            {
                done.SetException(e);
            }
        });
        return done.Task;
    }

    private void Post(Action order)
    {
        try
        {
            _orders.Add(order);
        }
        catch (InvalidOperationException)
        {
            // Disposed: nobody is there to do it.
        }
    }

    public void Dispose()
    {
        DownAsync().Wait();
        _orders.CompleteAdding();
        _thread.Join();
        _orders.Dispose();
    }
}
