using Cluster.Contracts;
using Cluster.Coordinator.Core;

namespace Cluster.Simulation;

/// <summary>The term that a message carries, and the same message under another: for checks from outside and for planted bugs.</summary>
internal static class MessageTerms
{
    public static Term Of(IReplicaInput message) => message switch
    {
        ClaimTerm m => m.Term,
        HoldPlace m => m.Term,
        LoadShard m => m.Term,
        SnapshotShard m => m.Term,
        ForgetRecords m => m.Term,
        StepAbandoned m => m.Term,
        GradientNode m => m.Term,
        ReportAgain m => m.Sum.Term,
        ApplyStep m => m.Term,
        StandbyApplied m => m.Term,
        StandbyLacksSum m => m.Term,
        RequestWeights m => m.Term,
        SeedStandby m => m.Term,
        StandbySum m => m.Term,
        StandbyApply m => m.Term,
        _ => throw new InvariantViolation(InvariantNames.NeverStuck, $"{message} has no term"),
    };

    /// <summary>Claims stay as they are: whoever claims is not obeying.</summary>
    public static IReplicaInput InTerm(IReplicaInput message, Term term) => message switch
    {
        HoldPlace m => m with { Term = term },
        LoadShard m => m with { Term = term },
        SnapshotShard m => m with { Term = term },
        StepAbandoned m => m with { Term = term },
        GradientNode m => m with { Term = term },
        ReportAgain m => m with { Sum = m.Sum with { Term = term } },
        ApplyStep m => m with { Term = term },
        StandbyApplied m => m with { Term = term },
        StandbyApply m => m with { Term = term },
        StandbySum m => m with { Term = term },
        SeedStandby m => m with { Term = term },
        RequestWeights m => m with { Term = term },
        _ => message,
    };
}
