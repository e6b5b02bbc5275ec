using System.Collections.Immutable;
using Cluster.Contracts;

namespace Cluster.Coordinator.Core;

/// <summary>Where the running step stands.</summary>
public enum StepPhase
{
    /// <summary>No step is open.</summary>
    Idle,

    /// <summary>Leaves are being computed and reduced.</summary>
    Gathering,

    /// <summary>The decision is made; its record is on its way to the log. Nothing has been sent.</summary>
    Committing,

    /// <summary>The record is written; shards are applying it.</summary>
    Applying,

    /// <summary>The run cannot go on.</summary>
    Halted,
}

/// <summary>What to do with a non-finite gradient.</summary>
public enum NonFinitePolicy
{
    /// <summary>Compute the leaf elsewhere as the next attempt; non-finite there too = halt.</summary>
    Recompute,

    /// <summary>Commit the step without applying it.</summary>
    Skip,

    Halt,
}

/// <summary>What never changes while a run lasts.</summary>
/// <param name="Shards">P.</param>
/// <param name="ParameterChunks">Chunks whose squared norms make up the global norm.</param>
/// <param name="ClipNorm">0 = off.</param>
/// <param name="LeafBudgetMilliseconds">Time after which open leaves may be leased again; 0 = never.</param>
public sealed record StepRules(int Shards, int ParameterChunks, double ClipNorm, NonFinitePolicy NonFinite, int LeafBudgetMilliseconds);

/// <summary>A worker as the protocol sees it.</summary>
/// <param name="Speed">Leaves per second, relative; 1 until measured.</param>
public sealed record WorkerStanding(WorkerId Worker, double Speed);

/// <summary>One leaf of the open step.</summary>
/// <param name="Holders">Workers that it is leased to in this attempt, first lease first.</param>
/// <param name="Done">The first report; later copies are dropped.</param>
public sealed record LeafState(ImmutableArray<WorkerId> Holders, LeafDone? Done)
{
    public static readonly LeafState Open = new([], null);
}

/// <summary>The whole state of the step protocol: a value. See <see cref="StepProtocol"/>.</summary>
public sealed record StepState
{
    public required StepRules Rules { get; init; }
    public required Term Term { get; init; }
    public StepPhase Phase { get; init; } = StepPhase.Idle;
    public ImmutableSortedDictionary<WorkerId, WorkerStanding> Workers { get; init; } = ImmutableSortedDictionary<WorkerId, WorkerStanding>.Empty;

    /// <summary>Last step that is decided: its record is in the log, and shards hold its version or are told to.</summary>
    public StepId Committed { get; init; }

    // The open step.
    public StepPlan Plan { get; init; }
    public int Attempt { get; init; }
    public double LearningRate { get; init; }
    public ImmutableArray<LeafState> Leaves { get; init; } = [];
    public ImmutableArray<ShardReduced?> Reduced { get; init; } = [];
    public ImmutableArray<bool> Applied { get; init; } = [];

    /// <summary>Leaves that were non-finite in an earlier attempt of this step, and who found them so.</summary>
    public ImmutableSortedDictionary<int, WorkerId> Suspects { get; init; } = ImmutableSortedDictionary<int, WorkerId>.Empty;

    /// <summary>The open step's record out of the log, when it is a replay.</summary>
    public CommitRecord? Recorded { get; init; }

    /// <summary>The decision, from <see cref="StepPhase.Committing"/> on.</summary>
    public CommitRecord? Record { get; init; }

    public StepId Step => Plan.Step;
    public bool AllLeavesDone => Leaves.All(static l => l.Done is not null);
    public bool AllReduced => Reduced.All(static r => r is not null);
    public bool AllApplied => Applied.All(static a => a);

    public static StepState Start(StepRules rules, Term term, StepId committed) =>
        new() { Rules = rules, Term = term, Committed = committed };
}
