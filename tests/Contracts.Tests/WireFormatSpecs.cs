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
        new Term(2), new StepId(300), 1, 4, 512, 2.5, 0.25, 8, 0.5, 0.125, true, [new LeafRecord(new WorkerId(1), 64, 0xFEDCBA9876543210)]);

    // Written out by hand from the MessagePack specification: 9n = array of n, cd/cf = uint16/uint64, cb = float64, c3 = true, c0 = nil.
    private const string TermHex = "9102", StepHex = "91cd012c", TraceHex = "94" + "cf0102030405060708" + "09" + "0a" + "c3", LeafHex = "93" + "9101" + "40" + "cffedcba9876543210";

    private const string RecordHex =
        "9c" + TermHex + StepHex + "01" + "04" + "cd0200" + "cb4004000000000000" + "cb3fd0000000000000" + "cb4020000000000000" + "cb3fe0000000000000" + "cb3fc0000000000000" +
        "c3" + "91" + LeafHex;

    private static readonly Member Worker1 = new("worker-1", MemberRole.Worker, 1, 300, ":1", MemberState.Leaving);

    private static readonly MembershipView View = new(7, new Term(2), null, [Worker1], "gone");

    private const string Worker1Hex = "96" + "a8" + "776f726b65722d31" + "02" + "01" + "cd012c" + "a23a31" + "01", ViewHex = "95" + "07" + TermHex + "c0" + "91" + Worker1Hex + "a4676f6e65";

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
        [typeof(CommitRecord)] = (Record, RecordHex),
        [typeof(BeginStep)] = (new BeginStep(new Term(2), new StepId(300), 1, 8, [new LeafRange(0, 4), new LeafRange(6, 1)], 30_000, Trace), "97" + TermHex + StepHex + "01" + "08" + "92" + "920004" + "920601" + "cd7530" + TraceHex),
        [typeof(LeafDone)] = (new LeafDone(new Term(2), new StepId(300), 1, 5, new WorkerId(1), 64, 147.5, 31, 77, true, null, Trace), "9c" + TermHex + StepHex + "01" + "05" + "9101" + "40" + "cb4062700000000000" + "1f" + "4d" + "c3" + "c0" + TraceHex),
        [typeof(ShardReduced)] = (new ShardReduced(new Term(2), new StepId(300), 1, new ShardId(3), 12, [1.5, 2], Trace), "97" + TermHex + StepHex + "01" + "9103" + "0c" + "92" + "cb3ff8000000000000" + "cb4000000000000000" + TraceHex),
        [typeof(ApplyStep)] = (new ApplyStep(new Term(2), Record, 2, Trace), "94" + TermHex + RecordHex + "02" + TraceHex),
        [typeof(ShardApplied)] = (new ShardApplied(new Term(2), new WeightsVersion(300), new ShardId(3), Trace), "94" + TermHex + StepHex + "9103" + TraceHex),
        [typeof(StepAbandoned)] = (new StepAbandoned(new Term(2), new StepId(300), 1, "worker-1 left", Trace), "95" + TermHex + StepHex + "01" + "ad" + "776f726b65722d31206c656674" + TraceHex),
        [typeof(InitializeState)] = (new InitializeState(new Term(2), 11), "92" + TermHex + "0b"),
        [typeof(EvaluateBatches)] = (new EvaluateBatches(new Term(2), new WeightsVersion(300), [3, 4], Trace), "94" + TermHex + StepHex + "920304" + TraceHex),
        [typeof(BatchEvaluated)] = (new BatchEvaluated(new Term(2), new WeightsVersion(300), 3, new WorkerId(1), 2, 147.5, 1, 2, [7, 9]), "99" + TermHex + StepHex + "03" + "9101" + "02" + "cb4062700000000000" + "01" + "02" + "920709"),
        [typeof(SnapshotShard)] = (new SnapshotShard(new Term(2), new WeightsVersion(300)), "92" + TermHex + StepHex),
        [typeof(WorkerReady)] = (new WorkerReady(new WorkerId(1)), "91" + "9101"),
        [typeof(WorkerFailed)] = (new WorkerFailed(new WorkerId(1), "gone", true), "93" + "9101" + "a4" + "676f6e65" + "c3"),
        [typeof(Member)] = (Worker1, Worker1Hex),
        [typeof(MembershipView)] = (View, ViewHex),
        [typeof(MemberHello)] = (new MemberHello(null, MemberRole.ParameterServer, 300, ":1"), "94" + "c0" + "01" + "cd012c" + "a23a31"),
        [typeof(MemberWelcome)] = (new MemberWelcome("gone", View), "92" + "a4676f6e65" + ViewHex),
        [typeof(MemberRefusal)] = (new MemberRefusal("gone", true), "92" + "a4676f6e65" + "c3"),
        [typeof(MemberLeaves)] = (new MemberLeaves("worker-1", 300), "92" + "a8" + "776f726b65722d31" + "cd012c"),
        [typeof(StopRun)] = (new StopRun("gone"), "91" + "a4" + "676f6e65"),
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
