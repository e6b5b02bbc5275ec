using Cluster.Contracts;

namespace Cluster.Remoting.Tests;

/// <summary>One message of every kind that carries tensors, over a state of 100 floats of which shard 0 has [0, 60), shard 1 [60, 100); the last 10 are buffers.</summary>
internal sealed class Samples : IDisposable
{
    public const int StateFloats = 100, BufferOffset = 90, Target = 1;

    public static readonly TraceContext Trace = new(0x0102030405060708, 9, 10, true);

    public static readonly CommitRecord Record = new(new Term(2), new StepId(6), 1, 0, 64, 2.5, 0.25, 8, 0.5, 0.125, true, [new LeafRecord(new WorkerId(1), 64, 77)]);

    private static readonly SumKey Sum = new(new Term(2), new StepId(6), 1);

    private readonly Dictionary<int, NativeBufferPool> _pools = [];

    public static RangeOnWire RangeOf(int shard) => shard == 0 ? new RangeOnWire(0, 60, 60) : new RangeOnWire(60, 40, 30);

    public static IEnumerable<string> Names =>
        ["node", "cut node", "weights", "average", "sum", "seed", "seed of a first state", "load", "load of a part", "load of a first state", "initial state", "snapshot"];

    /// <summary>Numbers that tell their place: float i is i plus the seed.</summary>
    public NativeBuffer Numbers(int length, float seed)
    {
        if (!_pools.TryGetValue(length, out var pool)) _pools[length] = pool = new NativeBufferPool(length);
        var buffer = pool.Rent();
        for (var i = 0; i < length; i++) buffer.Span[i] = i + seed;
        return buffer;
    }

    private Dictionary<string, NativeBuffer> Slots(int length) => new(StringComparer.Ordinal) { ["momentum_buffer"] = Numbers(length, 0.5f), ["exp_avg"] = Numbers(length, 0.25f) };

    /// <param name="name">One of <see cref="Names"/>.</param>
    public object Make(string name) => name switch
    {
        "node" => new GradientNode(new Term(2), new StepId(6), 1, new TreeNode(1, 2), 8, new WorkerId(1), 0, Numbers(StateFloats, 0), Trace),
        "cut node" => new GradientNode(new Term(2), new StepId(6), 1, new TreeNode(1, 2), 8, new WorkerId(1), 50, Numbers(50, 50), Trace) { EmptyLeaves = [3, 6] },
        "weights" => new WeightsPart(new Term(2), new WeightsVersion(5), new ShardId(1), 60, Numbers(40, 60), Trace),
        "average" => new WeightsPart(new Term(2), new WeightsVersion(5), new ShardId(1), 60, Numbers(40, 60), Trace, IsAverage: true),
        "sum" => new StandbySum(new Term(2), new ShardId(1), Sum, Numbers(40, 60)),
        "seed" => new SeedStandby(new Term(2), new ShardId(1), new WeightsVersion(5), 4, [Record], Numbers(40, 60), Numbers(40, 160), Slots(30)),
        "seed of a first state" => new SeedStandby(new Term(2), new ShardId(1), new WeightsVersion(0), 0, [], Numbers(40, 60), null, new Dictionary<string, NativeBuffer>()),
        "load" => new LoadShard(new Term(2), new WeightsVersion(5), Numbers(StateFloats, 0), Slots(BufferOffset), 4, Trace),
        "load of a part" => new LoadShard(new Term(2), new WeightsVersion(5), Numbers(50, 50), Slots(40), 4, Trace) { Offset = 50 },
        "load of a first state" => LoadShard.First(new Term(2), Numbers(StateFloats, 0), Trace),
        "initial state" => new InitialState(new Term(2), new WorkerId(1), Numbers(StateFloats, 0)),
        "snapshot" => new ShardSnapshot(new Term(2), new WeightsVersion(5), new ShardId(1), 60, 4, Numbers(40, 60), Slots(30)),
        _ => throw new ArgumentOutOfRangeException(nameof(name)),
    };

    /// <summary>Fails unless the message is what its receiver, shard 1 or nobody in particular, is to see of it.</summary>
    public static void AssertArrived(string name, object message)
    {
        switch (message)
        {
            case GradientNode m:
                Assert.Equal(name == "cut node" ? [3, 6] : null, m.EmptyLeaves);
                Assert.Contains("node", name);
                Assert.Equal((new SumKey(new Term(2), new StepId(6), 1), new TreeNode(1, 2), 8, new WorkerId(1), Trace), (m.Sum, m.Node, m.LeafCount, m.Worker, m.Trace));
                AssertNumbers(m.Buffer, 40, m.Offset);
                break;
            case WeightsPart m:
                Assert.Equal(m.IsAverage ? "average" : "weights", name);
                Assert.Equal((new Term(2), new WeightsVersion(5), new ShardId(1), Trace), (m.Term, m.Version, m.Shard, m.Trace));
                AssertNumbers(m.Buffer, 40, m.Offset);
                break;
            case StandbySum m:
                Assert.Equal("sum", name);
                Assert.Equal((new Term(2), new ShardId(1), Sum), (m.Term, m.Shard, m.Sum));
                AssertNumbers(m.Buffer, 40, 60);
                break;
            case SeedStandby m:
                var isFirst = name == "seed of a first state";
                Assert.StartsWith("seed", name, StringComparison.Ordinal);
                Assert.Equal((new Term(2), new ShardId(1), new WeightsVersion(isFirst ? 0 : 5), isFirst ? 0L : 4L), (m.Term, m.Shard, m.Version, m.AppliedSteps));
                Assert.Equal(isFirst ? [] : [Record.Step], m.Records.Select(static r => r.Step));
                AssertNumbers(m.Weights, 40, 60);
                if (isFirst) Assert.Null(m.Previous);
                else AssertNumbers(m.Previous!, 40, 160);
                AssertSlots(m.Slots, isFirst ? 0 : 30, 0);
                break;
            case LoadShard m:
                Assert.StartsWith("load", name, StringComparison.Ordinal);
                var isSeeded = name == "load of a first state";
                Assert.Equal((new Term(2), new WeightsVersion(isSeeded ? 0 : 5), isSeeded ? 0L : 4L, Trace, (int?)60), (m.Term, m.Version, m.AppliedSteps, m.Trace, m.Offset));
                AssertNumbers(m.State, 40, 60);
                AssertSlots(m.Slots, isSeeded ? 0 : 30, name == "load" ? 60 : 10);
                break;
            case InitialState m:
                Assert.Equal("initial state", name);
                Assert.Equal((new Term(2), new WorkerId(1)), (m.Term, m.Worker));
                AssertNumbers(m.Buffer, StateFloats, 0);
                break;
            case ShardSnapshot m:
                Assert.Equal("snapshot", name);
                Assert.Equal((new Term(2), new WeightsVersion(5), new ShardId(1), 60, 4L), (m.Term, m.Version, m.Shard, m.Offset, m.AppliedSteps));
                AssertNumbers(m.Weights, 40, 60);
                AssertSlots(m.Slots, 30, 0);
                break;
            default:
                Assert.Fail($"{message} is no message with tensors");
                break;
        }
    }

    private static void AssertSlots(IReadOnlyDictionary<string, NativeBuffer> slots, int length, int first)
    {
        Assert.Equal(length == 0 ? [] : ["exp_avg", "momentum_buffer"], slots.Keys.Order(StringComparer.Ordinal));
        if (length == 0) return;
        AssertNumbers(slots["exp_avg"], length, first + 0.25f);
        AssertNumbers(slots["momentum_buffer"], length, first + 0.5f);
    }

    private static void AssertNumbers(NativeBuffer buffer, int length, float first)
    {
        Assert.Equal(length, buffer.Length);
        Assert.Equal(Enumerable.Range(0, length).Select(i => first + i), buffer.Span.ToArray());
    }

    /// <summary>Every buffer that was made is back in its pool: as many can be had again without a new one.</summary>
    public void AssertAllReleased() => AssertAllBack(_pools.Values);

    public static void AssertAllBack(IEnumerable<NativeBufferPool> pools)
    {
        foreach (var pool in pools)
        {
            var made = pool.Created;
            var rented = Enumerable.Range(0, made).Select(_ => pool.Rent()).ToArray();
            Assert.True(made == pool.Created, $"{pool.Created - made} of {made} buffers of {pool.Length} floats are still held");
            foreach (var buffer in rented) buffer.Dispose();
        }
    }

    public void Dispose()
    {
        foreach (var pool in _pools.Values) pool.Dispose();
    }
}
