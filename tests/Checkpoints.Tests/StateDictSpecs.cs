using Cluster.Contracts;
using Cluster.Coordinator.Checkpoints;

namespace Cluster.Checkpoints.Tests;

public sealed class StateDictSpecs : IDisposable
{
    private readonly RunFolder _run = new(inMemory: true);

    private string File => _run.At("model.safetensors");

    public void Dispose() => _run.Dispose();

    private static Dictionary<string, long> Counters(long value) => States.Small.Counters.ToDictionary(c => c.Name, _ => value);

    [Fact]
    public void Export_and_import_keep_every_bit_and_every_counter()
    {
        using var state = new TestState(step: 3, shards: 2);
        StateDict.Write(File, States.Small, state.Content().Weights, Counters(391_000));
        using var imported = StateDict.Read(File, States.Small);
        States.SameBits(state.Values, imported.State.Span);
        Assert.Equal(Counters(391_000), imported.Counters);
        Assert.Empty(imported.Widened);
        Assert.Single(Directory.EnumerateFileSystemEntries(_run.Path));
    }

    [Fact]
    public void Exported_file_is_the_model_file_of_the_checkpoint()
    {
        using var state = new TestState(step: 3);
        var checkpoint = _run.Store.Write(state.Content() with { Counters = Counters(77) });
        StateDict.Write(File, States.Small, state.Content().Weights, Counters(77));
        Assert.Equal(System.IO.File.ReadAllBytes(Path.Combine(checkpoint, "model.safetensors")), System.IO.File.ReadAllBytes(File));
        using var loaded = CheckpointStore.Load(checkpoint, States.Small);
        Assert.Equal(Counters(77), loaded.Counters);
    }

    [Fact]
    public void Absent_counter_reads_as_zero_and_every_difference_is_named()
    {
        var without = ParameterLayout.Of(States.Small.Entries.Where(e => e.Kind != StateKind.Counter).Select(e => (e.Name, e.Shape, e.Kind, e.Decays)));
        using var state = new TestState(step: 3, layout: without);
        StateDict.Write(File, without, state.Content().Weights, new Dictionary<string, long>());
        using (var imported = StateDict.Read(File, States.Small)) Assert.Equal(Counters(0), imported.Counters);

        var mismatch = Assert.Throws<StateMismatchException>(() => StateDict.Read(File, States.Tiny));
        Assert.Equal(["fc.weight", "fc.bias", "bn.running_mean"], mismatch.Missing);
        Assert.Equal(8, mismatch.Unexpected.Count);
        Assert.Contains("8 unexpected: conv1.weight, bn1.weight,", mismatch.Message);
    }

    [Fact]
    public void Folder_that_does_not_exist_is_the_users_mistake()
    {
        using var state = new TestState(step: 3);
        var mistake = Assert.Throws<UserMistakeException>(() => StateDict.Write(_run.At("absent", "model.safetensors"), States.Small, state.Content().Weights, Counters(0)));
        Assert.StartsWith("cannot write", mistake.Message);
    }

    [Fact]
    public void Pieces_read_as_one_vector_whatever_range_is_asked_for()
    {
        var values = States.Floats(100, 1);
        var cuts = new[] { 0, 1, 40, 41, 99, 100 };
        var buffers = cuts.Zip(cuts.Skip(1)).Select(c => (c.First, Buffer: States.Native(values.AsSpan(c.First..c.Second)))).Reverse().ToList();
        var pieces = new StatePieces(buffers);
        for (var from = 0; from <= 100; from++)
        {
            for (var to = from; to <= 100; to++)
            {
                var read = new float[to - from];
                pieces.CopyTo(from, read);
                States.SameBits(values.AsSpan(from..to), read);
            }
        }
        Assert.Throws<ArgumentOutOfRangeException>(() => pieces.CopyTo(99, new float[2]));
        Assert.Throws<ArgumentException>(() => new StatePieces(buffers.SkipLast(1)));
        Assert.Throws<ArgumentException>(() => new StatePieces(buffers.Append((40, buffers[0].Buffer))));
        Assert.Throws<ArgumentException>(() => new StatePieces([]));
        buffers.ForEach(b => b.Buffer.Dispose());
    }
}
