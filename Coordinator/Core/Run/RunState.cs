using System.Collections.Immutable;
using Cluster.Contracts;

namespace Cluster.Coordinator.Core;

/// <summary>How a coordinator's term comes about. Between <see cref="Running"/> and the next term no step is open.</summary>
public enum TermPhase
{
    /// <summary>Not enough nodes are here to hold the shards.</summary>
    WaitingForNodes,

    /// <summary>The term is on its way to the disk; nobody has heard of it.</summary>
    WritingTerm,

    /// <summary>Every replica is asked for its promise. Nobody acts before all have given it: that fences the term before.</summary>
    Claiming,

    /// <summary>The longest log among the disk and the promises becomes the log.</summary>
    AdoptingLog,

    /// <summary>Primaries and standbys take their places; standbys get what they lack.</summary>
    Placing,

    /// <summary>Every replica loads a checkpoint, or the seeded first weights.</summary>
    Loading,

    /// <summary>Steps are opened and committed.</summary>
    Running,

    /// <summary>Another coordinator has a higher term. This one does nothing more.</summary>
    SteppedDown,
}

/// <summary>What never changes while a coordinator lives.</summary>
/// <param name="Nodes">Processes that are to hold shards: waited for until the grace is over.</param>
/// <param name="Replicas">Standbys per shard: 0 or 1.</param>
/// <param name="GraceMilliseconds">How long missing nodes are waited for when some are here; they may be restarting.</param>
public sealed record TermRules(int Nodes, int Replicas, double GraceMilliseconds);

/// <summary>The whole state of a run's coordinator: a value. See <see cref="RunProtocol"/>.</summary>
public sealed record RunState
{
    public required TermRules Rules { get; init; }

    /// <summary>Random per process: tells two coordinators apart that claim the same term.</summary>
    public required long Claimant { get; init; }

    public required StepState Step { get; init; }
    public TermPhase Phase { get; init; } = TermPhase.WaitingForNodes;

    /// <summary>The term that is claimed or held; before the first, the highest that the disk has seen.</summary>
    public required Term Term { get; init; }

    public ImmutableSortedSet<NodeId> Nodes { get; init; } = [];

    /// <summary>Machines of <see cref="Nodes"/>, where they are known.</summary>
    public ImmutableSortedDictionary<NodeId, string> Hosts { get; init; } = ImmutableSortedDictionary<NodeId, string>.Empty;

    /// <summary>Missing nodes are no longer waited for.</summary>
    public bool GraceIsOver { get; init; }

    /// <summary>Replicas whose answer the phase waits for.</summary>
    public ImmutableSortedSet<ReplicaId> Awaited { get; init; } = [];

    public ImmutableSortedDictionary<ReplicaId, ReplicaReport> Reports { get; init; } = ImmutableSortedDictionary<ReplicaId, ReplicaReport>.Empty;

    /// <summary>By shard, of the current term; empty before.</summary>
    public ImmutableArray<ShardPlace> Places { get; init; } = [];

    /// <summary>Standbys of <see cref="Places"/> that the primary sends its state to.</summary>
    public ImmutableSortedSet<ReplicaId> Seeded { get; init; } = [];

    /// <summary>Records from the newest checkpoint on, as the log has them.</summary>
    public ImmutableSortedDictionary<StepId, CommitRecord> Recorded { get; init; } = ImmutableSortedDictionary<StepId, CommitRecord>.Empty;

    /// <summary>Last step in the log.</summary>
    public StepId Logged { get; init; }

    /// <summary>The version that all shards load, null when they hold what is needed.</summary>
    public WeightsVersion? Loading { get; init; }

    /// <summary>Why the next step waits for a new term: a standby can be had, or is to go.</summary>
    public string? RehouseReason { get; init; }

    /// <param name="diskTerm">Highest term that the disk has seen; 0 for a new run.</param>
    public static RunState Start(TermRules rules, StepRules steps, long claimant, Term diskTerm) => new()
    {
        Rules = rules,
        Claimant = claimant,
        Term = diskTerm,
        Step = StepState.Start(steps, diskTerm, new StepId(0)),
    };

    public int Shards => Step.Rules.Shards;
}
