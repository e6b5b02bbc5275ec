using Cluster.Chaos;
using Cluster.Cli.Hosting;
using Cluster.Cli.Nodes;
using Cluster.Contracts;

namespace Cluster.Cli.Tests.Faults;

/// <summary>An engine with faults computes as the one inside it, but for the one leaf that a fault is about.</summary>
public sealed class FaultyEngineSpecs
{
    private static readonly ParameterLayout Layout = ParameterLayout.Of(
        [("conv.weight", [4, 3], StateKind.Parameter, true), ("fc.weight", [5], StateKind.Parameter, true), ("bn.mean", [2], StateKind.Buffer, false)]);

    private readonly List<string> _said = [];
    private readonly List<TimeSpan> _rests = [];
    private readonly LeafTime _time = new();

    /// <summary>From one look at it to the next, a leaf has been computed.</summary>
    private sealed class LeafTime : TimeProvider
    {
        private long _ticks;

        public TimeSpan Leaf { get; } = TimeSpan.FromMilliseconds(100);

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => _ticks += Leaf.Ticks;
    }

    [Fact]
    public void Nan_is_in_one_element_of_the_named_parameter_in_the_first_leaf_from_the_step_on_and_in_no_other()
    {
        using var engine = Engine("nan:worker-0@4");
        Assert.Null(Compute(engine, 3, 0).Outcome.FirstBadParameter);
        var (outcome, node) = Compute(engine, 5, 2);
        var entry = Layout[Assert.IsType<string>(outcome.FirstBadParameter)];
        Assert.False(outcome.IsFinite);
        Assert.Equal(1, node.Count(float.IsNaN));
        Assert.InRange(Array.FindIndex(node, float.IsNaN), entry.Offset, entry.Offset + entry.Length - 1);
        Assert.Equal([$"fault nan:worker-0@4: worker-0 finds a NaN in leaf 2 of step 5, in '{entry.Name}'"], _said);
        Assert.Equal(Compute(new Constant(), 5, 3), Compute(engine, 5, 3), Bits.Comparer);
    }

    [Fact]
    public void Lie_changes_one_bit_of_the_first_audited_leaf_from_the_step_on_and_is_finite()
    {
        var engines = new FaultyEngines(new Constants(), Faults("lie:worker-0@4"));
        using var engine = engines.Create(0);
        var honest = Compute(new Constant(), 6, 1);
        engines.Audited(new StepId(3), 1);
        Assert.Equal(honest, Compute(engine, 3, 1), Bits.Comparer);
        engines.Audited(new StepId(6), 1);
        Assert.Equal(honest, Compute(engine, 6, 0), Bits.Comparer);
        var lie = Compute(engine, 6, 1);
        Assert.True(lie.Outcome.IsFinite);
        var changed = Enumerable.Range(0, Layout.StateFloats).Where(i => BitsOf(honest.Node[i]) != BitsOf(lie.Node[i])).ToArray();
        Assert.Equal(1, System.Numerics.BitOperations.PopCount(BitsOf(honest.Node[Assert.Single(changed)]) ^ BitsOf(lie.Node[changed[0]])));
        Assert.InRange(changed[0], 0, Layout.BufferOffset - 1);
        Assert.StartsWith("fault lie:worker-0@4: worker-0 lies in leaf 1 of step 6: one bit of '", Assert.Single(_said));
        engines.Audited(new StepId(7), 1);
        Assert.Equal(honest, Compute(engine, 7, 1), Bits.Comparer);
    }

    [Fact]
    public void Without_an_audit_a_lie_is_never_told()
    {
        using var engine = Engine("lie:worker-0@1");
        for (var step = 1; step < 20; step++) Assert.Equal(Compute(new Constant(), step, 0), Compute(engine, step, 0), Bits.Comparer);
        Assert.Empty(_said);
    }

    [Fact]
    public void Hang_keeps_the_compute_thread_for_its_time_and_slow_multiplies_a_leafs_own_time()
    {
        using var engine = Engine("hang:worker-0@2+0.3", "slow:worker-0@3+60,factor=3");
        Compute(engine, 2, 0);
        Assert.Equal([TimeSpan.FromSeconds(0.3)], _rests);
        Compute(engine, 3, 0);
        Assert.Equal([TimeSpan.FromSeconds(0.3), 2 * _time.Leaf], _rests);
        Assert.Equal(["fault hang:worker-0@2+0.3: worker-0 hangs in leaf 0 of step 2", "fault slow:worker-0@3+60,factor=3: worker-0 is slow in step 3 for 60 s"], _said);
    }

    private NodeFaults Faults(params string[] faults) =>
        new(faults.Select(static f => FaultSpec.Parse(f, ["worker-0"], 100)), _time, (_, sentence) => _said.Add(sentence)) { Rest = _rests.Add };

    private IGradientEngine Engine(params string[] faults) => new FaultyEngines(new Constants(), Faults(faults)).Create(0);

    private static uint BitsOf(float value) => BitConverter.SingleToUInt32Bits(value);

    private static (LeafOutcome Outcome, float[] Node) Compute(IGradientEngine engine, long step, int leaf)
    {
        var node = new float[Layout.StateFloats];
        var outcome = engine.ComputeLeaf(new ImageBatch([], [], new ImageShape(1, 1, 1)), seed: 1, new StepId(step), leaf, node);
        return (outcome, node);
    }

    private static class Bits
    {
        public static readonly IEqualityComparer<(LeafOutcome Outcome, float[] Node)> Comparer = EqualityComparer<(LeafOutcome Outcome, float[] Node)>.Create(
            static (a, b) => a.Outcome == b.Outcome && a.Node.Select(BitsOf).SequenceEqual(b.Node.Select(BitsOf)));
    }

    private sealed class Constants : IEngineSource
    {
        public ParameterLayout Layout => FaultyEngineSpecs.Layout;
        public string Fingerprint => "constant";
        public string Numerics => "none";

        public IGradientEngine Create(int device) => new Constant();
    }

    private sealed class Constant : IGradientEngine
    {
        public ParameterLayout Layout => FaultyEngineSpecs.Layout;
        public int ClassCount => 2;

        public void Initialize(ulong seed, Span<float> state) => state.Clear();

        public void LoadState(ReadOnlySpan<float> state) { }

        public LeafOutcome ComputeLeaf(in ImageBatch batch, ulong seed, StepId step, int leaf, Span<float> node)
        {
            foreach (var entry in Layout.Entries)
                for (var i = 0; i < entry.Length; i++) node[entry.Offset + i] = 0.5f + i;
            return new LeafOutcome(1, 1, null);
        }

        public void Predict(in ImageBatch batch, Span<float> logits) => logits.Clear();

        public void Dispose() { }
    }
}
