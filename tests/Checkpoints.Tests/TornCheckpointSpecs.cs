using Cluster.Coordinator.Checkpoints;

namespace Cluster.Checkpoints.Tests;

/// <summary>A fault at every single call to the disk, in turn: the run is always left with a whole checkpoint.</summary>
public sealed class TornCheckpointSpecs
{
    private const long Before = 5, Now = 10;

    /// <summary>Every call of one Write over an existing store.</summary>
    private static List<string> CallsOfAWrite(bool rewrites)
    {
        using var run = new RunFolder(inMemory: true);
        run.Write(rewrites ? Now : Before, layout: States.Small);
        using var state = new TestState(Now);
        var files = new FaultyFiles();
        new CheckpointStore(run.Path, files).Write(state.Content());
        return files.Calls;
    }

    [Fact]
    public void Manifest_is_flushed_last_and_the_folder_before_it_gets_its_name()
    {
        var calls = CallsOfAWrite(rewrites: false);
        var temporary = $".step-000010.{Environment.ProcessId}.tmp";
        Assert.Equal($"create folder {temporary}", calls[0]);
        Assert.Equal(
            ["create MANIFEST.json", "append to MANIFEST.json", "flush MANIFEST.json", $"flush folder {temporary}", $"move {temporary} step-000010", "flush folder checkpoints"],
            calls[^6..]);
        Assert.Equal(4, calls.Count(c => c.StartsWith("flush ") && !c.StartsWith("flush folder")));
        Assert.Equal(3, calls.Count(c => c == "append to model.safetensors"));     // so that a fault falls between its pieces, too
    }

    [Theory, InlineData(Fault.Full), InlineData(Fault.Torn)]
    public void Fault_at_any_call_leaves_a_whole_newest_checkpoint_and_the_next_write_succeeds(object kind)
    {
        var fault = (Fault)kind;
        var calls = CallsOfAWrite(rewrites: false);
        var published = calls.FindIndex(c => c.StartsWith("move "));
        Assert.True(published > 0);
        using var state = new TestState(Now);
        for (var at = 0; at < calls.Count; at++)
        {
            using var run = new RunFolder(inMemory: true);
            run.Write(Before, layout: States.Small);
            Fail(run, state, at, fault);

            var found = run.Store.FindNewest(state.Layout);
            Assert.Equal(at > published ? Now : Before, found.Newest?.Version.Value);
            Assert.Empty(found.PassedOver);
            if (fault == Fault.Full) Assert.Empty(Directory.EnumerateDirectories(run.Checkpoints, ".*"));
            WriteAgain(run, state);
        }
    }

    [Theory, InlineData(true), InlineData(false)]
    public void Rewriting_a_step_never_leaves_the_run_without_it(bool canExchange)
    {
        var calls = CallsOfAWrite(rewrites: true);
        Assert.Contains(calls, c => c.StartsWith("exchange "));
        using var state = new TestState(Now);
        for (var at = 0; at < calls.Count; at++)
        {
            using var run = new RunFolder(inMemory: true);
            run.Write(Now, layout: States.Small);
            Fail(run, state, at, Fault.Torn, canExchange, mayFinish: true);
            Assert.Equal(Now, run.Store.FindNewest(state.Layout).Newest?.Version.Value);
            WriteAgain(run, state);
        }
    }

    [Theory, InlineData(true), InlineData(false)]
    public void Damaged_checkpoint_of_the_same_step_makes_room_for_a_whole_one(bool canExchange)
    {
        using var run = new RunFolder(inMemory: true);
        using var state = new TestState(Now);
        var path = run.Store.Write(state.Content());
        File.WriteAllBytes(Path.Combine(path, "model.safetensors"), [1, 2, 3]);
        Assert.Null(run.Store.FindNewest(state.Layout).Newest);
        new CheckpointStore(run.Path, new FaultyFiles { CanExchange = canExchange }).Write(state.Content());
        using var loaded = CheckpointStore.Load(path, state.Layout);
        States.SameState(state, loaded);
        Assert.Single(Directory.EnumerateFileSystemEntries(run.Checkpoints));
    }

    [Fact]
    public void Removal_that_is_cut_off_never_leaves_half_a_checkpoint()
    {
        for (var at = 0; at < 2; at++)
        {
            using var run = new RunFolder(inMemory: true);
            foreach (var step in new long[] { 1, 2 }) run.Write(step);
            Assert.Throws<KilledException>(() => new CheckpointStore(run.Path, new FaultyFiles(at, Fault.Torn)).Retain(1, 0));
            Assert.Empty(run.Store.FindNewest(States.Tiny).PassedOver);
            Assert.All(run.Store.List(), c => CheckpointStore.Load(c.Path, States.Tiny).Dispose());
            var store = CheckpointStore.OpenForWriting(run.Path);
            store.Retain(1, 0);
            Assert.Equal(["step-000002"], Directory.EnumerateFileSystemEntries(run.Checkpoints).Select(Path.GetFileName));
        }
    }

    private static void Fail(RunFolder run, TestState state, int at, Fault fault, bool canExchange = true, bool mayFinish = false)
    {
        var files = new FaultyFiles(at, fault) { CanExchange = canExchange };
        var store = new CheckpointStore(run.Path, files);
        if (fault == Fault.Full)
        {
            var refused = Record.Exception(() => store.Write(state.Content()));
            // The last removals go through on a full disk, so only calls that need room can fail.
            Assert.Contains("No space left", Assert.IsType<CheckpointWriteException>(refused).Message);
            return;
        }
        var killed = Record.Exception(() => store.Write(state.Content()));
        if (mayFinish && files.Calls.Count <= at) Assert.Null(killed);      // this way takes fewer calls
        else Assert.IsType<KilledException>(killed);
    }

    private static void WriteAgain(RunFolder run, TestState state)
    {
        var path = CheckpointStore.OpenForWriting(run.Path).Write(state.Content());
        Assert.Empty(Directory.EnumerateDirectories(run.Checkpoints, ".*"));
        using var loaded = CheckpointStore.Load(path, state.Layout);
        States.SameState(state, loaded);
    }
}
