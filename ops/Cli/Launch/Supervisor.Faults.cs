using Cluster.Contracts;

namespace Cluster.Cli.Launch;

// What faults do to children, and what is found out about a death that nobody here has ordered.
public sealed partial class Supervisor
{
    /// <summary>How often the memory of children is looked at: what one that is killed for its memory had.</summary>
    private static readonly TimeSpan SampleEvery = TimeSpan.FromMilliseconds(Limits.MemorySampleMilliseconds);

    /// <summary>How long a process that was detached may take to be reaped at the end.</summary>
    private static readonly TimeSpan ReapPatience = TimeSpan.FromSeconds(5);

    private TimeSpan _sampledAt = TimeSpan.Zero;
    private long? _memoryKills = MemoryEvidence.Kills();

    /// <summary>Kills a child, as a fault: the policy starts it again.</summary>
    /// <returns>True once it is dead and reaped; false if it did not live.</returns>
    public async Task<bool> KillAsync(string child)
    {
        if (!_living.TryGetValue(Known(child), out var process)) return false;
        var sent = process.Send(ChildSignal.Kill);
        await process.Ended;
        return sent;
    }

    /// <summary>Stops a child's process (SIGSTOP), as a fault.</summary>
    /// <returns>The number of the process, once none of its threads runs; null if it did not live.</returns>
    public async Task<int?> PauseAsync(string child)
    {
        if (!_living.TryGetValue(Known(child), out var process) || !process.Send(ChildSignal.Stop)) return null;
        return await Task.Run(() => Signals.WaitUntilStopped(process.Id)) ? process.Id : null;
    }

    /// <summary>Lets a paused process go on.</summary>
    /// <param name="process">What <see cref="PauseAsync"/> returned: if the child has a new process by now, nothing happens.</param>
    /// <returns>Whether it was there to go on.</returns>
    public bool Resume(string child, int process) =>
        _living.TryGetValue(Known(child), out var living) && living.Id == process && living.Send(ChildSignal.Continue);

    /// <summary>Kills a child without this supervisor knowing that it did: what it reports is what it finds out.</summary>
    /// <returns>True once it is dead and reaped; false if it did not live.</returns>
    public async Task<bool> KillUnknownAsync(string child)
    {
        if (!_living.TryGetValue(Known(child), out var process) || !process.KillUnknown()) return false;
        await process.Ended;
        return true;
    }

    /// <summary>Asks a child to end in order (SIGTERM); it is not started again before <see cref="Return"/>.</summary>
    /// <returns>Whether it was there to be asked.</returns>
    public bool Leave(string child)
    {
        if (!_living.ContainsKey(Known(child))) return false;
        Post(new LeaveRequested(child, _clock.Elapsed));
        return true;
    }

    /// <summary>A child that left is started again.</summary>
    public void Return(string child) => Post(new ReturnRequested(Known(child), _clock.Elapsed));

    /// <summary>Starts one more child, which ends no run.</summary>
    /// <returns>False if there is one of this name.</returns>
    public bool Add(ChildSpec child)
    {
        if (!_specs.TryAdd(child.Name, child)) return false;
        Post(new ChildAdded(child.Name, _clock.Elapsed));
        return true;
    }

    /// <summary>Stops a child's process and starts another in its place at once. The old one's end is no child's end; <see cref="Wake"/> lets it go on.</summary>
    /// <param name="between">Called when the old one stands still, before the new one starts.</param>
    /// <returns>The number of the old process; null if it did not live.</returns>
    public async Task<int?> ReplaceAsync(string child, Action between)
    {
        if (await PauseAsync(child) is not { } process) return null;
        between();
        Post(new Detached(child, _clock.Elapsed));
        return process;
    }

    /// <summary>Lets a process go on in whose place another was started.</summary>
    /// <returns>Whether it was there to go on.</returns>
    public bool Wake(int process) => _detached.TryGetValue(process, out var old) && old.Send(ChildSignal.Continue);

    /// <summary>Whoever still sleeps has no part in the run.</summary>
    private void EndDetached()
    {
        foreach (var old in _detached.Values)
        {
            old.Send(ChildSignal.Kill);
            old.Ended.Wait(ReapPatience);
        }
    }

    private void Sample()
    {
        if (_clock.Elapsed - _sampledAt < SampleEvery) return;
        _sampledAt = _clock.Elapsed;
        foreach (var child in _living.Values) child.Sample();
    }

    /// <summary>SIGKILL comes from here, from the kernel, or from somebody else.</summary>
    private ChildEnd WithEvidence(ChildEnd end, ChildProcess process)
    {
        if (!end.IsSigKill || process.WasKilledHere) return end;
        var before = _memoryKills;
        _memoryKills = MemoryEvidence.Kills();
        return end with { Evidence = MemoryEvidence.Words(before, _memoryKills, process.PeakResidentBytes) };
    }
}
