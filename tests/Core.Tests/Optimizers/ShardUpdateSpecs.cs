using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Cluster.Contracts;
using Cluster.Coordinator.Core;

namespace Cluster.Core.Tests;

public sealed class ShardUpdateSpecs
{
    private static readonly ParameterLayout Layout = ArithmeticFixtures.Layout();

    private static readonly OptimizerOptions[] Rules =
    [
        new() { Momentum = 0.9, Nesterov = true, WeightDecay = 5e-4 },
        new() { Momentum = 0.9, Nesterov = false, Dampening = 0.1, WeightDecay = 0.01, Penalty = "decoupled" },
        new() { Momentum = 0, Nesterov = false, WeightDecay = 0.01, DecayNormAndBias = true },
        new() { Momentum = 0, WeightDecay = 0 },
        new() { MomentumForm = "classical", L1 = 0.01, EmaDecay = 0.9 },
        new() { MomentumForm = "classical", Nesterov = false, ClipValue = 0.001 },
        new() { ClipParameterNorm = 1, Groups = "layer.*:lr=0.1,decay=3" },
        new() { ClipAdaptive = 0.1, MaxNorm = 0.5, EmaDecay = 0.99 },
        new() { Kind = "adam", EmaDecay = 0.999 },
        new() { Kind = "adamw", MaxNorm = 2 },
        new() { Kind = "adagrad", RateDecay = 0.1, InitialAccumulator = 0.1 },
        new() { Kind = "rmsprop", Centered = true, L1 = 0.1, WeightDecay = 0.1 },
        new() { Kind = "rmsprop", Momentum = 0 },
        new() { Kind = "lars" },
    ];

    private static ParameterLayout LayoutOf(OptimizerOptions options) => ArithmeticFixtures.Layout(options.NeedsWholeRows());

    private static readonly ConcurrentDictionary<(ulong Seed, int Length), float[]> Made = new();

    /// <summary>Floats over the state, or over its parameters, zero in the padding.</summary>
    private static float[] Values(ulong seed, int length) => (float[])Made.GetOrAdd((seed, length), static key =>
    {
        var values = ArithmeticFixtures.Floats(key.Length, key.Seed);
        Array.Clear(values, Layout.ParameterFloats, Layout.BufferOffset - Layout.ParameterFloats);
        return values;
    }).Clone();

    private static (float[] Summed, float[] Weights) State() => (Values(1, Layout.StateFloats), Values(2, Layout.StateFloats));

    /// <summary>A slot in the middle of training: squares and sums of squares are not negative.</summary>
    private static float[] Slot(string name)
    {
        var values = Values(3, StateSlots.LengthOf(name, Layout));
        return name is "exp_avg_sq" or "square_avg" or "sum" ? [.. values.Select(Math.Abs)] : values;
    }

    private static ApplyArguments Arguments(OptimizerOptions options, bool isFirst) =>
        new(500, 7, 0.7, 0.1, isFirst ? 0 : 3, options.NeedsTensorSums() ? [.. Layout.Parameters.Select(static (_, i) => 1.0 / (i + 2))] : null);

    /// <returns>The new weights, then the slots in the order of their names.</returns>
    private static (float[] Weights, float[][] Slots, double Extreme) Step(OptimizerOptions options, int shards, VectorWidth width, bool isFirst)
    {
        var (summed, weights) = State();
        var layout = LayoutOf(options);
        var next = new float[layout.StateFloats];
        Array.Fill(next, float.NaN); // whatever the update leaves out shows
        var slots = new SortedDictionary<string, float[]>(StringComparer.Ordinal);
        var extreme = 0.0;
        foreach (var range in ShardPlan.Deal(layout, shards).Ranges)
        {
            var update = new ShardUpdate(range, layout, UpdateRule.Create(options, 1000));
            var buffers = new List<NativeBuffer>();
            foreach (var (name, length) in update.Slots)
            {
                if (!slots.TryGetValue(name, out var values)) slots[name] = values = Slot(name);
                buffers.Add(ArithmeticFixtures.Native(values.AsSpan(range.Offset, length)));
            }
            var g = summed.AsSpan(range.Offset, range.Length);
            var w = weights.AsSpan(range.Offset, range.Length);
            extreme = Math.Max(extreme, update.Extreme(g, w, width));
            update.Apply(g, w, next.AsSpan(range.Offset, range.Length), buffers.ToArray(), Arguments(options, isFirst), width);
            foreach (var (buffer, slot) in buffers.Zip(update.Slots))
            {
                buffer.Span.CopyTo(slots[slot.Name].AsSpan(range.Offset));
                buffer.Dispose();
            }
        }
        return (next, [.. slots.Values], extreme);
    }

    [Fact]
    public void Bits_depend_neither_on_the_number_of_shards_nor_on_the_vector_width()
    {
        foreach (var options in Rules)
        {
            foreach (var isFirst in new[] { true, false })
            {
                var expected = Step(options, 1, VectorWidth.Scalar, isFirst);
                Assert.DoesNotContain(expected.Weights, float.IsNaN);
                foreach (var (shards, width) in new[] { (1, VectorWidth.Bits128), (1, VectorWidth.Bits256), (1, VectorWidth.Bits512), (2, Lanes.Best), (3, Lanes.Best), (LayoutOf(options).ChunkCount, Lanes.Best) })
                {
                    var actual = Step(options, shards, width, isFirst);
                    ArithmeticFixtures.SameBits(expected.Weights, actual.Weights, $"{options}: weights, {shards} shards, {width}");
                    foreach (var (i, slot) in expected.Slots.Index()) ArithmeticFixtures.SameBits(slot, actual.Slots[i], $"{options}: slot {i}, {shards} shards, {width}");
                    Assert.Equal(expected.Extreme, actual.Extreme);
                }
            }
        }
    }

    [Fact]
    public void Update_of_a_fixed_state_has_the_same_bits_on_every_machine()
    {
        static string Hash(OptimizerOptions options)
        {
            var (next, slots, _) = Step(options, 1, Lanes.Best, isFirst: false);
            return Convert.ToHexStringLower(SHA256.HashData([.. MemoryMarshal.AsBytes<float>(next), .. slots.SelectMany(static s => MemoryMarshal.AsBytes<float>(s).ToArray())]));
        }

        // Taken with 512-bit vectors; AVX2 alone, SSE alone and no vectors at all give the same (DOTNET_EnableAVX512=0, DOTNET_EnableAVX2=0, DOTNET_EnableHWIntrinsic=0).
        Assert.Equal("b2afca9bd1ebe48c2db197c0c095bde3", Hash(Rules[0])[..32]);
        Assert.Equal("e6d4b8bc770335111579c2a53614a457", Convert.ToHexStringLower(SHA256.HashData(System.Text.Encoding.ASCII.GetBytes(string.Concat(Rules.Select(Hash)))))[..32]);
    }

    [Fact]
    public void Reducing_and_applying_a_step_allocate_nothing()
    {
        var range = ShardPlan.Deal(Layout, 1).Ranges[0];
        var (summed, weights) = State();
        var next = new float[Layout.StateFloats];
        var update = new ShardUpdate(range, Layout, UpdateRule.Create(new OptimizerOptions { Kind = "adam", EmaDecay = 0.9 }));
        var slots = update.Slots.Select(s => ArithmeticFixtures.Native(Slot(s.Name))).ToArray();
        using var reducer = new ShardReducer(range, Layout);
        var program = ReductionProgram.OverLeaves(4);
        var nodes = program.Nodes.Select(_ => ArithmeticFixtures.Native(summed)).ToArray();
        var memory = nodes.Select(n => new NodeMemory(n, range.Offset)).ToArray();
        var squares = new double[reducer.ParameterChunkCount];
        void Once()
        {
            reducer.Reduce(program, memory, summed, squares);
            update.Apply(summed, weights, next, slots, new ApplyArguments(512, 4, 1, 0.1, 1));
        }
        Once();
        // The runtime itself allocates a little, once, when it compiles a method anew: the quietest round counts.
        Assert.Equal(0, Enumerable.Range(0, 10).Min(_ =>
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            Once();
            return GC.GetAllocatedBytesForCurrentThread() - before;
        }));
        foreach (var buffer in nodes.Concat(slots)) buffer.Dispose();
    }

    [Fact]
    public void Update_is_the_written_out_formula_for_every_parameter()
    {
        var options = Rules[0];
        var (summed, weights) = State();
        var momentum = Slot("momentum_buffer");
        var (next, slots, _) = Step(options, 1, Lanes.Best, isFirst: false);
        foreach (var entry in Layout.Parameters)
        {
            for (var i = entry.Offset; i < entry.Offset + entry.Length; i++)
            {
                var gradient = summed[i] / 500f * 0.7f;
                if (entry.Decays) gradient += 5e-4f * weights[i];
                var buffer = 0.9f * momentum[i] + gradient;
                Assert.Equal(BitConverter.SingleToInt32Bits(buffer), BitConverter.SingleToInt32Bits(slots[0][i]));
                Assert.Equal(BitConverter.SingleToInt32Bits(weights[i] - 0.1f * (gradient + 0.9f * buffer)), BitConverter.SingleToInt32Bits(next[i]));
            }
        }
    }

    [Fact]
    public void Buffers_become_the_mean_over_the_leaves_and_padding_stays_zero()
    {
        var (summed, _) = State();
        var (next, _, _) = Step(Rules[0], 2, Lanes.Best, isFirst: true);
        for (var i = Layout.ParameterFloats; i < Layout.BufferOffset; i++) Assert.Equal(0, BitConverter.SingleToInt32Bits(next[i]));
        for (var i = Layout.BufferOffset; i < Layout.StateFloats; i++) Assert.Equal(summed[i] / 7f, next[i]);
    }

    [Fact]
    public void Segments_are_disjoint_complete_within_chunks_and_decay_as_the_layout_says()
    {
        foreach (var range in Enumerable.Range(1, Layout.ChunkCount).SelectMany(p => ShardPlan.Deal(Layout, p).Ranges))
        {
            var update = new ShardUpdate(range, Layout, UpdateRule.Create(Rules[0]));
            var next = 0;
            foreach (var (kind, offset, length, treatment) in update.Segments)
            {
                Assert.Equal(next, offset);
                Assert.True(length > 0);
                Assert.Equal(offset / Limits.ChunkFloats, (offset + length - 1) / Limits.ChunkFloats);
                foreach (var at in new[] { offset, offset + length - 1 })
                {
                    var entry = Layout.Entries.SingleOrDefault(e => e.Offset >= 0 && e.Offset <= range.Offset + at && range.Offset + at < e.Offset + e.Length);
                    Assert.Equal(kind, entry switch
                    {
                        null => SegmentKind.Padding,
                        { Kind: StateKind.Buffer } => SegmentKind.Buffers,
                        _ => SegmentKind.Weights,
                    });
                    Assert.Equal(entry is { Decays: true } ? Rules[0].WeightDecay : 0, treatment.Penalty.L2);
                }
                next = offset + length;
            }
            Assert.Equal(range.Length, next);
        }
    }

    [Fact]
    public void Decay_of_norms_and_biases_is_asked_for_by_its_option()
    {
        var bias = Layout["bn1.bias"];
        Assert.Equal(0, UpdateRule.Create(Rules[0]).PenaltyOf(bias).L2);
        Assert.Equal(0.01, UpdateRule.Create(Rules[2]).PenaltyOf(bias).L2);
        Assert.Equal(default, UpdateRule.Create(Rules[2]).PenaltyOf(Layout["bn1.running_mean"]));
        Assert.Equal(default, UpdateRule.Create(Rules[3]).PenaltyOf(Layout["fc.weight"]));
    }

    [Fact]
    public void Skipped_step_copies_the_weights_bit_for_bit()
    {
        var range = ShardPlan.Deal(Layout, 1).Ranges[0];
        var (_, weights) = State();
        weights[5] = float.NaN;
        var next = new float[Layout.StateFloats];
        new ShardUpdate(range, Layout, UpdateRule.Create(Rules[0])).Skip(weights, next);
        ArithmeticFixtures.SameBits(weights, next);
    }

    [Fact]
    public void Momentum_of_a_shard_covers_its_parameters_only()
    {
        var updates = ShardPlan.Deal(Layout, Layout.ChunkCount).Ranges.Select(r => new ShardUpdate(r, Layout, UpdateRule.Create(Rules[0]))).ToArray();
        Assert.Equal(Layout.BufferOffset, updates.Sum(u => u.Slots.Sum(s => s.Length)));
        Assert.Empty(updates[^1].Slots);
        Assert.Equal(["momentum_buffer"], UpdateRule.Create(Rules[0]).SlotNames);
        Assert.Empty(UpdateRule.Create(Rules[3]).SlotNames);
    }

    [Fact]
    public void Wrong_lengths_and_counts_are_refused()
    {
        var range = ShardPlan.Deal(Layout, 1).Ranges[0];
        var update = new ShardUpdate(range, Layout, UpdateRule.Create(Rules[3]));
        var right = new float[range.Length];
        using var extra = NativeBuffer.Allocate(1);
        Assert.Throws<ArgumentException>(() => update.Apply(right.AsSpan(1), right, right, [], new ApplyArguments(1, 1, 1, 1, 0)));
        Assert.Throws<ArgumentException>(() => update.Apply(right, right, right, [extra], new ApplyArguments(1, 1, 1, 1, 0)));
        Assert.ThrowsAny<ArgumentException>(() => update.Apply(right, right, right, [], new ApplyArguments(0, 1, 1, 1, 0)));
        Assert.ThrowsAny<ArgumentException>(() => update.Apply(right, right, right, [], new ApplyArguments(1, 0, 1, 1, 0)));
    }
}
