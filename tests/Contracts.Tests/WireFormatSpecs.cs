using System.Reflection;
using Cluster.Contracts;
using MessagePack;
using MessagePack.Resolvers;

namespace Cluster.Contracts.Tests;

/// <summary>The bytes of every message. A change here breaks rolling upgrades: keys are never reused, new ones go last.</summary>
public sealed class WireFormatSpecs
{
    private static readonly MessagePackSerializerOptions Options =
        MessagePackSerializerOptions.Standard.WithResolver(StandardResolver.Instance).WithSecurity(MessagePackSecurity.UntrustedData);

    private static readonly TraceContext Trace = new(0x0102030405060708, 9, 10, true);

    private static readonly CommitRecord Record = new(
        new Term(2), new StepId(300), 1, 4, 512, 2.5, 0.25, 8, 0.5, 0.125, true, [new LeafRecord(new WorkerId(1), 64, 0xFEDCBA9876543210)], [new WorkerId(2)],
        [0.5, 1], new EvaluationNote(new WeightsVersion(299), 2.5, 0.25), [7, 300]);

    // Written out by hand from the MessagePack specification: 9n = array of n, cd/cf = uint16/uint64, cb = float64, c3 = true, c0 = nil.
    private const string TermHex = "9102", StepHex = "91cd012c", TraceHex = "94" + "cf0102030405060708" + "09" + "0a" + "c3", LeafHex = "93" + "9101" + "40" + "cffedcba9876543210";

    private const string UndecodedHex = "92" + "cd012c" + "a4676f6e65";

    private const string NoteHex = "93" + "91cd012b" + "cb4004000000000000" + "cb3fd0000000000000";

    private const string RecordHex =
        "dc0010" + TermHex + StepHex + "01" + "04" + "cd0200" + "cb4004000000000000" + "cb3fd0000000000000" + "cb4020000000000000" + "cb3fe0000000000000" + "cb3fc0000000000000" +
        "c3" + "91" + LeafHex + "91" + "9102" + "92" + "cb3fe0000000000000" + "cb3ff0000000000000" + NoteHex + "9207cd012c";

    private static readonly Member Worker1 = new("worker-1", MemberRole.Worker, 1, 300, ":1", MemberState.Leaving);

    private static readonly MembershipView View = new(7, new Term(2), null, [Worker1], "gone");

    private const string Worker1Hex = "96" + "a8" + "776f726b65722d31" + "02" + "01" + "cd012c" + "a23a31" + "01", ViewHex = "95" + "07" + TermHex + "c0" + "91" + Worker1Hex + "a4676f6e65";

    // A shard on two nodes, a sum, and what a copy of the shard reports.
    private static readonly NodeId Node = new(0, 300);
    private static readonly ReplicaId Replica = new(new ShardId(3), Node);
    private static readonly ShardPlace Place = new(new ShardId(3), Node, new NodeId(1, 5)), LonePlace = new(new ShardId(3), Node, null);
    private static readonly SumKey SumOf = new(new Term(2), new StepId(300), 1);
    private static readonly ReplicaReport Report = new(new WeightsVersion(300), true, SumOf, false, [Record]);
    private static readonly LayoutTensor Tensor = new("gone", [2, 3], StateKind.Buffer, true);

    private const string Gone = "a4676f6e65", NodeHex = "92" + "00" + "cd012c", ReplicaHex = "92" + "9103" + NodeHex, PlaceHex = "93" + "9103" + NodeHex + "920105",
        LonePlaceHex = "93" + "9103" + NodeHex + "c0", SumHex = "93" + TermHex + StepHex + "01", ReportHex = "95" + StepHex + "c3" + SumHex + "c2" + "91" + RecordHex,
        TensorHex = "94" + Gone + "920203" + "01" + "c3";

    private static readonly Dictionary<Type, (object Message, string Hex)> Golden = new()
    {
        [typeof(Term)] = (new Term(2), TermHex),
        [typeof(StepId)] = (new StepId(300), StepHex),
        [typeof(WeightsVersion)] = (new WeightsVersion(299), "91cd012b"),
        [typeof(WorkerId)] = (new WorkerId(1), "9101"),
        [typeof(ShardId)] = (new ShardId(3), "9103"),
        [typeof(LeafRange)] = (new LeafRange(4, 2), "920402"),
        [typeof(TreeNode)] = (new TreeNode(1, 2), "920102"),
        [typeof(TraceContext)] = (Trace, TraceHex),
        [typeof(LeafRecord)] = (Record.Leaves[0], LeafHex),
        [typeof(EvaluationNote)] = (Record.Evaluation!, NoteHex),
        [typeof(CommitRecord)] = (Record, RecordHex),
        [typeof(BeginStep)] = (new BeginStep(new Term(2), new StepId(300), 1, 8, [new LeafRange(0, 4), new LeafRange(6, 1)], Trace, 3, [7, 300], [6]), "99" + TermHex + StepHex + "01" + "08" + "92" + "920004" + "920601" + TraceHex + "03" + "9207cd012c" + "9106"),
        [typeof(LeafDone)] = (new LeafDone(new Term(2), new StepId(300), 1, 5, new WorkerId(1), 64, 147.5, 31, 77, true, null, Trace, "ab", 1.5f, 2), "9f" + TermHex + StepHex + "01" + "05" + "9101" + "40" + "cb4062700000000000" + "1f" + "4d" + "c3" + "c0" + TraceHex + "a26162" + "ca3fc00000" + "ca40000000"),
        [typeof(UndecodedSample)] = (new UndecodedSample(300, "gone"), UndecodedHex),
        [typeof(LeafUnreadable)] = (new LeafUnreadable(new Term(2), new StepId(300), 1, 5, new WorkerId(1), [new UndecodedSample(300, "gone")], Trace), "97" + TermHex + StepHex + "01" + "05" + "9101" + "91" + UndecodedHex + TraceHex),
        [typeof(ShardReduced)] = (new ShardReduced(new Term(2), new StepId(300), 1, new ShardId(3), 12, [1.5, 2], [new Contribution(new TreeNode(1, 2), new WorkerId(4))], Trace, [2.5], 0.25), "9a" + TermHex + StepHex + "01" + "9103" + "0c" + "92" + "cb3ff8000000000000" + "cb4000000000000000" + "91" + "92" + "920102" + "9104" + TraceHex + "91" + "cb4004000000000000" + "cb3fd0000000000000"),
        [typeof(Contribution)] = (new Contribution(new TreeNode(1, 2), new WorkerId(4)), "92" + "920102" + "9104"),
        [typeof(ApplyStep)] = (new ApplyStep(new Term(2), Record, SumOf, Trace), "94" + TermHex + RecordHex + SumHex + TraceHex),
        [typeof(ShardApplied)] = (new ShardApplied(new Term(2), new WeightsVersion(300), new ShardId(3), Trace), "94" + TermHex + StepHex + "9103" + TraceHex),
        [typeof(StepAbandoned)] = (new StepAbandoned(new Term(2), new StepId(300), 1, "worker-1 left", Trace), "95" + TermHex + StepHex + "01" + "ad" + "776f726b65722d31206c656674" + TraceHex),
        [typeof(InitializeState)] = (new InitializeState(new Term(2), 11), "92" + TermHex + "0b"),
        [typeof(EvaluateBatches)] = (new EvaluateBatches(new Term(2), new WeightsVersion(300), [3, 4], Trace, true), "95" + TermHex + StepHex + "920304" + TraceHex + "c3"),
        [typeof(BatchEvaluated)] = (new BatchEvaluated(new Term(2), new WeightsVersion(300), 3, new WorkerId(1), 2, 147.5, 1, 2, [7, 9], [new UndecodedSample(300, "gone")]), "9a" + TermHex + StepHex + "03" + "9101" + "02" + "cb4062700000000000" + "01" + "02" + "920709" + "91" + UndecodedHex),
        [typeof(SnapshotShard)] = (new SnapshotShard(new Term(2), new WeightsVersion(300)), "92" + TermHex + StepHex),
        [typeof(WorkerReady)] = (new WorkerReady(new WorkerId(1), 4), "92" + "9101" + "04"),
        [typeof(WorkerFailed)] = (new WorkerFailed(new WorkerId(1), "gone", true), "93" + "9101" + "a4" + "676f6e65" + "c3"),
        [typeof(Member)] = (Worker1, Worker1Hex),
        [typeof(MembershipView)] = (View, ViewHex),
        [typeof(MemberHello)] = (new MemberHello(null, MemberRole.ParameterServer, 300, ":1"), "94" + "c0" + "01" + "cd012c" + "a23a31"),
        [typeof(MemberWelcome)] = (new MemberWelcome("gone", View), "92" + "a4676f6e65" + ViewHex),
        [typeof(MemberRefusal)] = (new MemberRefusal("gone", true), "92" + "a4676f6e65" + "c3"),
        [typeof(MemberLeaves)] = (new MemberLeaves("worker-1", 300), "92" + "a8" + "776f726b65722d31" + "cd012c"),
        [typeof(CoordinatorCalls)] = (new CoordinatorCalls(new Term(2), 7), "92" + TermHex + "07"),
        [typeof(MemberAnswers)] = (new MemberAnswers(300, new MemberHello(null, MemberRole.ParameterServer, 300, ":1")), "92" + "cd012c" + "94" + "c0" + "01" + "cd012c" + "a23a31"),
        [typeof(StopRun)] = (new StopRun("gone"), "91" + "a4" + "676f6e65"),

        [typeof(NodeId)] = (Node, NodeHex),
        [typeof(ReplicaId)] = (Replica, ReplicaHex),
        [typeof(ShardPlace)] = (Place, PlaceHex),
        [typeof(SumKey)] = (SumOf, SumHex),
        [typeof(ReplicaReport)] = (Report, ReportHex),
        [typeof(ClaimTerm)] = (new ClaimTerm(new Term(2), 77, new ShardId(3)), "93" + TermHex + "4d" + "9103"),
        [typeof(TermPromised)] = (new TermPromised(new Term(2), 77, Replica, Report), "94" + TermHex + "4d" + ReplicaHex + ReportHex),
        [typeof(TermRefused)] = (new TermRefused(new Term(2), new Term(3), Replica), "93" + TermHex + "9103" + ReplicaHex),
        [typeof(HoldPlace)] = (new HoldPlace(new Term(2), Place, true), "93" + TermHex + PlaceHex + "c3"),
        [typeof(PlaceHeld)] = (new PlaceHeld(new Term(2), Replica), "92" + TermHex + ReplicaHex),
        [typeof(ShardLoaded)] = (new ShardLoaded(new Term(2), new WeightsVersion(300), Replica), "93" + TermHex + StepHex + ReplicaHex),
        [typeof(ReportAgain)] = (new ReportAgain(SumOf, new ShardId(3)), "92" + SumHex + "9103"),
        [typeof(ForgetRecords)] = (new ForgetRecords(new Term(2), new WeightsVersion(300), new ShardId(3)), "93" + TermHex + StepHex + "9103"),
        [typeof(StandbyApply)] = (new StandbyApply(new Term(2), new ShardId(3), Record, SumOf, Trace), "95" + TermHex + "9103" + RecordHex + SumHex + TraceHex),
        [typeof(StandbyApplied)] = (new StandbyApplied(new Term(2), new ShardId(3), new WeightsVersion(300)), "93" + TermHex + "9103" + StepHex),
        [typeof(StandbyLacksSum)] = (new StandbyLacksSum(new Term(2), new ShardId(3), SumOf), "93" + TermHex + "9103" + SumHex),
        [typeof(RequestWeights)] = (new RequestWeights(new Term(2), new WeightsVersion(300), new ShardId(3), new WorkerId(1), true), "95" + TermHex + StepHex + "9103" + "9101" + "c3"),
        [typeof(Routes)] = (new Routes(new Term(2), [Place, LonePlace]), "92" + TermHex + "92" + PlaceHex + LonePlaceHex),
        [typeof(PushAgain)] = (new PushAgain(new Term(2), new StepId(300), 1, [new ShardId(0), new ShardId(3)]), "94" + TermHex + StepHex + "01" + "92" + "9100" + "9103"),

        [typeof(JoinNote)] = (new JoinNote("0.1", ":1", "gone", 300), "94" + "a3302e31" + "a23a31" + Gone + "cd012c"),
        [typeof(OptionText)] = (new OptionText("lr", "0.1"), "92" + "a26c72" + "a3302e31"),
        [typeof(Welcome)] = (new Welcome("r", "ps-0", [new OptionText("lr", "0.1")], "gone", ":1", 300, new Term(2), "/r", 1000),
            "99" + "a172" + "a470732d30" + "91" + "92" + "a26c72" + "a3302e31" + Gone + "a23a31" + "cd012c" + TermHex + "a22f72" + "cd03e8"),
        [typeof(NodeReady)] = (new NodeReady("", "gone", ":1", "lr"), "94" + "a0" + Gone + "a23a31" + "a26c72"),
        [typeof(ShardNode)] = (new ShardNode(Node, ":1"), "92" + NodeHex + "a23a31"),
        [typeof(ShardNodes)] = (new ShardNodes([new ShardNode(Node, ":1")]), "91" + "91" + "92" + NodeHex + "a23a31"),
        [typeof(NodeLeaving)] = (new NodeLeaving("gone"), "91" + Gone),
        [typeof(RunOver)] = (new RunOver(true, "gone"), "92" + "c3" + Gone),
        [typeof(StepNotice)] = (new StepNotice(new StepId(300), true), "92" + StepHex + "c3"),
        [typeof(SpanTag)] = (new SpanTag("gone", "lr"), "92" + Gone + "a26c72"),
        [typeof(SpanLink)] = (new SpanLink(1, 2, 3, [new SpanTag("gone", "lr")]), "94" + "01" + "02" + "03" + "91" + "92" + Gone + "a26c72"),
        [typeof(SpanRecord)] = (new SpanRecord(1, 2, 3, 4, "lr", 5, 6, [], [], "gone"), "9a" + "01" + "02" + "03" + "04" + "a26c72" + "05" + "06" + "90" + "90" + Gone),
        [typeof(SpanBatch)] = (new SpanBatch([], 7), "92" + "90" + "07"),
        [typeof(NodeFigure)] = (new NodeFigure("gone", "lr", 0.5, 2, [1, 1]), "95" + Gone + "a26c72" + "cb3fe0000000000000" + "02" + "920101"),
        [typeof(NodeReport)] = (new NodeReport([]), "91" + "90"),
        [typeof(RestartNode)] = (new RestartNode("gone", "lr"), "92" + Gone + "a26c72"),
        [typeof(FaultsStruck)] = (new FaultsStruck(new StepId(300)), "91" + StepHex),
        [typeof(ProcessEvent)] = (new ProcessEvent("lr", "ps-0", "gone", 5), "94" + "a26c72" + "a470732d30" + Gone + "05"),
        [typeof(LayoutTensor)] = (Tensor, TensorHex),
        [typeof(RunLayout)] = (new RunLayout([Tensor, Tensor with { Shape = [], Kind = StateKind.Counter }], true), "92" + "92" + TensorHex + "94" + Gone + "90" + "02" + "c3" + "c3"),

        [typeof(GradientNodeHead)] = (new GradientNodeHead(new Term(2), new StepId(300), 1, new TreeNode(1, 2), 8, new WorkerId(1), 65_536, Trace, [6]),
            "99" + TermHex + StepHex + "01" + "920102" + "08" + "9101" + "ce00010000" + TraceHex + "9106"),
        [typeof(WeightsPartHead)] = (new WeightsPartHead(new Term(2), new WeightsVersion(300), new ShardId(3), 65_536, Trace, true), "96" + TermHex + StepHex + "9103" + "ce00010000" + TraceHex + "c3"),
        [typeof(StandbySumHead)] = (new StandbySumHead(new Term(2), new ShardId(3), SumOf), "93" + TermHex + "9103" + SumHex),
        [typeof(SeedStandbyHead)] = (new SeedStandbyHead(new Term(2), new ShardId(3), new WeightsVersion(300), 299, [Record], true, ["gone"]),
            "97" + TermHex + "9103" + StepHex + "cd012b" + "91" + RecordHex + "c3" + "91" + Gone),
        [typeof(LoadShardHead)] = (new LoadShardHead(new Term(2), new WeightsVersion(300), ["gone"], 299, 65_536, Trace), "96" + TermHex + StepHex + "91" + Gone + "cd012b" + "ce00010000" + TraceHex),
        [typeof(InitialStateHead)] = (new InitialStateHead(new Term(2), new WorkerId(1)), "92" + TermHex + "9101"),
        [typeof(ShardSnapshotHead)] = (new ShardSnapshotHead(new Term(2), new WeightsVersion(300), new ShardId(3), 65_536, 299, ["gone"]),
            "96" + TermHex + StepHex + "9103" + "ce00010000" + "cd012b" + "91" + Gone),
    };

    private static IEnumerable<Type> Messages => typeof(Term).Assembly.GetTypes().Where(t => t.GetCustomAttribute<MessagePackObjectAttribute>() is not null);

    public static TheoryData<string> Names => [.. Messages.Select(t => t.Name)];

    [Theory]
    [MemberData(nameof(Names))]
    public void Message_has_its_pinned_bytes_and_reads_back_from_them(string name)
    {
        var type = Messages.Single(t => t.Name == name);
        Assert.True(Golden.TryGetValue(type, out var golden), $"{name} travels, but its bytes are not pinned: add it to {nameof(Golden)}");
        var bytes = MessagePackSerializer.Serialize(type, golden.Message, Options);
        Assert.Equal(golden.Hex, Convert.ToHexStringLower(bytes));
        var read = MessagePackSerializer.Deserialize(type, Convert.FromHexString(golden.Hex), Options);
        AssertSame(golden.Message, read);
        Assert.Equal(bytes, MessagePackSerializer.Serialize(type, read, Options));
    }

    /// <summary>Key by key: a record's own equality compares lists by reference.</summary>
    private static void AssertSame(object? expected, object? actual)
    {
        if (expected is System.Collections.IEnumerable list and not string)
        {
            var (left, right) = (list.Cast<object>().ToArray(), Assert.IsAssignableFrom<System.Collections.IEnumerable>(actual).Cast<object>().ToArray());
            Assert.Equal(left.Length, right.Length);
            foreach (var (a, b) in left.Zip(right)) AssertSame(a, b);
        }
        else if (expected?.GetType().GetCustomAttribute<MessagePackObjectAttribute>() is not null)
        {
            Assert.IsType(expected.GetType(), actual);
            foreach (var key in expected.GetType().GetProperties().Where(p => p.GetCustomAttribute<KeyAttribute>() is not null))
                AssertSame(key.GetValue(expected), key.GetValue(actual));
        }
        else
        {
            Assert.Equal(expected, actual);
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Keys_are_integers_dense_and_in_constructor_order(string name)
    {
        var type = Messages.Single(t => t.Name == name);
        var parameters = type.GetConstructors().Where(c => c.GetParameters().Length > 0).OrderBy(c => c.GetParameters().Length).Last().GetParameters();
        var keys = parameters.Select(p => type.GetProperty(p.Name!)!.GetCustomAttribute<KeyAttribute>()?.IntKey).ToArray();
        Assert.Equal(Enumerable.Range(0, parameters.Length).Select(i => (int?)i), keys);
        Assert.Equal(parameters.Length, type.GetProperties().Count(p => p.GetCustomAttribute<KeyAttribute>() is not null));
    }

    [Fact]
    public void Leaf_without_its_finite_flag_is_unproven()
    {
        // An older sender's shorter array: nine keys, the finite flag absent.
        var bytes = Convert.FromHexString("99" + "9102" + "91cd012c" + "01" + "05" + "9101" + "40" + "cb4062700000000000" + "1f" + "4d");
        var leaf = MessagePackSerializer.Deserialize<LeafDone>(bytes, Options);
        Assert.False(leaf.IsFinite);
        Assert.True(leaf.Trace.IsEmpty);
    }

    [Fact]
    public void Garbage_is_an_exception_and_not_a_message()
    {
        Assert.Throws<MessagePackSerializationException>(() => MessagePackSerializer.Deserialize<BeginStep>(new byte[] { 0xC1 }, Options));
        Assert.Throws<MessagePackSerializationException>(() => MessagePackSerializer.Deserialize<BeginStep>(new byte[] { 0x97, 0x91 }, Options));
        // An array that claims 2^31 elements in five bytes must fail before it allocates them.
        Assert.Throws<MessagePackSerializationException>(() => MessagePackSerializer.Deserialize<ShardReduced>(Convert.FromHexString("9791029101" + "01" + "9103" + "0c" + "dd7fffffff"), Options));
    }
}
