using System.Collections.Immutable;
using Cluster.Cli.Verbs;

namespace Cluster.Cli.Launch;

/// <summary>The orderly end: the child that ends the run first, since it needs the others for its last step and checkpoint; then all others at once.</summary>
public static partial class Supervision
{
    private static (SupervisorState Next, ImmutableArray<SupervisorEffect> Effects) Stop(
        SupervisorState state, TimeSpan now, TimeSpan runGrace, int exitCode, string reason, bool asked, ImmutableArray<SupervisorEffect> before)
    {
        var children = state.Children.Select(child => child.Phase is ChildPhase.Waiting or ChildPhase.Away ? child with { Phase = ChildPhase.Ended } : child);
        state = state with { Children = [.. children], ExitCode = exitCode, Reason = reason, Asked = asked };
        if (state.Children.FirstOrDefault(child => child.EndsRun && child.Phase == ChildPhase.Running) is not { } runner) return StopRest(state, now, before);
        return (state with { Stage = SupervisorStage.StoppingRun, Deadline = now + runGrace }, [.. before, .. Terminate(runner)]);
    }

    private static (SupervisorState Next, ImmutableArray<SupervisorEffect> Effects) StopRest(SupervisorState state, TimeSpan now, ImmutableArray<SupervisorEffect> before)
    {
        var living = Living(state);
        if (living.Count == 0) return Finish(state, before);
        return (state with { Stage = SupervisorStage.StoppingRest, Deadline = now + state.Policy.StopGrace }, [.. before, .. living.SelectMany(Terminate)]);
    }

    /// <summary>A child ended while the run is being stopped.</summary>
    private static (SupervisorState Next, ImmutableArray<SupervisorEffect> Effects) Stopped(SupervisorState state, ChildExited exit)
    {
        if (state.Stage == SupervisorStage.StoppingRest || !state.Child(exit.Name).EndsRun)
            return Living(state).Count == 0 ? Finish(state, []) : (state, []);
        if (state.Asked) state = state with { ExitCode = AnswerTo(exit.End), Reason = ReasonOf(exit) };
        return StopRest(state, exit.Now, []);
    }

    /// <summary>What a run that a person stopped answers: it may have finished, or failed, in the meantime.</summary>
    private static int AnswerTo(ChildEnd end) =>
        end.IsDone ? ExitCodes.Done
        : end.IsMistake ? ExitCodes.BadInput
        : end.IsInterrupted ? ExitCodes.Interrupted
        : ExitCodes.Failed;

    private static string ReasonOf(ChildExited exit) =>
        exit.End.IsDone ? "the run is done"
        : exit.End.IsInterrupted ? exit.LastLine.Length > 0 ? exit.LastLine : "interrupted"
        : exit.End.IsRunFailure && exit.LastLine.Length > 0 ? exit.LastLine
        : $"{exit.Name} {exit.End} while stopping{(exit.LastLine.Length > 0 ? $": {exit.LastLine}" : "")}";

    private static (SupervisorState Next, ImmutableArray<SupervisorEffect> Effects) KillLate(SupervisorState state, TimeSpan now)
    {
        if (now < state.Deadline) return (state, []);
        var late = Living(state).Where(child => state.Stage == SupervisorStage.StoppingRest || child.EndsRun).ToList();
        var effects = late.SelectMany<ChildState, SupervisorEffect>(child =>
            [Say($"{child.Name} did not stop in time and is killed", child.Name), new SupervisorEffect.Send(child.Name, ChildSignal.Kill)]);
        return (state with { Deadline = TimeSpan.MaxValue }, [.. effects]);
    }

    /// <summary>Asked again: no more order. The answer that was decided on stays.</summary>
    private static (SupervisorState Next, ImmutableArray<SupervisorEffect> Effects) KillAll(SupervisorState state) =>
        (state with { Stage = SupervisorStage.StoppingRest, Deadline = TimeSpan.MaxValue },
            [Say("asked again: killing all"), .. Living(state).Select(child => new SupervisorEffect.Send(child.Name, ChildSignal.Kill))]);

    private static (SupervisorState Next, ImmutableArray<SupervisorEffect> Effects) Finish(SupervisorState state, ImmutableArray<SupervisorEffect> before) =>
        (state with { Stage = SupervisorStage.Finished, Deadline = TimeSpan.MaxValue }, [.. before, new SupervisorEffect.Finish(state.ExitCode, state.Reason)]);

    // A stopped process takes no SIGTERM until it is continued.
    private static SupervisorEffect[] Terminate(ChildState child) =>
        [new SupervisorEffect.Send(child.Name, ChildSignal.Terminate), new SupervisorEffect.Send(child.Name, ChildSignal.Continue)];

    private static List<ChildState> Living(SupervisorState state) => [.. state.Children.Where(child => child.Phase == ChildPhase.Running)];
}
