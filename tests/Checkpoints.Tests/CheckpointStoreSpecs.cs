using System.Text.Json.Nodes;
using Cluster.Contracts;
using Cluster.Coordinator.Checkpoints;

namespace Cluster.Checkpoints.Tests;

public sealed class CheckpointStoreSpecs : IDisposable
{
    private readonly RunFolder _run = new();

    public void Dispose() => _run.Dispose();

    [Theory, InlineData(1), InlineData(2), InlineData(4)]
    public void Checkpoint_comes_back_bit_for_bit_however_the_state_was_cut(int shards)
    {
        using var state = new TestState(step: 17, shards, appliedSteps: 15);
        var path = _run.Store.Write(state.Content());
        Assert.Equal(_run.At("checkpoints", "step-000017"), path);
        var found = _run.Store.FindNewest(state.Layout);
        Assert.Empty(found.PassedOver);
        Assert.Equal(path, found.Newest!.Path);
        using var loaded = CheckpointStore.Load(path, state.Layout);
        States.SameState(state, loaded);
        Assert.Equal("small-cnn", (string?)loaded.Facts["recipe"]);
    }

    [Fact]
    public void Checkpoints_of_the_same_state_have_the_same_bytes_for_any_number_of_shards()
    {
        using var other = new RunFolder();
        using var one = new TestState(step: 5, shards: 1);
        using var three = new TestState(step: 5, shards: 3);
        var (first, second) = (_run.Store.Write(one.Content()), other.Store.Write(three.Content()));
        foreach (var name in new[] { "model.safetensors", "optimizer.safetensors", "run.json", "MANIFEST.json" })
            Assert.Equal(File.ReadAllBytes(Path.Combine(first, name)), File.ReadAllBytes(Path.Combine(second, name)));
    }

    [Fact]
    public void Newest_checkpoint_is_the_one_of_the_highest_step()
    {
        foreach (var step in new long[] { 999_999, 1_000_000, 5 }) _run.Write(step);
        Assert.Equal(1_000_000, _run.Store.FindNewest(States.Tiny).Newest!.Version.Value);
        Assert.Equal([1_000_000, 999_999, 5], _run.Store.List().Select(c => c.Version.Value));
    }

    [Fact]
    public void Content_that_could_not_be_read_again_is_refused_before_the_disk_is_touched()
    {
        using var state = new TestState(step: 5);
        var files = new FaultyFiles();
        var store = new CheckpointStore(_run.Path, files);
        var content = state.Content();
        var buffer = content.Slots[TestState.Slot];
        CheckpointContent[] bad =
        [
            content with { Facts = new JsonObject { ["test_accuracy"] = double.NaN } },
            content with { Facts = new JsonObject { ["notes"] = new string('x', 1 << 24) } },
            content with { AppliedSteps = 6 },
            content with { Version = new WeightsVersion(-1) },
            content with { Weights = buffer },
            content with { Slots = new Dictionary<string, StatePieces> { ["a.b"] = buffer } },
            content with { Slots = new Dictionary<string, StatePieces> { ["a"] = content.Weights } },
        ];
        Assert.All(bad, c => Assert.Throws<ArgumentException>(() => store.Write(c)));
        Assert.Empty(files.Calls);
        Assert.Empty(Directory.EnumerateFileSystemEntries(_run.Path));
    }

    [Fact]
    public void State_without_optimizer_slots_comes_back_without_them()
    {
        using var state = new TestState(step: 0);
        var path = _run.Store.Write(state.Content() with { Slots = new Dictionary<string, StatePieces>() });
        using var loaded = CheckpointStore.Load(path, state.Layout);
        Assert.Empty(loaded.Slots);
        States.SameBits(state.Values, loaded.State.Span);
    }

    [Fact]
    public void Average_of_the_weights_comes_back_with_its_buffers()
    {
        using var state = new TestState(step: 5, shards: 2);
        var average = States.Floats(state.Layout.StateFloats, 9);
        average.AsSpan(state.Layout.ParameterFloats, state.Layout.BufferOffset - state.Layout.ParameterFloats).Clear();
        using var buffer = States.Native(average);
        var content = state.Content();
        var path = _run.Store.Write(content with { Slots = new Dictionary<string, StatePieces>(content.Slots) { [StateSlots.Ema] = StatePieces.Whole(buffer) } });
        using var loaded = CheckpointStore.Load(path, state.Layout);
        States.SameBits(average, loaded.Slots[StateSlots.Ema].Span);
        States.SameBits(state.Momentum, loaded.Slots[TestState.Slot].Span);
        Assert.Throws<ArgumentException>(() => _run.Store.Write(content with { Version = new WeightsVersion(6), Slots = new Dictionary<string, StatePieces> { [StateSlots.Ema] = content.Slots[TestState.Slot] } }));
    }

    [Fact]
    public void Nothing_is_found_and_nothing_made_where_no_checkpoint_is()
    {
        var found = _run.Store.FindNewest(States.Tiny);
        Assert.Null(found.Newest);
        Assert.Empty(found.PassedOver);
        Assert.Empty(Directory.EnumerateFileSystemEntries(_run.Path));
    }
}
