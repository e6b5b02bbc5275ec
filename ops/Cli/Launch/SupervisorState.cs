using System.Collections.Immutable;

namespace Cluster.Cli.Launch;

/// <summary>Something that <see cref="Supervision"/> has an answer to. Times are of one monotonic clock, from the supervisor's start.</summary>
public interface ISupervisorInput
{
    TimeSpan Now { get; }
}

/// <summary>A child is dead and reaped.</summary>
/// <param name="LastLine">What it said last, on stderr if it said anything there; empty if nothing.</param>
public sealed record ChildExited(string Name, ChildEnd End, string LastLine, TimeSpan Now) : ISupervisorInput;

/// <summary>The operating system refused to start a child.</summary>
public sealed record StartFailed(string Name, string Cause, TimeSpan Now) : ISupervisorInput;

/// <summary>The run committed a step.</summary>
public sealed record Committed(long Step, TimeSpan Now) : ISupervisorInput;

/// <summary>A person wants the run to end; the second time, at once.</summary>
public sealed record StopRequested(TimeSpan Now) : ISupervisorInput;

/// <summary>A child lives but is of no use any more (it hangs): it is killed, reaped and started again.</summary>
public sealed record RestartRequested(string Name, string Reason, TimeSpan Now) : ISupervisorInput;

/// <summary>A child is asked to end in order and stays away until <see cref="ReturnRequested"/>.</summary>
public sealed record LeaveRequested(string Name, TimeSpan Now) : ISupervisorInput;

/// <summary>A child that left may come back.</summary>
public sealed record ReturnRequested(string Name, TimeSpan Now) : ISupervisorInput;

/// <summary>One more child, started at once; it ends no run.</summary>
public sealed record ChildAdded(string Name, TimeSpan Now) : ISupervisorInput;

/// <summary>The process of a child is its own from now on, and another is started in its place at once.</summary>
public sealed record Detached(string Name, TimeSpan Now) : ISupervisorInput;

/// <summary>A process that was <see cref="Detached"/> is dead and reaped: no child has ended.</summary>
public sealed record DetachedExited(string Name, int Process, ChildEnd End, TimeSpan Now) : ISupervisorInput;

/// <summary>Time passed; due no later than <see cref="SupervisorState.NextDeadline"/>.</summary>
public sealed record Tick(TimeSpan Now) : ISupervisorInput;

/// <summary>What the supervisor's thread does next, in this order.</summary>
public abstract record SupervisorEffect
{
    private SupervisorEffect() { }

    public sealed record Start(string Name) : SupervisorEffect;

    public sealed record Send(string Name, ChildSignal Signal) : SupervisorEffect;

    /// <summary>A sentence for a person and for events.jsonl.</summary>
    /// <param name="Name">The child that it is about, or null.</param>
    public sealed record Say(string? Name, string Sentence) : SupervisorEffect;

    /// <summary>Every child is dead and reaped: the end, always the last effect.</summary>
    public sealed record Finish(int ExitCode, string Reason) : SupervisorEffect;
}

/// <summary>The signals that a supervisor sends.</summary>
public enum ChildSignal
{
    Terminate,
    Kill,
    Stop,
    Continue,

    /// <summary>Read the certificates anew; only for processes with TLS.</summary>
    HangUp,

    /// <summary>Take a checkpoint now: SIGUSR1, for the coordinator.</summary>
    Checkpoint,
}

public enum ChildPhase
{
    /// <summary>Dead; started when <see cref="ChildState.DueAt"/> comes.</summary>
    Waiting,
    Running,

    /// <summary>It left, and is started when <see cref="ReturnRequested"/> comes.</summary>
    Away,

    /// <summary>Dead for good.</summary>
    Ended,
}

/// <summary>One child.</summary>
/// <param name="Since">When it was started last.</param>
/// <param name="Restarts">Restarts since the last commit.</param>
/// <param name="Doublings">Restarts since the back-off began anew.</param>
public sealed record ChildState(string Name, bool EndsRun, ChildPhase Phase, TimeSpan DueAt, TimeSpan Since, int Restarts, int Doublings)
{
    /// <summary>It was asked to leave: its end is no death.</summary>
    public bool IsLeaving { get; init; }
}

public enum SupervisorStage
{
    Running,

    /// <summary>The child that ends the run was told to stop; the others still serve it.</summary>
    StoppingRun,

    /// <summary>All others were told to stop.</summary>
    StoppingRest,
    Finished,
}

/// <summary>Everything that <see cref="Supervision"/> remembers.</summary>
/// <param name="Deadline">When SIGKILL follows SIGTERM; <see cref="TimeSpan.MaxValue"/> if it has, or outside of a stop.</param>
/// <param name="LastStep">The highest step that was committed.</param>
/// <param name="ExitCode">What <see cref="SupervisorEffect.Finish"/> will say, once the run is stopping.</param>
/// <param name="Asked">The stop was asked for by a person; else the run is done or has failed.</param>
public sealed record SupervisorState(
    RestartPolicy Policy, SupervisorStage Stage, ImmutableArray<ChildState> Children, TimeSpan Deadline, long LastStep, int ExitCode, string Reason, bool Asked)
{
    /// <summary>All children wait for the first tick.</summary>
    /// <exception cref="ArgumentException">No child, two of one name, or two that end the run: a mistake of the caller.</exception>
    public static SupervisorState Create(IReadOnlyList<ChildSpec> children, RestartPolicy policy)
    {
        if (children.Count == 0) throw new ArgumentException("a supervisor needs a child", nameof(children));
        if (children.Select(child => child.Name).Distinct(StringComparer.Ordinal).Count() != children.Count) throw new ArgumentException("two children have one name", nameof(children));
        if (children.Count(child => child.EndsRun) > 1) throw new ArgumentException("two children end the run", nameof(children));
        var states = children.Select(child => new ChildState(child.Name, child.EndsRun, ChildPhase.Waiting, TimeSpan.Zero, TimeSpan.Zero, 0, 0));
        return new SupervisorState(policy, SupervisorStage.Running, [.. states], TimeSpan.MaxValue, LastStep: 0, ExitCode: 0, Reason: "", Asked: false);
    }

    /// <summary>When a tick is due at the latest; <see cref="TimeSpan.MaxValue"/> when nothing waits for time.</summary>
    public TimeSpan NextDeadline =>
        Stage == SupervisorStage.Running
            ? Children.Where(child => child.Phase == ChildPhase.Waiting).Select(child => child.DueAt).DefaultIfEmpty(TimeSpan.MaxValue).Min()
            : Deadline;

    internal ChildState Child(string name) =>
        Children.FirstOrDefault(child => child.Name == name) ?? throw new ArgumentException($"there is no child {name}", nameof(name));

    internal SupervisorState With(ChildState changed) =>
        this with { Children = [.. Children.Select(child => child.Name == changed.Name ? changed : child)] };
}
