namespace Cluster.Membership;

/// <summary>
/// When an engine that gossips believes that a process is gone, and when another one takes its place. Too short costs a takeover
/// that was not needed, which is time and never a result: terms decide (ops/decisions/0007), these numbers only hint.
/// </summary>
public sealed record EngineTimes
{
    public static readonly EngineTimes Default = new();

    /// <summary>Between two heartbeats to the same neighbour. Half a second: two of them fit into a pause of the garbage collector, and three neighbours cost nothing.</summary>
    public TimeSpan Heartbeat { get; init; } = TimeSpan.FromMilliseconds(500);

    /// <summary>Silence that is not yet suspicious. Three seconds: a host that swaps or a virtual machine that moves stands still so long and is well.</summary>
    public TimeSpan Pause { get; init; } = TimeSpan.FromSeconds(3);

    /// <summary>Between two looks at who is silent, two rounds of gossip, and two actions of the leader. Half a second: one core carries a hundred processes.</summary>
    public TimeSpan Round { get; init; } = TimeSpan.FromMilliseconds(500);

    /// <summary>How long nothing may have changed before the unreachable are declared dead. Four seconds: both sides of a split must see the same split, which takes a pause and a few rounds.</summary>
    public TimeSpan Stable { get; init; } = TimeSpan.FromSeconds(4);

    /// <summary>Between two looks of the split-brain resolver; a constant of the engine.</summary>
    public static readonly TimeSpan ResolverTick = TimeSpan.FromSeconds(1);

    /// <summary>Between the removal of a coordinator and the start of the next. Unset it would be <see cref="Stable"/> once more; a second, because terms fence the old one anyway.</summary>
    public TimeSpan RemovalMargin { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>How long a coordinator that leaves in order may take for its last checkpoint. A minute: what a phase of a shutdown has else, five seconds, cuts a checkpoint off.</summary>
    public TimeSpan LastCheckpoint { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>Between two calls of the coordinator to everybody; what was lost on the way is made up for then.</summary>
    public TimeSpan Call { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>How long the first seed waits for the others before it begins a cluster of its own.</summary>
    public TimeSpan FirstSeed { get; init; } = TimeSpan.FromSeconds(3);

    /// <summary>From the death of the coordinator's host to the moment when somebody calls it unreachable: the pause, and at worst a heartbeat and a round.</summary>
    public TimeSpan Detection => Pause + Heartbeat + Round;

    /// <summary>From there to the next coordinator's first word: stability, the resolver's look, gossip and the leader's action, the margin.</summary>
    public TimeSpan Succession => Stable + ResolverTick + (2 * Round) + RemovalMargin;

    /// <summary>From the death of the coordinator's host to the start of the next one. With the defaults 11 s. Its takeover comes on top.</summary>
    public TimeSpan Takeover => Detection + Succession;
}
