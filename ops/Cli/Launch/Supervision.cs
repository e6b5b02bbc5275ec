using System.Collections.Immutable;
using Cluster.Cli.Verbs;

namespace Cluster.Cli.Launch;

/// <summary>
/// Decides what a supervisor does: whom to start, when to start again, in which order to stop. Pure: state and input in,
/// next state and effects out; <see cref="Supervisor"/> is the thread around it.
/// </summary>
public static partial class Supervision
{
    /// <summary>Answers one input. An exit of a child that does not run is a bug of the caller and throws.</summary>
    public static (SupervisorState Next, ImmutableArray<SupervisorEffect> Effects) Advance(SupervisorState state, ISupervisorInput input) => (state.Stage, input) switch
    {
        (SupervisorStage.Finished, _) => (state, []),
        (SupervisorStage.Running, Tick tick) => StartDue(state, tick.Now),
        (_, Tick tick) => KillLate(state, tick.Now),
        (SupervisorStage.Running, Committed commit) => (Progressed(state, commit), []),
        (_, Committed) => (state, []),
        (SupervisorStage.Running, RestartRequested restart) => Replace(state, restart),
        (_, RestartRequested) => (state, []),
        (SupervisorStage.Running, LeaveRequested leave) => Leave(state, leave),
        (SupervisorStage.Running, ReturnRequested back) => Return(state, back),
        (SupervisorStage.Running, ChildAdded added) => (Added(state, added), []),
        (SupervisorStage.Running, Detached detached) => (Replaced(state, detached), []),
        (_, LeaveRequested or ReturnRequested or ChildAdded or Detached) => (state, []),
        (_, DetachedExited exit) => (state, [Say($"{exit.Name} (process {exit.Process}), in whose place another was started, {exit.End}", exit.Name)]),
        (SupervisorStage.Running, StopRequested stop) =>
            Stop(state, stop.Now, state.Policy.RunStopGrace, ExitCodes.Interrupted, "interrupted", asked: true, [Say("stopping: the open step is finished first; a second signal kills at once")]),
        (_, StopRequested) => KillAll(state),
        (SupervisorStage.Running, ChildExited exit) => Exited(Buried(state, exit.Name), exit),
        (_, ChildExited exit) => Stopped(Buried(state, exit.Name), exit),
        (SupervisorStage.Running, StartFailed failed) => StartAgain(Buried(state, failed.Name), failed.Name, $"could not be started: {failed.Cause}", "", TimeSpan.Zero, failed.Now),
        (_, StartFailed failed) => Stopped(Buried(state, failed.Name), new ChildExited(failed.Name, new ChildEnd(ExitCodes.Failed), failed.Cause, failed.Now)),
        _ => throw new ArgumentException($"no answer to {input} while {state.Stage}", nameof(input)),
    };

    private static (SupervisorState Next, ImmutableArray<SupervisorEffect> Effects) StartDue(SupervisorState state, TimeSpan now)
    {
        var due = state.Children.Where(child => child.Phase == ChildPhase.Waiting && child.DueAt <= now).ToList();
        foreach (var child in due) state = state.With(child with { Phase = ChildPhase.Running, Since = now });
        return (state, [.. due.Select(child => new SupervisorEffect.Start(child.Name))]);
    }

    private static SupervisorState Progressed(SupervisorState state, Committed commit)
    {
        // A notice that comes again, from a coordinator that took over, is no progress.
        if (commit.Step <= state.LastStep) return state;
        var children = state.Children.Select(child => child with
        {
            Restarts = 0,
            Doublings = child.Phase == ChildPhase.Running && commit.Now - child.Since >= state.Policy.Steady ? 0 : child.Doublings,
        });
        return state with { LastStep = commit.Step, Children = [.. children] };
    }

    private static (SupervisorState Next, ImmutableArray<SupervisorEffect> Effects) Replace(SupervisorState state, RestartRequested restart) =>
        // Its exit brings the restart: nothing starts before the old one is reaped.
        state.Child(restart.Name).Phase == ChildPhase.Running
            ? (state, [Say($"{restart.Name} is killed and started again: {restart.Reason}", restart.Name), new SupervisorEffect.Send(restart.Name, ChildSignal.Kill)])
            : (state, []);

    private static (SupervisorState Next, ImmutableArray<SupervisorEffect> Effects) Exited(SupervisorState state, ChildExited exit)
    {
        var child = state.Child(exit.Name);
        if (child.IsLeaving) return (state.With(child with { Phase = ChildPhase.Away, IsLeaving = false }), []);
        // Once steps are committed the arguments are known to be good: what one process finds unfit may be mended, and the others go on.
        if (exit.End.IsMistake && (child.EndsRun || state.LastStep == 0))
        {
            var reason = exit.LastLine.Length > 0 ? $"{exit.Name}: {exit.LastLine}" : $"{exit.Name} refused its arguments or data and did not say why";
            return Stop(state, exit.Now, state.Policy.StopGrace, ExitCodes.BadInput, reason, asked: false, [Say(reason, exit.Name)]);
        }
        if (child.EndsRun && exit.End.IsDone) return Stop(state, exit.Now, state.Policy.StopGrace, ExitCodes.Done, "the run is done", asked: false, []);
        if (child.EndsRun && exit.End.IsInterrupted)
            return Stop(state, exit.Now, state.Policy.StopGrace, ExitCodes.Interrupted, $"{exit.Name} was interrupted", asked: false, [Say($"{exit.Name} was interrupted; stopping the others", exit.Name)]);
        if (child.EndsRun && exit.End.IsRunFailure)
            return Stop(state, exit.Now, state.Policy.StopGrace, ExitCodes.Failed, exit.LastLine.Length > 0 ? exit.LastLine : "the run failed, and its coordinator did not say why", asked: false, []);
        var what = exit.End.IsMistake ? $"{exit.End} (refused, or its data, version or device is unfit)" : exit.End.ToString();
        if (!exit.End.IsDone) return StartAgain(state, exit.Name, what, exit.LastLine, exit.Now - child.Since, exit.Now);
        // Where one child ends the run, the others are done because the run is: that is no news.
        ImmutableArray<SupervisorEffect> effects = state.Children.Any(static other => other.EndsRun) ? [] : [Say($"{exit.Name} is done", exit.Name)];
        return state.Children.All(other => other.Phase == ChildPhase.Ended)
            ? Finish(state with { ExitCode = ExitCodes.Done, Reason = "all are done" }, effects)
            : (state, effects);
    }

    /// <summary>A child that died without being done comes back after the back-off, until the limit is reached.</summary>
    private static (SupervisorState Next, ImmutableArray<SupervisorEffect> Effects) StartAgain(SupervisorState state, string name, string what, string lastLine, TimeSpan lifetime, TimeSpan now)
    {
        var child = state.Child(name);
        var policy = state.Policy;
        var lived = lifetime == TimeSpan.Zero ? "" : $" after {Seconds(lifetime)}";
        var said = lastLine.Length > 0 ? $"; it said last: {lastLine}" : "";
        if (child.Restarts >= policy.Limit)
        {
            var reason = $"giving up: {name} {what}{lived}, and was started again {Times(child.Restarts)} without a commit in between{said}";
            return Stop(state, now, policy.StopGrace, ExitCodes.Failed, reason, asked: false, [Say(reason, name)]);
        }
        var delay = policy.Delay(child.Doublings);
        state = state.With(child with { Phase = ChildPhase.Waiting, DueAt = now + delay, Restarts = child.Restarts + 1, Doublings = child.Doublings + 1 });
        return (state, [Say($"{name} {what}{lived}; it is started again in {Seconds(delay)} (restart {child.Restarts + 1} of {policy.Limit} without a commit){said}", name)]);
    }

    private static (SupervisorState Next, ImmutableArray<SupervisorEffect> Effects) Leave(SupervisorState state, LeaveRequested leave)
    {
        var child = state.Child(leave.Name);
        return child.Phase == ChildPhase.Running ? (state.With(child with { IsLeaving = true }), [.. Terminate(child)]) : (state, []);
    }

    /// <summary>One that has not gone yet, or died, is started again as any other.</summary>
    private static (SupervisorState Next, ImmutableArray<SupervisorEffect> Effects) Return(SupervisorState state, ReturnRequested back)
    {
        var child = state.Child(back.Name) with { IsLeaving = false };
        return (state.With(child.Phase == ChildPhase.Away ? child with { Phase = ChildPhase.Waiting, DueAt = back.Now } : child), []);
    }

    private static SupervisorState Added(SupervisorState state, ChildAdded added) => state.Children.Any(child => child.Name == added.Name)
        ? throw new ArgumentException($"there is a child {added.Name} already", nameof(added))
        : state with { Children = state.Children.Add(new ChildState(added.Name, EndsRun: false, ChildPhase.Waiting, added.Now, TimeSpan.Zero, 0, 0)) };

    private static SupervisorState Replaced(SupervisorState state, Detached detached)
    {
        var child = state.Child(detached.Name);
        return child.Phase == ChildPhase.Running ? state.With(child with { Phase = ChildPhase.Waiting, DueAt = detached.Now }) : state;
    }

    private static SupervisorState Buried(SupervisorState state, string name)
    {
        var child = state.Child(name);
        if (child.Phase != ChildPhase.Running) throw new ArgumentException($"{name} ended, but did not run", nameof(name));
        return state.With(child with { Phase = ChildPhase.Ended });
    }

    private static SupervisorEffect.Say Say(string sentence, string? name = null) => new(name, sentence);

    private static string Times(int count) => count == 1 ? "once" : $"{count} times";

    private static string Seconds(TimeSpan time) => time.TotalSeconds < 1 ? $"{time.TotalMilliseconds:0} ms" : $"{time.TotalSeconds:0.0} s";
}
