using System.Runtime.InteropServices;
using System.Text.Json.Nodes;
using Cluster.Contracts;
using Cluster.Coordinator.Checkpoints;
using Cluster.Coordinator.Core;

namespace Cluster.Checkpoints.Tests;

/// <summary>A state in memory, cut into shards as a run would have it.</summary>
internal sealed class TestState : IDisposable
{
    public const string Slot = "momentum_buffer";

    private readonly List<ShardSnapshot> _snapshots = [];

    public TestState(long step, int shards = 1, ParameterLayout? layout = null, long? appliedSteps = null)
    {
        Layout = layout ?? States.Small;
        Step = step;
        AppliedSteps = appliedSteps ?? step;
        Values = States.Floats(Layout.StateFloats, (ulong)step);
        Momentum = States.Floats(Layout.BufferOffset, (ulong)step + 1_000_000);
        foreach (var (values, length) in new[] { (Values, Layout.StateFloats), (Momentum, Layout.BufferOffset) })
            values.AsSpan(Layout.ParameterFloats, Math.Min(length, Layout.BufferOffset) - Layout.ParameterFloats).Clear();
        var shard = 0;
        foreach (var range in ShardPlan.Deal(Layout, shards).Ranges)
        {
            var slots = new Dictionary<string, NativeBuffer>();
            var slotLength = Math.Clamp(Layout.BufferOffset - range.Offset, 0, range.Length);
            if (slotLength > 0) slots[Slot] = States.Native(Momentum.AsSpan(range.Offset, slotLength));
            _snapshots.Add(new ShardSnapshot(
                Term.First, new WeightsVersion(step), new ShardId(shard++), range.Offset, AppliedSteps, States.Native(Values.AsSpan(range.Offset, range.Length)), slots));
        }
    }

    public ParameterLayout Layout { get; }
    public long Step { get; }
    public long AppliedSteps { get; }

    /// <summary>[StateFloats], zero in the padding.</summary>
    public float[] Values { get; }

    /// <summary>[BufferOffset], zero in the padding.</summary>
    public float[] Momentum { get; }

    public CheckpointContent Content(double? testAccuracy = null)
    {
        var facts = new JsonObject { ["seed"] = 11, ["recipe"] = "small-cnn" };
        if (testAccuracy is { } accuracy) facts["test_accuracy"] = accuracy;
        return new CheckpointContent(Layout, new WeightsVersion(Step), AppliedSteps, StatePieces.OfWeights(_snapshots), StatePieces.OfSlots(_snapshots), facts);
    }

    /// <summary>Puts one value into the buffers, as a diverged run would.</summary>
    public void Poison(int offset, float value)
    {
        var snapshot = _snapshots.Last(s => s.Offset <= offset);
        snapshot.Weights.Span[offset - snapshot.Offset] = value;
    }

    public void PoisonMomentum(int offset, float value)
    {
        var snapshot = _snapshots.Last(s => s.Offset <= offset && s.Slots.Count > 0);
        snapshot.Slots[Slot].Span[offset - snapshot.Offset] = value;
    }

    public void Dispose()
    {
        foreach (var snapshot in _snapshots)
        {
            snapshot.Weights.Dispose();
            foreach (var slot in snapshot.Slots.Values) slot.Dispose();
        }
    }
}

internal static class States
{
    /// <summary>Four chunks: tensors that cross chunk edges, odd lengths, a scalar, buffers, counters.</summary>
    public static readonly ParameterLayout Small = ParameterLayout.Of(
    [
        ("conv1.weight", [32, 3, 3, 3], StateKind.Parameter, true),
        ("bn1.weight", [33], StateKind.Parameter, false),
        ("bn1.bias", [33], StateKind.Parameter, false),
        ("bn1.running_mean", [33], StateKind.Buffer, false),
        ("bn1.running_var", [33], StateKind.Buffer, false),
        ("bn1.num_batches_tracked", [], StateKind.Counter, false),
        ("layer.weight", [311, 423], StateKind.Parameter, true),
        ("layer.bias", [311], StateKind.Parameter, false),
        ("scale", [], StateKind.Parameter, false),
    ]);

    /// <summary>One chunk and little in it: for tests that write many.</summary>
    public static readonly ParameterLayout Tiny = ParameterLayout.Of(
    [
        ("fc.weight", [3, 5], StateKind.Parameter, true),
        ("fc.bias", [3], StateKind.Parameter, false),
        ("bn.running_mean", [3], StateKind.Buffer, false),
        ("bn.num_batches_tracked", [], StateKind.Counter, false),
    ]);

    /// <summary>Finite floats of both signs and many magnitudes, with zeros of either sign, denormals and the extremes among them.</summary>
    public static float[] Floats(int count, ulong seed)
    {
        var stream = new PhiloxStream(seed, RandomPurpose.Fingerprint, (ulong)count);
        var values = new float[count];
        for (var i = 0; i < count; i++)
        {
            values[i] = stream.NextInt32(16) switch
            {
                0 => -0f,
                1 => float.Epsilon * (1 + stream.NextInt32(1000)),
                2 => -float.MaxValue,
                _ => (float)((stream.NextDouble() - 0.5) * Math.Pow(2, stream.NextInt32(60) - 30)),
            };
        }
        return values;
    }

    public static NativeBuffer Native(ReadOnlySpan<float> values)
    {
        var buffer = NativeBuffer.Allocate(values.Length);
        values.CopyTo(buffer.Span);
        return buffer;
    }

    /// <summary>Equal as bytes: tells −0 from +0.</summary>
    public static void SameBits(ReadOnlySpan<float> expected, ReadOnlySpan<float> actual)
    {
        Assert.Equal(expected.Length, actual.Length);
        Assert.True(MemoryMarshal.AsBytes(expected).SequenceEqual(MemoryMarshal.AsBytes(actual)), "the bits differ");
    }

    /// <summary>A loaded checkpoint is the state that was written.</summary>
    public static void SameState(TestState expected, LoadedCheckpoint actual)
    {
        SameBits(expected.Values, actual.State.Span);
        SameBits(expected.Momentum, actual.Slots[TestState.Slot].Span);
        Assert.Equal(expected.Step, actual.Version.Value);
        Assert.Equal(expected.AppliedSteps, actual.AppliedSteps);
        Assert.All(expected.Layout.Counters, c => Assert.Equal(expected.AppliedSteps, actual.Counters[c.Name]));
    }
}

/// <summary>A run folder of its own for one test.</summary>
/// <param name="inMemory">For tests of hundreds of writes that are not about the disk: on a file system whose flushes cost nothing, where there is one.</param>
internal sealed class RunFolder(bool inMemory = false) : IDisposable
{
    private const string Memory = "/dev/shm";

    public string Path { get; } = inMemory && Directory.Exists(Memory)
        ? Directory.CreateDirectory(System.IO.Path.Combine(Memory, "cluster-checkpoints-" + Guid.NewGuid().ToString("N"))).FullName
        : Directory.CreateTempSubdirectory("cluster-checkpoints-").FullName;

    public CheckpointStore Store => new(Path);

    public string Checkpoints => System.IO.Path.Combine(Path, CheckpointStore.FolderName);

    public string Write(long step, double? accuracy = null, ParameterLayout? layout = null, long? appliedSteps = null)
    {
        using var state = new TestState(step, layout: layout ?? States.Tiny, appliedSteps: appliedSteps);
        return Store.Write(state.Content(accuracy));
    }

    public string At(params ReadOnlySpan<string> parts) => System.IO.Path.Combine([Path, .. parts]);

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
