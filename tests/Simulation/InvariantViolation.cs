using Cluster.Contracts;

namespace Cluster.Simulation;

/// <summary>A promise of the protocol was broken.</summary>
public sealed class InvariantViolation : ClusterException
{
    public InvariantViolation(string invariant, string sentence) : base($"{invariant}: {sentence}") => Invariant = invariant;
    public InvariantViolation(string message) : base(message) { }
    public InvariantViolation(string message, Exception inner) : base(message, inner) { }
    public InvariantViolation() { }

    /// <summary>One of the names in <see cref="InvariantNames"/>.</summary>
    public string Invariant { get; } = "";
}

/// <summary>What is checked after every event.</summary>
public static class InvariantNames
{
    public const string OneRecordPerStep = "one record per step";
    public const string EachSampleOnce = "each sample once per epoch";
    public const string LogNeverGoesBack = "the logged step never goes back";
    public const string OldOrdersAreVoid = "nothing of an old term or attempt has an effect";
    public const string StandbyHasIt = "no shard shows what its standby lacks";
    public const string AllPromisedFirst = "nobody acts before all have promised";
    public const string SameBits = "the same bits as the undisturbed run";
    public const string RecordFirst = "the record comes before the update";

    /// <summary>Who is quarantined has said wrong bits, and nothing of it is in a sum from then on.</summary>
    public const string OnlyLiars = "liars alone are quarantined, and with all that they computed";

    /// <summary>What a record leaves out somebody could not decode, and what nobody can decode it leaves out.</summary>
    public const string LeftOutRightly = "what cannot be decoded is left out, and nothing else";

    /// <summary>A host dies as a whole.</summary>
    public const string StandbyElsewhere = "a shard and its standby share a host only if there is no other";

    /// <summary>Not of one event, but of the run: after the last fault it finishes, and old coordinators step down.</summary>
    public const string Finishes = "the run finishes";

    /// <summary>A state machine had no answer to an input, or halted the run.</summary>
    public const string NeverStuck = "no input is without an answer";

    public static readonly IReadOnlyList<string> All =
        [OneRecordPerStep, EachSampleOnce, LogNeverGoesBack, OldOrdersAreVoid, StandbyHasIt, AllPromisedFirst, SameBits, RecordFirst, OnlyLiars, LeftOutRightly, StandbyElsewhere, Finishes, NeverStuck];
}
