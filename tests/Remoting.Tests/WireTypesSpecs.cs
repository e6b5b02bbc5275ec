using System.Reflection;
using Cluster.Contracts;
using MessagePack;

namespace Cluster.Remoting.Tests;

/// <summary>Numbers on the wire are for ever: a type that goes takes its number with it.</summary>
public sealed class WireTypesSpecs
{
    private const string Pinned =
        """
        1 BeginStep, 2 LeafDone, 3 ShardReduced, 4 ApplyStep, 5 ShardApplied, 6 StepAbandoned, 7 ClaimTerm, 8 TermPromised, 9 TermRefused, 10 HoldPlace,
        11 PlaceHeld, 12 ShardLoaded, 13 ReportAgain, 14 ForgetRecords, 15 StandbyApply, 16 StandbyApplied, 17 StandbyLacksSum, 18 RequestWeights, 19 Routes,
        20 PushAgain, 21 InitializeState, 22 EvaluateBatches, 23 BatchEvaluated, 24 SnapshotShard, 25 WorkerReady, 26 WorkerFailed, 27 NodeReady,
        28 ShardNodes, 29 NodeLeaving, 30 RunOver, 31 StepNotice, 32 FaultsStruck, 33 ProcessEvent, 34 RunLayout, 35 MemberHello, 36 MemberWelcome,
        37 MemberRefusal, 38 MembershipView, 39 Welcome, 40 RestartNode, 41 SpanBatch, 42 NodeReport, 43 LeafUnreadable,
        101 GradientNodeHead, 102 WeightsPartHead, 103 StandbySumHead, 104 SeedStandbyHead, 105 LoadShardHead, 106 InitialStateHead, 107 ShardSnapshotHead
        """;

    /// <summary>Messages that stay in their process, or travel outside a frame.</summary>
    private static readonly Dictionary<Type, string> WithoutNumber = new()
    {
        [typeof(JoinNote)] = "the note of a link's hello",
        [typeof(StopRun)] = "from the host to the coordinator in its own process",
        [typeof(MemberLeaves)] = "a node says NodeLeaving; the table behind the coordinator's door makes this of it",
        [typeof(CoordinatorCalls)] = "travels through the membership engine that gossips, whose serializer has a table of its own",
        [typeof(MemberAnswers)] = "travels through the membership engine that gossips, whose serializer has a table of its own",
    };

    [Fact]
    public void Numbers_are_those_that_were_given_once()
    {
        var pinned = Pinned.ReplaceLineEndings(" ").Split(',', StringSplitOptions.TrimEntries).Select(static p => p.Split(' ')).ToDictionary(static p => ushort.Parse(p[0]), static p => p[1]);
        Assert.Equal(pinned.OrderBy(static p => p.Key), WireTypes.All.ToDictionary(static t => t.Key, static t => t.Value.Name).OrderBy(static p => p.Key));
        Assert.All(WireTypes.All, static t => Assert.Equal(t.Key, WireTypes.NumberOf(t.Value)));
        Assert.All(WireTypes.All, static t => Assert.Equal(t.Value.Name.EndsWith("Head", StringComparison.Ordinal), WireTypes.IsHead(t.Key)));
    }

    [Fact]
    public void Every_message_has_a_number_or_is_a_part_of_one_that_has()
    {
        var types = typeof(Term).Assembly.GetTypes().Where(static t => t.GetCustomAttribute<MessagePackObjectAttribute>() is not null).ToHashSet();
        var travel = new HashSet<Type>();
        var open = new Stack<Type>(WireTypes.All.Values.Concat(WithoutNumber.Keys));
        while (open.TryPop(out var type))
        {
            if (!travel.Add(type)) continue;
            foreach (var part in type.GetProperties().SelectMany(static p => Parts(p.PropertyType)).Where(types.Contains)) open.Push(part);
        }
        Assert.Empty(types.Except(travel).Select(static t => $"{t.Name} has no number: give it the next one of WireTypes"));
        Assert.All(WithoutNumber.Keys, static t => Assert.DoesNotContain(t, WireTypes.All.Values));
        static IEnumerable<Type> Parts(Type type) => type.IsGenericType ? type.GenericTypeArguments.SelectMany(Parts).Append(type) : [type];
    }

    [Fact]
    public void Unknown_number_strange_bytes_and_strange_types_are_refused_with_their_name()
    {
        Assert.Contains("unknown type 999", Assert.Throws<ClusterException>(() => WireTypes.Read(999, [0x90])).Message);
        Assert.Contains("ClaimTerm", Assert.Throws<ClusterException>(() => WireTypes.Read(7, [0xC1])).Message);
        Assert.Contains("empty ClaimTerm", Assert.Throws<ClusterException>(() => WireTypes.Read(7, [0xC0])).Message);
        Assert.Contains("ClaimTerm", Assert.Throws<ClusterException>(() => WireTypes.Read(7, [0x93, 0x91])).Message);
        Assert.Contains("String does not travel", Assert.Throws<ClusterException>(() => WireTypes.NumberOf(typeof(string))).Message);
        Assert.Contains("JoinNote", Assert.Throws<ClusterException>(() => WireTypes.Read<JoinNote>(new byte[] { 0xC1 })).Message);
    }

    [Fact]
    public void Random_bytes_are_a_message_or_a_cluster_exception()
    {
        var random = new Random(7);
        var refused = 0;
        foreach (var number in WireTypes.All.Keys)
        {
            for (var i = 0; i < 200; i++)
            {
                var bytes = new byte[random.Next(0, 60)];
                random.NextBytes(bytes);
                // Mostly arrays, as every message is one.
                if (bytes.Length > 0 && i % 4 != 0) bytes[0] = (byte)(0x90 + random.Next(0, 10));
                try
                {
                    WireTypes.Read(number, bytes);
                }
                catch (ClusterException)
                {
                    refused++;
                }
            }
        }
        Assert.True(refused > WireTypes.All.Count * 100, $"only {refused} refused");
    }
}
