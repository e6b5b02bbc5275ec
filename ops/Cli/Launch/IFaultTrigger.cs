using Cluster.Contracts;

namespace Cluster.Cli.Launch;

/// <summary>
/// The coordinator's view of <c>--fault</c>. It asks <see cref="IsDue"/> when it has sent BeginStep; if so, it holds the step's
/// record until <see cref="StrikeAsync"/> is done, so that the fault lands inside the step. Any thread.
/// </summary>
public interface IFaultTrigger
{
    /// <summary>Whether a fault of this step has yet to strike.</summary>
    bool IsDue(StepId step);

    /// <summary>BeginStep of the step was sent: strike now. Called again for the same step, it waits for the same strikes.</summary>
    /// <returns>Done when the node is dead and reaped, or stopped with all its threads. Never fails: a fault that finds no node is said and passed.</returns>
    Task StrikeAsync(StepId step);

    /// <summary>The record of the step is written.</summary>
    void Recorded(StepId step);
}

/// <summary>What faults do to processes; <see cref="Supervisor"/> does it to its children.</summary>
public interface INodeProcesses
{
    /// <inheritdoc cref="Supervisor.KillAsync"/>
    Task<bool> KillAsync(string child);

    /// <inheritdoc cref="Supervisor.PauseAsync"/>
    Task<int?> PauseAsync(string child);

    /// <inheritdoc cref="Supervisor.Resume"/>
    bool Resume(string child, int process);

    /// <inheritdoc cref="Supervisor.KillUnknownAsync"/>
    Task<bool> KillUnknownAsync(string child);

    /// <inheritdoc cref="Supervisor.Leave"/>
    bool Leave(string child);

    /// <inheritdoc cref="Supervisor.Return"/>
    void Return(string child);

    /// <inheritdoc cref="Supervisor.Add"/>
    bool Add(ChildSpec child);

    /// <inheritdoc cref="Supervisor.ReplaceAsync"/>
    Task<int?> ReplaceAsync(string child, Action between);

    /// <inheritdoc cref="Supervisor.Wake"/>
    bool Wake(int process);
}
