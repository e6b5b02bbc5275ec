using Cluster.Cli.Launch;

namespace Cluster.Cli.Tests.Launch;

/// <summary>Feeds <see cref="Supervision"/> and writes its effects as short lines.</summary>
internal sealed class SupervisionDriver
{
    public SupervisionDriver(RestartPolicy policy, string? endsRun, params string[] children)
    {
        if (endsRun is not null && !children.Contains(endsRun)) children = [endsRun, .. children];
        State = SupervisorState.Create([.. children.Select(name => new ChildSpec(name, "x", [], new Dictionary<string, string?>()) { EndsRun = name == endsRun })], policy);
    }

    public SupervisorState State { get; private set; }

    public TimeSpan Now { get; private set; }

    public SupervisionDriver At(double milliseconds)
    {
        Now = TimeSpan.FromMilliseconds(milliseconds);
        return this;
    }

    public List<string> Tick() => Give(new Tick(Now));

    public List<string> TickAt(double milliseconds) => At(milliseconds).Tick();

    public List<string> Exit(string child, int code, string lastLine = "") => Give(new ChildExited(child, new ChildEnd(code), lastLine, Now));

    public List<string> StartFails(string child, string cause) => Give(new StartFailed(child, cause, Now));

    public List<string> Commit(long step) => Give(new Committed(step, Now));

    public List<string> Stop() => Give(new StopRequested(Now));

    public List<string> Restart(string child, string reason) => Give(new RestartRequested(child, reason, Now));

    public List<string> Leave(string child) => Give(new LeaveRequested(child, Now));

    public List<string> Return(string child) => Give(new ReturnRequested(child, Now));

    public List<string> Add(string child) => Give(new ChildAdded(child, Now));

    public List<string> Detach(string child) => Give(new Detached(child, Now));

    public List<string> DetachedExit(string child, int code) => Give(new DetachedExited(child, 77, new ChildEnd(code), Now));

    private List<string> Give(ISupervisorInput input)
    {
        var (next, effects) = Supervision.Advance(State, input);
        State = next;
        return [.. effects.Select(effect => effect switch
        {
            SupervisorEffect.Start start => $"start {start.Name}",
            SupervisorEffect.Send { Signal: ChildSignal.Terminate } send => $"SIGTERM {send.Name}",
            SupervisorEffect.Send { Signal: ChildSignal.Kill } send => $"SIGKILL {send.Name}",
            SupervisorEffect.Send { Signal: ChildSignal.Continue } send => $"SIGCONT {send.Name}",
            SupervisorEffect.Say say => $"say {say.Sentence}",
            SupervisorEffect.Finish finish => $"finish {finish.ExitCode} {finish.Reason}",
            _ => throw new InvalidOperationException($"{effect}"),
        })];
    }
}
