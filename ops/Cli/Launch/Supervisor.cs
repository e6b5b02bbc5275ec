using System.Collections.Concurrent;
using System.Diagnostics;
using Cluster.Contracts;

namespace Cluster.Cli.Launch;

/// <summary>How a supervised run ended.</summary>
/// <param name="ExitCode">Of <see cref="Verbs.ExitCodes"/>.</param>
/// <param name="Reason">A sentence; for code 2 the words of the child that met the mistake.</param>
public sealed record SupervisorResult(int ExitCode, string Reason);

/// <summary>
/// Starts children, prints what they say, starts them again when they die, and stops them in order. <see cref="Supervision"/>
/// decides; this is the one thread that acts. That thread starts every child and lives until the last is reaped, since the
/// kernel's parent-death signal is about the thread, not the process. All methods: any thread.
/// </summary>
public sealed partial class Supervisor : INodeProcesses
{
    private readonly ConcurrentDictionary<string, ChildSpec> _specs;
    private readonly ISupervisorObserver _observer;
    private readonly ConcurrentDictionary<string, ChildProcess> _living = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, IReadOnlyList<string>> _lastLines = new(StringComparer.Ordinal);
    private readonly BlockingCollection<ISupervisorInput> _inputs = [];
    private readonly Stopwatch _clock = Stopwatch.StartNew();
    private readonly TaskCompletionSource<SupervisorResult> _result = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly ConcurrentDictionary<int, ChildProcess> _detached = new();
    private SupervisorState _state;
    private int _started;

    /// <summary>A process is dead and reaped; whose, is decided on this thread.</summary>
    private sealed record ProcessEnded(string Name, ChildProcess Process, ChildEnd End, TimeSpan Now) : ISupervisorInput;

    /// <param name="children">Started in this order; unique names, at most one that ends the run.</param>
    public Supervisor(IReadOnlyList<ChildSpec> children, RestartPolicy policy, ISupervisorObserver observer)
    {
        _state = SupervisorState.Create(children, policy);
        _specs = new(children.ToDictionary(child => child.Name, StringComparer.Ordinal), StringComparer.Ordinal);
        _observer = observer;
    }

    /// <summary>Starts the children; the task ends when the last one is reaped. Once.</summary>
    public Task<SupervisorResult> RunAsync()
    {
        if (Interlocked.Exchange(ref _started, 1) != 0) throw new InvalidOperationException("a supervisor runs once");
        new Thread(Run) { IsBackground = true, Name = "supervisor" }.Start();
        return _result.Task;
    }

    /// <summary>The run committed this step: restarts so far are forgiven.</summary>
    public void Committed(StepId step) => Post(new Committed(step.Value, _clock.Elapsed));

    /// <summary>Asks the child that ends the run for a checkpoint; nothing happens while it is away.</summary>
    public void RequestCheckpoint()
    {
        foreach (var spec in _specs.Values.Where(static s => s.EndsRun))
            if (_living.TryGetValue(spec.Name, out var child)) child.Send(ChildSignal.Checkpoint);
    }

    /// <summary>Stops all in order; called again, kills all at once.</summary>
    public void RequestStop() => Post(new StopRequested(_clock.Elapsed));

    /// <summary>Tells all living children to read their certificates anew; only for children with TLS.</summary>
    public void Reload()
    {
        foreach (var child in _living.Values) child.Send(ChildSignal.HangUp);
    }

    /// <summary>Kills and reaps a child that is of no use any more, then starts it again by the policy.</summary>
    /// <param name="reason">A sentence's end: "it has not answered for 2 s".</param>
    /// <exception cref="ArgumentException">There is no such child.</exception>
    public void RequestRestart(string child, string reason) => Post(new RestartRequested(Known(child), reason, _clock.Elapsed));

    /// <summary>Whether there is a child of this name, alive or not.</summary>
    public bool Has(string child) => _specs.ContainsKey(child);

    /// <summary>The process number of a living child, or null.</summary>
    public int? ProcessOf(string child) => _living.TryGetValue(Known(child), out var process) ? process.Id : null;

    /// <summary>What a child said last, of its present or its last life: for a report.</summary>
    public IReadOnlyList<string> LastLinesOf(string child) =>
        _living.TryGetValue(Known(child), out var process) ? process.LastLines : _lastLines.TryGetValue(child, out var lines) ? lines : [];

    private string Known(string child) => _specs.ContainsKey(child) ? child : throw new ArgumentException($"there is no child {child}", nameof(child));

    private void Post(ISupervisorInput input)
    {
        try
        {
            _inputs.Add(input);
        }
        catch (Exception e) when (e is InvalidOperationException or ObjectDisposedException)
        {
            // The run is over: nobody is there to hear it.
        }
    }

    private void Run()
    {
        try
        {
            while (_state.Stage != SupervisorStage.Finished)
            {
                var wait = _state.NextDeadline - _clock.Elapsed;
                if (wait > TimeSpan.Zero && _inputs.TryTake(out var input, wait > SampleEvery ? SampleEvery : wait)) Advance(input);
                else if (wait <= TimeSpan.Zero) Advance(new Tick(_clock.Elapsed));
                Sample();
            }
        }
        catch (Exception e)
        {
            // A bug here must leave no child behind.
            foreach (var child in _living.Values) child.Send(ChildSignal.Kill);
            _result.TrySetException(e);
        }
        EndDetached();
        _inputs.CompleteAdding();
    }

    private void Advance(ISupervisorInput input)
    {
        if (input is ProcessEnded ended)
        {
            input = _detached.TryRemove(ended.Process.Id, out _)
                ? new DetachedExited(ended.Name, ended.Process.Id, ended.End, ended.Now)
                : new ChildExited(ended.Name, ended.End, ended.Process.LastLine, ended.Now);
        }
        if (input is ChildExited exit && _living.TryRemove(exit.Name, out var dead))
        {
            input = exit = exit with { End = WithEvidence(exit.End, dead) };
            _lastLines[exit.Name] = dead.LastLines;
            _observer.Exited(exit.Name, dead.Id, exit.End);
        }
        if (input is Detached detached && _living.TryRemove(detached.Name, out var old)) _detached[old.Id] = old;
        if (input is DetachedExited gone) _observer.Exited(gone.Name, gone.Process, gone.End);
        var (next, effects) = Supervision.Advance(_state, input);
        _state = next;
        foreach (var effect in effects) Perform(effect);
    }

    private void Perform(SupervisorEffect effect)
    {
        switch (effect)
        {
            case SupervisorEffect.Start start:
                Start(_specs[start.Name]);
                break;
            case SupervisorEffect.Send send when _living.TryGetValue(send.Name, out var child):
                child.Send(send.Signal);
                break;
            case SupervisorEffect.Say say:
                _observer.Said(say.Name, say.Sentence);
                break;
            case SupervisorEffect.Finish finish:
                _result.TrySetResult(new SupervisorResult(finish.ExitCode, finish.Reason));
                break;
        }
    }

    private void Start(ChildSpec spec)
    {
        try
        {
            var child = ChildProcess.Start(spec, _observer);
            _living[spec.Name] = child;
            _observer.Started(spec.Name, child.Id);
            child.Attend();
            _ = child.Ended.ContinueWith(
                ended => Post(new ProcessEnded(spec.Name, child, ended.Result, _clock.Elapsed)),
                CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        }
        catch (ClusterException e)
        {
            Post(new StartFailed(spec.Name, e.Message, _clock.Elapsed));
        }
    }
}
