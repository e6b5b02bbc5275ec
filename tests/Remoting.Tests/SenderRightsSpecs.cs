namespace Cluster.Remoting.Tests;

/// <summary>Who may send what to whom; a message that nobody thought of is sent by nobody.</summary>
public sealed class SenderRightsSpecs
{
    private static readonly string[] Names = ["coordinator", "ps", "worker", "supervisor"];

    public static TheoryData<string, string, string> Pairs => new()
    {
        { "coordinator", "worker", "BeginStep, EvaluateBatches, InitializeState, MemberRefusal, MemberWelcome, MembershipView, PushAgain, Routes, RunOver, ShardNodes, StepAbandoned, Welcome" },
        { "coordinator", "ps", "ApplyStep, ClaimTerm, ForgetRecords, HoldPlace, LoadShardHead, MemberRefusal, MemberWelcome, MembershipView, ReportAgain, RunLayout, RunOver, ShardNodes, SnapshotShard, StepAbandoned, Welcome" },
        { "coordinator", "supervisor", "RestartNode, RunOver, StepNotice" },
        { "coordinator", "coordinator", "" },
        { "worker", "coordinator", "BatchEvaluated, InitialStateHead, LeafDone, LeafUnreadable, MemberHello, NodeLeaving, NodeReady, NodeReport, ProcessEvent, SpanBatch, WorkerFailed, WorkerReady" },
        { "worker", "ps", "GradientNodeHead, RequestWeights" },
        { "worker", "worker", "" },
        { "worker", "supervisor", "" },
        { "ps", "coordinator", "MemberHello, NodeLeaving, NodeReady, NodeReport, PlaceHeld, ProcessEvent, ShardApplied, ShardLoaded, ShardReduced, ShardSnapshotHead, SpanBatch, TermPromised, TermRefused" },
        { "ps", "worker", "WeightsPartHead" },
        { "ps", "ps", "SeedStandbyHead, StandbyApplied, StandbyApply, StandbyLacksSum, StandbySumHead" },
        { "ps", "supervisor", "" },
        { "supervisor", "coordinator", "FaultsStruck, ProcessEvent" },
        { "supervisor", "ps", "" },
        { "supervisor", "worker", "" },
        { "supervisor", "supervisor", "" },
    };

    [Theory]
    [MemberData(nameof(Pairs))]
    public void Role_may_send_these_and_no_others(string from, string to, string messages)
    {
        var roles = PeerRoles.Of(self: to, other: from);
        Assert.Equal(messages, string.Join(", ", WireTypes.All.Values.Where(type => SenderRights.May(type, roles)).Select(static type => type.Name).Order(StringComparer.Ordinal)));
    }

    [Fact]
    public void Every_pair_of_roles_is_pinned()
    {
        var pinned = Pairs.Select(static row => (row.Data.Item1, row.Data.Item2)).ToHashSet();
        var open = from sender in Names from receiver in Names where !pinned.Contains((sender, receiver)) select PeerRoles.Of(receiver, sender);
        Assert.All(open, static roles => Assert.DoesNotContain(WireTypes.All.Values, type => SenderRights.May(type, roles)));
    }

    [Fact]
    public void Every_message_that_travels_has_one_row_and_somebody_who_sends_it()
    {
        Assert.Empty(WireTypes.All.Values.Except(SenderRights.All.Keys).Select(static type => $"{type.Name} has no row: SenderRights says who may send it"));
        Assert.Empty(SenderRights.All.Keys.Except(WireTypes.All.Values).Select(static type => $"{type.Name} does not travel"));
        Assert.All(SenderRights.All.Values, static row => Assert.True(row is { From: not NodeRoles.None, To: not NodeRoles.None }));
    }

    [Fact]
    public void No_role_is_no_right_and_a_type_without_a_row_is_refused()
    {
        foreach (var type in WireTypes.All.Values)
        {
            Assert.False(SenderRights.May(type, new PeerRoles(NodeRoles.Coordinator, NodeRoleNames.Parse("boss"))));
            Assert.False(SenderRights.May(type, default));
        }
        Assert.False(SenderRights.May(typeof(string), PeerRoles.Of("worker", "coordinator")));
        Assert.Contains("'boss'", Assert.Throws<Contracts.ClusterException>(static () => PeerRoles.Of("worker", "boss")).Message);
    }

    [Fact]
    public void Refusal_names_the_sender_the_message_and_both_roles()
    {
        Assert.Null(SenderRights.Refusal(typeof(Contracts.LeafDone), PeerRoles.Of("coordinator", "worker"), "worker-1"));
        Assert.Equal("worker-1 sent ApplyStep, which a worker may not send to a ps", SenderRights.Refusal(typeof(Contracts.ApplyStep), PeerRoles.Of("ps", "worker"), "worker-1"));
        Assert.Equal("ps-0 sent GradientNode, which a ps may not send to a ps", SenderRights.Refusal(typeof(Contracts.GradientNodeHead), PeerRoles.Of("ps", "ps"), "ps-0"));
    }
}
