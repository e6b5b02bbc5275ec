using Cluster.Contracts;

namespace Cluster.Membership.Tests;

/// <summary>
/// A small cluster in which an engine is put to the test: one coordinator, which may be started again in place, and nodes. What
/// happens is noticed by the engine's own means; what follows is awaited on views.
/// </summary>
public interface IMembershipWorld : IAsyncDisposable
{
    /// <summary>The coordinator's view; of the present incarnation.</summary>
    ViewRecorder Coordinator { get; }

    /// <summary>Everything that was said for events.jsonl.</summary>
    IReadOnlyCollection<string> Said { get; }

    /// <summary>How flapping nodes are let in; the hold-offs are long enough to be noticed here.</summary>
    MembershipPolicy Policy { get; }

    /// <summary>Starts the coordinator, at the same address as before, for the next term.</summary>
    Task StartCoordinatorAsync();

    /// <summary>Kills its process. Nodes go on and try to reach it again.</summary>
    Task CrashCoordinatorAsync();

    /// <summary>Starts a process that asks to be let in; does not wait for the answer. Its incarnation is higher than any before.</summary>
    /// <param name="name">Null for any.</param>
    Task<IMembershipNode> StartAsync(MemberRole role, string? name = null);

    /// <summary>Kills a process (SIGKILL).</summary>
    Task CrashAsync(IMembershipNode node);

    /// <summary>Stops a process (SIGSTOP) for longer than its lease.</summary>
    Task PauseAsync(IMembershipNode node);

    /// <summary>Lets it go on (SIGCONT).</summary>
    Task ResumeAsync(IMembershipNode node);

    /// <summary>The process says that it leaves, and has work to finish.</summary>
    Task LeaveAsync(IMembershipNode node);

    /// <summary>The process ends in order.</summary>
    Task EndAsync(IMembershipNode node);

    /// <summary>Lets time pass, virtual or real.</summary>
    Task PassAsync(TimeSpan time);
}

/// <summary>One process of such a cluster.</summary>
public interface IMembershipNode
{
    /// <summary>Null until it is let in.</summary>
    string? Name { get; }

    long Incarnation { get; }

    ViewRecorder Views { get; }

    /// <summary>Completes when it is refused, or loses its place.</summary>
    Task<MemberRefusal> Refused { get; }
}
