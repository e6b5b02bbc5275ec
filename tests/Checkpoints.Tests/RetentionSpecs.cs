using Cluster.Contracts;
using Cluster.Coordinator.Checkpoints;

namespace Cluster.Checkpoints.Tests;

public sealed class RetentionSpecs : IDisposable
{
    private readonly RunFolder _run = new(inMemory: true);

    public void Dispose() => _run.Dispose();

    private IEnumerable<long> Steps => _run.Store.List().Select(c => c.Version.Value);

    [Fact]
    public void Last_ones_and_the_best_ones_stay()
    {
        foreach (var (step, accuracy) in new (long, double?)[] { (1, 0.9), (2, 0.5), (3, 0.95), (4, 0.9), (5, null), (6, 0.1), (7, 0.2) }) _run.Write(step, accuracy);
        Assert.Equal(3, _run.Store.Retain(keepLast: 2, keepBest: 2).Count);     // best: 3, and of the equals the newer, 4
        Assert.Equal([7, 6, 4, 3], Steps);
        Assert.Empty(_run.Store.Retain(2, 2));
        _run.Store.Retain(1, 0);
        Assert.Equal([7], Steps);
        Assert.Equal(["step-000007"], Directory.EnumerateFileSystemEntries(_run.Checkpoints).Select(Path.GetFileName));
    }

    [Fact]
    public void Pinned_one_stays_whatever_the_others_are()
    {
        foreach (var step in new long[] { 1, 2, 3, 4 }) _run.Write(step, 0.5 + step * 0.1);
        _run.Store.Retain(1, 1, pinned: new WeightsVersion(2));
        Assert.Equal([4, 2], Steps);
        Assert.Equal(2, _run.Store.Find(new WeightsVersion(2))?.Version.Value);
        Assert.Null(_run.Store.Find(new WeightsVersion(3)));
    }

    [Fact]
    public void Newest_whole_checkpoint_stays_though_damaged_ones_are_newer()
    {
        foreach (var step in new long[] { 1, 2, 3, 4 }) _run.Write(step);
        foreach (var step in new[] { 3, 4 })
        {
            var model = _run.At("checkpoints", $"step-00000{step}", "model.safetensors");
            var bytes = File.ReadAllBytes(model);
            bytes[^1] ^= 1;     // sizes are right, only the hash tells
            File.WriteAllBytes(model, bytes);
        }
        _run.Store.Retain(1, 0);
        Assert.Equal(2, _run.Store.FindNewest(States.Tiny).Newest?.Version.Value);
        Assert.Equal([4, 3, 2], Steps);
    }

    [Fact]
    public void Nothing_goes_where_nothing_is_whole()
    {
        foreach (var step in new long[] { 1, 2 }) File.Delete(Path.Combine(_run.Write(step), "run.json"));
        Assert.Empty(_run.Store.Retain(1, 0));
        Assert.Equal(2, Directory.EnumerateDirectories(_run.Checkpoints).Count());
    }

    [Fact]
    public void Leftovers_of_dead_writers_go_and_those_of_living_ones_stay()
    {
        _run.Write(1);
        string Leftover(string name) => Directory.CreateDirectory(Path.Combine(_run.Checkpoints, name)).FullName;
        var dead = Leftover($".step-000009.{int.MaxValue}.tmp");
        var ours = Leftover($".step-000009.{Environment.ProcessId}.tmp");
        using var writer = WriterProcess.Start("wait");
        writer.StandardOutput.ReadLine();
        var living = Leftover($".step-000009.{writer.Id}.tmp");
        var inherited = Leftover($".step-000010.{writer.Id}.tmp");
        Directory.SetLastWriteTime(inherited, DateTime.Now.AddHours(-1));      // older than the process: it only inherited the number
        var foreign = Leftover(".step-9.tmp");
        Assert.Equal(new HashSet<string> { ours, dead, inherited }, _run.Store.RemoveLeftovers().ToHashSet());
        Assert.True(Directory.Exists(living) && Directory.Exists(foreign));
        writer.Kill();
        writer.WaitForExit();
        CheckpointStore.OpenForWriting(_run.Path);
        Assert.False(Directory.Exists(living));
        Assert.Equal([1], Steps);
    }

    [Theory, InlineData(float.NaN), InlineData(float.PositiveInfinity), InlineData(float.NegativeInfinity)]
    public void State_that_is_not_finite_is_refused_by_name_before_the_disk_is_touched(float value)
    {
        _run.Write(1, layout: States.Small);
        using var state = new TestState(2, shards: 3);
        var files = new FaultyFiles();
        var entry = States.Small["layer.weight"];
        state.Poison(entry.Offset + 70_000, value);
        var refused = Assert.Throws<NonFiniteStateException>(() => new CheckpointStore(_run.Path, files).Write(state.Content()));
        Assert.Equal(("layer.weight", 70_000, new WeightsVersion(2)), (refused.Name, refused.Index, refused.Version));
        state.Poison(entry.Offset + 70_000, 0);
        state.PoisonMomentum(States.Small["bn1.bias"].Offset + 32, value);
        refused = Assert.Throws<NonFiniteStateException>(() => new CheckpointStore(_run.Path, files).Write(state.Content()));
        Assert.Equal(($"bn1.bias.{TestState.Slot}", 32), (refused.Name, refused.Index));
        Assert.Empty(files.Calls);
        Assert.Equal(1, _run.Store.FindNewest(States.Small).Newest?.Version.Value);
    }
}
