using System.Security.Cryptography;
using System.Text;
using Cluster.Contracts;
using Cluster.Coordinator.Core;

namespace Cluster.Core.Tests;

public sealed class StateHashSpecs
{
    private static readonly ParameterLayout Layout = ArithmeticFixtures.Layout();
    private static readonly float[] State = ArithmeticFixtures.Floats(Layout.StateFloats, 1);
    private static readonly float[] Momentum = ArithmeticFixtures.Floats(Layout.BufferOffset, 2);

    private static string Whole(float[]? state = null, long version = 12, long counter = 12, float[]? momentum = null, string slot = "momentum_buffer") =>
        StateHash.Of(Layout, new WeightsVersion(version), state ?? State, _ => counter, (slot, momentum ?? Momentum));

    [Fact]
    public void Hash_does_not_depend_on_how_the_state_is_cut_into_shards()
    {
        var expected = Whole();
        for (var p = 1; p <= Layout.ChunkCount; p++)
        {
            using var hash = new StateHash(Layout, new WeightsVersion(12));
            var ranges = ShardPlan.Deal(Layout, p).Ranges;
            foreach (var range in ranges) hash.AppendState(State.AsSpan(range.Offset, range.Length));
            hash.AppendCounters(_ => 12);
            hash.BeginSlot("momentum_buffer");
            foreach (var range in ranges)
                hash.AppendSlot(Momentum.AsSpan(Math.Min(range.Offset, Layout.BufferOffset), Math.Clamp(Layout.BufferOffset - range.Offset, 0, range.Length)));
            Assert.Equal(expected, hash.Finish());
        }
    }

    [Fact]
    public void Average_of_the_weights_is_hashed_with_its_buffers_however_it_is_cut()
    {
        var average = ArithmeticFixtures.Floats(Layout.StateFloats, 3);
        var expected = StateHash.Of(Layout, new WeightsVersion(12), State, _ => 12, (StateSlots.Ema, average), ("momentum_buffer", Momentum));
        using var hash = new StateHash(Layout, new WeightsVersion(12));
        hash.AppendState(State);
        hash.AppendCounters(_ => 12);
        hash.BeginSlot(StateSlots.Ema);
        foreach (var range in ShardPlan.Deal(Layout, 3).Ranges) hash.AppendSlot(average.AsSpan(range.Offset, range.Length));
        hash.BeginSlot("momentum_buffer");
        hash.AppendSlot(Momentum);
        Assert.Equal(expected, hash.Finish());
        average[^1]++;
        Assert.NotEqual(expected, StateHash.Of(Layout, new WeightsVersion(12), State, _ => 12, (StateSlots.Ema, average), ("momentum_buffer", Momentum)));
    }

    [Fact]
    public void Hash_is_that_of_the_documented_bytes()
    {
        var layout = ParameterLayout.Of(
            [("w", [2, 3], StateKind.Parameter, true), ("mean", [2], StateKind.Buffer, false), ("count", [], StateKind.Counter, false)]);
        var state = new float[layout.StateFloats];
        float[] weights = [1, -2, 3.5f, 0, -0f, 6], mean = [0.25f, 0.75f], momentum = [9, 8, 7, 6, 5, 4];
        weights.CopyTo(state, 0);
        mean.CopyTo(state, layout.BufferOffset);
        var slot = new float[layout.BufferOffset];
        momentum.CopyTo(slot, 0);
        using var bytes = new MemoryStream();
        using var writer = new BinaryWriter(bytes);
        void Header(string name, byte kind, params long[] shape)
        {
            writer.Write((long)name.Length);
            writer.Write(Encoding.UTF8.GetBytes(name));
            writer.Write(kind);
            writer.Write((long)shape.Length);
            foreach (var dimension in shape) writer.Write(dimension);
        }
        writer.Write("cluster state 1\0"u8);
        writer.Write(5L);
        Header("w", 0, 2, 3);
        foreach (var x in weights) writer.Write(x);
        Header("mean", 1, 2);
        foreach (var x in mean) writer.Write(x);
        Header("count", 2);
        writer.Write(77L);
        Header("w.momentum_buffer", 3, 2, 3);
        foreach (var x in momentum) writer.Write(x);
        Assert.Equal(
            Convert.ToHexStringLower(SHA256.HashData(bytes.ToArray())),
            StateHash.Of(layout, new WeightsVersion(5), state, _ => 77, ("momentum_buffer", slot)));
    }

    [Fact]
    public void Every_part_of_the_state_changes_the_hash_and_padding_does_not()
    {
        float[] With(float[] values, int at)
        {
            var copy = values.ToArray();
            copy[at] = BitConverter.Int32BitsToSingle(BitConverter.SingleToInt32Bits(copy[at]) ^ 1);
            return copy;
        }
        string[] hashes =
        [
            Whole(), Whole(version: 13), Whole(counter: 11), Whole(slot: "other"), Whole(With(State, 0)), Whole(With(State, Layout.ParameterFloats - 1)),
            Whole(With(State, Layout.BufferOffset)), Whole(With(State, Layout.StateFloats - 1)), Whole(momentum: With(Momentum, 3)),
            StateHash.Of(Layout, new WeightsVersion(12), State, _ => 12),
        ];
        Assert.Equal(hashes.Length, hashes.Distinct().Count());
        Assert.Equal(Whole(), Whole(With(State, Layout.ParameterFloats), momentum: With(Momentum, Layout.ParameterFloats)));
    }

    [Fact]
    public void Slots_are_hashed_in_the_order_of_their_names()
    {
        var version = new WeightsVersion(1);
        var other = ArithmeticFixtures.Floats(Layout.BufferOffset, 9);
        Assert.Equal(
            StateHash.Of(Layout, version, State, _ => 0, ("a", Momentum), ("b", other)),
            StateHash.Of(Layout, version, State, _ => 0, ("b", other), ("a", Momentum)));
    }

    [Fact]
    public void Incomplete_or_disordered_feeding_is_refused()
    {
        using var hash = new StateHash(Layout, new WeightsVersion(0));
        Assert.Throws<InvalidOperationException>(() => hash.AppendCounters(_ => 0));
        hash.AppendState(State.AsSpan(1));
        Assert.Throws<InvalidOperationException>(() => hash.AppendState(State));
        Assert.Throws<InvalidOperationException>(() => hash.AppendSlot(Momentum));
        Assert.Throws<InvalidOperationException>(() => hash.Finish());
        hash.AppendState(State.AsSpan(0, 1));
        hash.AppendCounters(_ => 0);
        hash.BeginSlot("m");
        hash.AppendSlot(Momentum);
        Assert.Throws<InvalidOperationException>(() => hash.BeginSlot("a"));
        Assert.Equal(64, hash.Finish().Length);
        Assert.Throws<InvalidOperationException>(() => hash.Finish());
    }
}
