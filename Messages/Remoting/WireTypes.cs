using Cluster.Contracts;
using MessagePack;

namespace Cluster.Remoting;

/// <summary>Which message has which number on the wire. Numbers are never used again.</summary>
public static class WireTypes
{
    private static readonly MessagePackSerializerOptions Options = MessagePackSerializerOptions.Standard.WithSecurity(MessagePackSecurity.UntrustedData);

    private static readonly (ushort Number, Type Type)[] Table =
    [
        (1, typeof(BeginStep)), (2, typeof(LeafDone)), (3, typeof(ShardReduced)), (4, typeof(ApplyStep)), (5, typeof(ShardApplied)), (6, typeof(StepAbandoned)),
        (7, typeof(ClaimTerm)), (8, typeof(TermPromised)), (9, typeof(TermRefused)), (10, typeof(HoldPlace)), (11, typeof(PlaceHeld)), (12, typeof(ShardLoaded)),
        (13, typeof(ReportAgain)), (14, typeof(ForgetRecords)), (15, typeof(StandbyApply)), (16, typeof(StandbyApplied)), (17, typeof(StandbyLacksSum)),
        (18, typeof(RequestWeights)), (19, typeof(Routes)), (20, typeof(PushAgain)), (21, typeof(InitializeState)), (22, typeof(EvaluateBatches)),
        (23, typeof(BatchEvaluated)), (24, typeof(SnapshotShard)), (25, typeof(WorkerReady)), (26, typeof(WorkerFailed)), (27, typeof(NodeReady)),
        (28, typeof(ShardNodes)), (29, typeof(NodeLeaving)), (30, typeof(RunOver)), (31, typeof(StepNotice)), (32, typeof(FaultsStruck)), (33, typeof(ProcessEvent)),
        (34, typeof(RunLayout)), (35, typeof(MemberHello)), (36, typeof(MemberWelcome)), (37, typeof(MemberRefusal)), (38, typeof(MembershipView)), (39, typeof(Welcome)),
        (40, typeof(RestartNode)), (41, typeof(SpanBatch)), (42, typeof(NodeReport)), (43, typeof(LeafUnreadable)),
        (101, typeof(GradientNodeHead)), (102, typeof(WeightsPartHead)), (103, typeof(StandbySumHead)), (104, typeof(SeedStandbyHead)), (105, typeof(LoadShardHead)),
        (106, typeof(InitialStateHead)), (107, typeof(ShardSnapshotHead)),
    ];

    /// <summary>Numbers from here on are heads of messages with tensors.</summary>
    private const ushort FirstHead = 101;

    private static readonly Dictionary<ushort, Type> ByNumber = Table.ToDictionary(static t => t.Number, static t => t.Type);
    private static readonly Dictionary<Type, ushort> ByType = Table.ToDictionary(static t => t.Type, static t => t.Number);

    /// <exception cref="ClusterException">This type does not travel.</exception>
    public static ushort NumberOf(Type type) => ByType.TryGetValue(type, out var number) ? number : throw new ClusterException($"a {type?.Name} does not travel between processes");

    /// <summary>Null for a number that nobody has.</summary>
    internal static Type? TypeOf(ushort number) => ByNumber.GetValueOrDefault(number);

    /// <summary>True for the head of a message that carries tensors: it never comes without them.</summary>
    internal static bool IsHead(ushort number) => number >= FirstHead && ByNumber.ContainsKey(number);

    /// <summary>All numbers, for the tests that pin them.</summary>
    internal static IReadOnlyDictionary<ushort, Type> All => ByNumber;

    public static byte[] Write(object message)
    {
        ArgumentNullException.ThrowIfNull(message);
        return MessagePackSerializer.Serialize(message.GetType(), message, Options);
    }

    /// <exception cref="ClusterException">No such number, or not such a message.</exception>
    /// <exception cref="IncompleteMessageException">It lacks what its type promises.</exception>
    public static object Read(ushort number, ReadOnlySpan<byte> body)
    {
        if (!ByNumber.TryGetValue(number, out var type)) throw new ClusterException($"a message of the unknown type {number}");
        try
        {
            return Completeness.Demand(MessagePackSerializer.Deserialize(type, body.ToArray(), Options) ?? throw new ClusterException($"an empty {type.Name}"));
        }
        catch (MessagePackSerializationException e)
        {
            throw new ClusterException($"bytes that are no {type.Name}: {e.InnerException?.Message ?? e.Message}", e);
        }
    }

    /// <summary>A message outside a frame: a join note, a greeting.</summary>
    public static byte[] Write<T>(T message) => MessagePackSerializer.Serialize(message, Options);

    /// <exception cref="ClusterException">Not such a message.</exception>
    /// <exception cref="IncompleteMessageException">It lacks what its type promises.</exception>
    public static T Read<T>(ReadOnlyMemory<byte> body)
    {
        try
        {
            return (T)Completeness.Demand(MessagePackSerializer.Deserialize<T>(body, Options) ?? throw new ClusterException($"an empty {typeof(T).Name}"));
        }
        catch (MessagePackSerializationException e)
        {
            throw new ClusterException($"bytes that are no {typeof(T).Name}: {e.InnerException?.Message ?? e.Message}", e);
        }
    }
}
