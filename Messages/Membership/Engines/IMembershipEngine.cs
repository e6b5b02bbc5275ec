using Cluster.Contracts;

namespace Cluster.Membership;

/// <summary>
/// An engine in which any process may become the coordinator. It finds the others by itself; its views are those of
/// <see cref="IMembership"/>. Dispose it to end at once, without a word to the others.
/// </summary>
public interface IMembershipEngine : IMembership
{
    /// <summary>What a coordinator says once: from here on it can take the seat.</summary>
    const string CoordinatorIsIn = "the cluster has let this coordinator in";

    /// <summary>Where it listens, with the port that the system chose if it was 0.</summary>
    Link.LinkAddress Listens { get; }

    /// <summary>This process' name, once it has one.</summary>
    string? Name { get; }

    /// <summary>Completes when this process becomes the coordinator; never in other roles. It may have the seat once.</summary>
    Task<CoordinatorSeat> Seat { get; }

    /// <summary>Completes with a sentence when this process is out of the cluster for good: it left, or was declared dead. It must be started again to come back.</summary>
    Task<string> Out { get; }

    /// <summary>Tells everybody that this process leaves as planned; it goes on until <see cref="EndAsync"/>. Any thread.</summary>
    void Leave();

    /// <summary>Leaves in order. A coordinator's seat is given back first, within <see cref="EngineTimes.LastCheckpoint"/>.</summary>
    Task EndAsync();
}

/// <summary>
/// The right to act as the coordinator, as far as an engine can know it. It is a hint: that two coordinators never both commit is
/// the work of terms (ops/decisions/0007).
/// </summary>
/// <param name="register">Who is there, as this coordinator keeps it.</param>
public sealed class CoordinatorSeat(MemberRegistry register)
{
    private readonly CancellationTokenSource _lost = new();
    private readonly TaskCompletionSource _released = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public MemberRegistry Register { get; } = register;

    /// <summary>Cancelled when the seat is taken away or asked back: stop, then <see cref="Release"/>.</summary>
    public CancellationToken Lost => _lost.Token;

    /// <summary>This process does nothing as the coordinator any more. Any thread.</summary>
    public void Release() => _released.TrySetResult();

    internal Task Released => _released.Task;

    internal void Lose() => _lost.Cancel();
}
