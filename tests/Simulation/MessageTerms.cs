using Cluster.Contracts;
using Cluster.Coordinator.Core;

namespace Cluster.Simulation;

/// <summary>The same message under another term: for planted bugs.</summary>
internal static class MessageTerms
{
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
