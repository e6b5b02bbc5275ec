using Cluster.Contracts;

namespace Cluster.Remoting;

/// <summary>
/// Who may send which message to whom. A message without a row is sent by nobody and refused by everybody. Pure. The
/// receiver checks by the number alone, before it reads the message.
/// </summary>
public static class SenderRights
{
    private const NodeRoles Coordinator = NodeRoles.Coordinator, Shards = NodeRoles.ParameterServer, Worker = NodeRoles.Worker, Supervisor = NodeRoles.Supervisor;

    private static readonly (NodeRoles From, NodeRoles To, Type[] Messages)[] Table =
    [
        // The decisions of a run are its coordinator's alone.
        (Coordinator, Worker, [typeof(BeginStep), typeof(Routes), typeof(PushAgain), typeof(InitializeState), typeof(EvaluateBatches)]),
        (Coordinator, Shards, [typeof(ApplyStep), typeof(ClaimTerm), typeof(HoldPlace), typeof(ReportAgain), typeof(ForgetRecords), typeof(SnapshotShard), typeof(LoadShardHead), typeof(RunLayout)]),
        (Coordinator, Worker | Shards, [typeof(StepAbandoned), typeof(ShardNodes), typeof(MemberWelcome), typeof(MemberRefusal), typeof(MembershipView), typeof(Welcome)]),
        (Coordinator, Supervisor, [typeof(StepNotice), typeof(RestartNode)]),
        (Coordinator, Worker | Shards | Supervisor, [typeof(RunOver)]),

        (Worker, Coordinator, [typeof(LeafDone), typeof(LeafUnreadable), typeof(BatchEvaluated), typeof(WorkerReady), typeof(WorkerFailed), typeof(InitialStateHead)]),
        (Worker, Shards, [typeof(GradientNodeHead), typeof(RequestWeights)]),

        (Shards, Coordinator, [typeof(ShardReduced), typeof(ShardApplied), typeof(TermPromised), typeof(TermRefused), typeof(PlaceHeld), typeof(ShardLoaded), typeof(ShardSnapshotHead)]),
        (Shards, Worker, [typeof(WeightsPartHead)]),
        (Shards, Shards, [typeof(StandbyApply), typeof(StandbyApplied), typeof(StandbyLacksSum), typeof(StandbySumHead), typeof(SeedStandbyHead)]),

        (Worker | Shards, Coordinator, [typeof(MemberHello), typeof(NodeReady), typeof(NodeLeaving), typeof(SpanBatch), typeof(NodeReport)]),
        (Worker | Shards | Supervisor, Coordinator, [typeof(ProcessEvent)]),
        (Supervisor, Coordinator, [typeof(FaultsStruck)]),
    ];

    private static readonly Dictionary<Type, (NodeRoles From, NodeRoles To)> ByType =
        Table.SelectMany(static row => row.Messages.Select(type => (type, row.From, row.To))).ToDictionary(static r => r.type, static r => (r.From, r.To));

    /// <summary>All rows, for the test that no message lacks one.</summary>
    internal static IReadOnlyDictionary<Type, (NodeRoles From, NodeRoles To)> All => ByType;

    /// <summary>Whether the other end of a link may send this process a message of this type.</summary>
    public static bool May(Type message, PeerRoles roles) =>
        ByType.TryGetValue(message, out var row) && (row.From & roles.Other) != 0 && (row.To & roles.Self) != 0;

    /// <summary>Why a message is not taken, for people; null = it may come.</summary>
    /// <param name="sender">The other end's name.</param>
    public static string? Refusal(Type message, PeerRoles roles, string sender) => May(message, roles)
        ? null
        : $"{sender} sent {NameOf(message)}, which a {NodeRoleNames.Of(roles.Other)} may not send to a {NodeRoleNames.Of(roles.Self)}";

    private static string NameOf(Type message) => message.Name.EndsWith("Head", StringComparison.Ordinal) ? message.Name[..^"Head".Length] : message.Name;
}
