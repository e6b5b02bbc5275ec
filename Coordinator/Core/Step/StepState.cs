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

/// <summary>When a leaf counts as late, and when its worker counts as hung. Times in milliseconds.</summary>
/// <param name="LateFactor">Leaf times above the median after which idle workers compute the leaf as well; 0 = never.</param>
/// <param name="HangFactor">Leaf times above the median after which the worker gets no more leaves until it reports one.</param>
/// <param name="HangFloor">A worker is never called hung before.</param>
/// <param name="FirstLeaf">Budget while nothing is measured: building kernels, filling caches.</param>
public sealed record StragglerRules(double LateFactor, double HangFactor, double HangFloor, double FirstLeaf)
{
    public static readonly StragglerRules Default = new(1.5, 5, 2_000, 120_000) { LateFloor = 100 };
    public static readonly StragglerRules Off = new(0, 0, 0, 0);

    /// <summary>A leaf is never late by less than this: the noise of a busy machine is no straggler.</summary>
    public double LateFloor { get; init; }

    /// <summary>A worker is called late when so many leaves in a row took longer than this factor times those of the others…</summary>
    public int SpellLeaves { get; init; } = 2;

    /// <inheritdoc cref="SpellLeaves"/>
    public double SpellFactor { get; init; } = 3;

    /// <summary>… and by so much in all: what a busy machine does to two leaves in a row is no slowness.</summary>
    public double SpellFloor { get; init; } = 400;

    /// <summary>A worker whose last leaf was late and that has none since is given one after so long, to see whether it is in time again.</summary>
    public double ProbeAfter { get; init; } = 250;

    /// <summary>A worker that was called hung is to be replaced after so long.</summary>
    public double HungPatience { get; init; } = Limits.HungPatienceMilliseconds;

    public bool IsOn => LateFactor > 0;
}

/// <summary>What never changes while a run lasts.</summary>
/// <param name="Shards">P.</param>
/// <param name="ParameterChunks">Chunks whose squared norms make up the global norm.</param>
/// <param name="Scaling">Clipping, and rates of single tensors.</param>
public sealed record StepRules(int Shards, int ParameterChunks, StepScaling Scaling, NonFinitePolicy NonFinite, StragglerRules Stragglers)
{
    /// <summary>Every so many steps one leaf is computed by two workers, whose bits are compared; 0 = never.</summary>
    public long AuditEvery { get; init; }

    /// <summary>Milliseconds that a disputed step waits for one more worker once nobody is left to ask: longer than a restart takes.</summary>
    public double DisputePatience { get; init; } = 120_000;
}

/// <summary>A worker as the protocol sees it.</summary>
/// <param name="Speed">Leaves per second; 0 until measured.</param>
/// <param name="Since">When the newest of the leaves that it is at began, in milliseconds: its grant, or its last report.</param>
/// <param name="IsHung">It let its budget pass; leaves are kept from it until it reports.</param>
/// <param name="IsBehind">It was still at a leaf of an earlier step when that step was decided without it.</param>
public sealed record WorkerStanding(WorkerId Worker, double Speed, double Since = 0, bool IsHung = false, bool IsBehind = false)
{
    /// <summary>It computes so many leaves at once, and reports them about as many at a time.</summary>
    public int Devices { get; init; } = 1;

    /// <summary>When the leaves of its other devices began, oldest first.</summary>
    public ImmutableArray<double> Others { get; init; } = [];

    /// <summary>When the oldest of the leaves that it is at began: the next report is about that one.</summary>
    public double Oldest => Others.IsEmpty ? Since : Others[0];

    /// <summary>Milliseconds of a leaf on one of its devices; only once measured.</summary>
    public double LeafMilliseconds => 1_000 * Devices / Speed;

    /// <summary>It was idle, and has leaves now.</summary>
    public WorkerStanding Begins(double now) => this with { Since = now, Others = [.. Enumerable.Repeat(now, Devices - 1)] };

    /// <summary>It is over with the oldest leaf, and at another one.</summary>
    public WorkerStanding GoesOn(double now) => this with { Since = now, Others = Others.IsEmpty ? [] : [.. Others[1..], Since] };

    /// <summary>When it was called hung, or asked to be replaced last.</summary>
    public double HungSince { get; init; }

    /// <summary>Milliseconds of its last leaf; 0 until measured.</summary>
    public double LastLeaf { get; init; }

    /// <summary>When it reported that leaf.</summary>
    public double ReportedAt { get; init; }

    /// <summary>Leaves in a row that were late, and by how many milliseconds in all.</summary>
    public int LateLeaves { get; init; }

    public double LateBy { get; init; }

    /// <summary>Its present row of late leaves has been told.</summary>
    public bool IsCalledLate { get; init; }
}

/// <summary>One leaf of the open step.</summary>
/// <param name="Done">The first report; later copies are dropped.</param>
/// <param name="Reporters">Living workers that have reported it in this attempt.</param>
/// <param name="Vouchers">All that have ever reported it in this attempt, finite: their copies may be in the sum.</param>
public sealed record LeafState(LeafDone? Done, ImmutableArray<WorkerId> Reporters, ImmutableArray<WorkerId> Vouchers)
{
    public static readonly LeafState Open = new(null, [], []);
}

/// <summary>A run of leaves that a living worker holds in this attempt.</summary>
public sealed record Lease(WorkerId Worker, LeafRange Leaves);

/// <summary>The whole state of the step protocol: a value. See <see cref="StepProtocol"/>.</summary>
public sealed record StepState
{
    public required StepRules Rules { get; init; }
    public required Term Term { get; init; }
    public StepPhase Phase { get; init; } = StepPhase.Idle;
    public ImmutableSortedDictionary<WorkerId, WorkerStanding> Workers { get; init; } = ImmutableSortedDictionary<WorkerId, WorkerStanding>.Empty;

    /// <summary>The deal of the last step: kept while nothing speaks for another, so that leases are sticky.</summary>
    public ImmutableArray<Lease> Deal { get; init; } = [];

    /// <summary>Workers whose bits were found wrong, and in which step. They get no leaves; a restart of theirs does not either.</summary>
    public ImmutableSortedDictionary<WorkerId, StepId> Quarantined { get; init; } = ImmutableSortedDictionary<WorkerId, StepId>.Empty;

    /// <summary>Those of <see cref="Quarantined"/> that no record names yet.</summary>
    public ImmutableSortedSet<WorkerId> Unlogged { get; init; } = [];

    /// <summary>Last step that is decided: its record is in the log, and shards hold its version or are told to.</summary>
    public StepId Committed { get; init; }

    // The open step.
    public StepPlan Plan { get; init; }
    public int Attempt { get; init; }
    public double LearningRate { get; init; }

    /// <summary>What is known about the version that the open step begins with; goes into its record.</summary>
    public EvaluationNote? Evaluation { get; init; }

    public ImmutableArray<LeafState> Leaves { get; init; } = [];
    public ImmutableArray<Lease> Leases { get; init; } = [];
    public ImmutableArray<ShardReduced?> Reduced { get; init; } = [];
    public ImmutableArray<bool> Applied { get; init; } = [];

    /// <summary>Shards that hold the step's version already (a replay after a takeover); they neither reduce nor apply.</summary>
    public ImmutableArray<bool> Ahead { get; init; } = [];

    /// <summary>Leaves that were non-finite in an earlier attempt of this step, and who found them so.</summary>
    public ImmutableSortedDictionary<int, WorkerId> Suspects { get; init; } = ImmutableSortedDictionary<int, WorkerId>.Empty;

    /// <summary>Samples of the open step that cannot be decoded, each with its leaf (-1 in a replay, whose record does not say). They grow by an attempt.</summary>
    public ImmutableSortedDictionary<int, int> LeftOut { get; init; } = ImmutableSortedDictionary<int, int>.Empty;

    /// <summary>Leaves of which nothing is left, ascending.</summary>
    public ImmutableArray<int> EmptyLeaves { get; init; } = [];

    /// <summary>Who could not read which leaf of a step that is replayed.</summary>
    public ImmutableSortedSet<(int Leaf, WorkerId Worker)> Blind { get; init; } = [];

    /// <summary>The open step is one whose leaf is audited, and no verdict has come yet.</summary>
    public bool IsAuditDue { get; init; }

    /// <summary>The audit of the open step; null when there is none, or nobody to compare with.</summary>
    public LeafAudit? Audit { get; init; }

    /// <summary>A sum was not finite in an earlier attempt of this step although every leaf that was counted is.</summary>
    public bool SumWasNonFinite { get; init; }

    /// <summary>The open step's record out of the log, when it is a replay.</summary>
    public CommitRecord? Recorded { get; init; }

    /// <summary>The decision, from <see cref="StepPhase.Committing"/> on.</summary>
    public CommitRecord? Record { get; init; }

    /// <summary>The sum that the decision is about.</summary>
    public SumKey Sum { get; init; }

    public StepId Step => Plan.Step;

    /// <summary>The open step's order to a worker.</summary>
    public BeginStep OrderOf(IReadOnlyList<LeafRange> leases, TraceContext trace) => new(
        Term, Step, Attempt, Plan.LeafCount, leases, trace, Audit?.Leaf, LeftOut.IsEmpty ? null : [.. LeftOut.Keys], EmptyLeaves.IsEmpty ? null : EmptyLeaves);

    /// <summary>All leaves are reported, and one is not finite, or none has a sample: no sum will come, or none is wanted.</summary>
    public bool HasNoSum => AllLeavesDone && (Leaves.Any(static l => !l.Done!.IsFinite) || EmptyLeaves.Length == Leaves.Length);

    public bool AllLeavesDone => Leaves.All(static l => l.Done is not null);
    public bool AllReduced => Reduced.Zip(Ahead).All(static r => r.First is not null || r.Second);
    public bool AllApplied => Applied.All(static a => a);

    public static StepState Start(StepRules rules, Term term, StepId committed) =>
        new() { Rules = rules, Term = term, Committed = committed };

    /// <summary>
    /// The same workers under a new term: whatever was open is void. So is what they were at; no report of it will come
    /// that could clear one of being behind or hung.
    /// </summary>
    public StepState InTerm(Term term, StepId committed) => Start(Rules, term, committed) with
    {
        Workers = Workers.ToImmutableSortedDictionary(static w => w.Key, static w => w.Value with { IsHung = false, IsBehind = false }),
        Deal = Deal,
        Quarantined = Quarantined,
        Unlogged = Unlogged,
    };
}
