using System.Globalization;
using Cluster.Contracts;
using Cluster.Coordinator.Checkpoints;

namespace Cluster.Checkpoints.Tests;

/// <summary>Real processes, real SIGKILL. CLUSTER_CHECKPOINT_KILLS sets the number of kills of the second test (300 in the long run).</summary>
public sealed class KilledWriterSpecs
{
    private const string KillsVariable = "CLUSTER_CHECKPOINT_KILLS";

    [Theory]
    [InlineData("create folder .step-000010")]
    [InlineData("create model.safetensors")]
    [InlineData("append to model.safetensors")]
    [InlineData("append to optimizer.safetensors")]
    [InlineData("flush optimizer.safetensors")]
    [InlineData("append to MANIFEST.json")]
    [InlineData("flush folder .step-000010")]
    [InlineData("move .step-000010")]
    [InlineData("flush folder checkpoints")]
    public void Process_killed_at_a_fixed_call_leaves_the_newest_whole_checkpoint(string call)
    {
        using var run = new RunFolder();
        run.Write(5, layout: States.Small);
        var calls = CallsOfAWrite();
        var at = calls.FindLastIndex(c => c.StartsWith(call));
        var published = calls.FindIndex(c => c.StartsWith("move "));
        Assert.True(at >= 0 && published > 0);

        var (exitCode, output) = WriterProcess.Run("write", run.Path, "10", at.ToString(CultureInfo.InvariantCulture));
        Assert.Equal(WriterProcess.Killed, exitCode);
        Assert.Equal("", output);
        Assert.Equal(at > published ? 10 : 5, LoadNewest(run));
        Assert.Equal(at == 0 || at > published ? 0 : 1, run.Store.RemoveLeftovers().Count);     // killed at call 0, it made no folder yet
        Assert.Empty(Directory.EnumerateDirectories(run.Checkpoints, ".*"));
        using var next = new TestState(10);
        run.Store.Write(next.Content());
        Assert.Equal(10, LoadNewest(run));
    }

    [Fact]
    public void Process_killed_at_random_moments_always_leaves_what_it_had_reported()
    {
        var kills = int.Parse(Environment.GetEnvironmentVariable(KillsVariable) ?? "3", CultureInfo.InvariantCulture);
        var stream = new PhiloxStream(17, RandomPurpose.Fingerprint, (ulong)kills);
        using var run = new RunFolder();
        var newest = 0L;
        var interrupted = 0;
        for (var kill = 0; kill < kills; kill++)
        {
            using var process = WriterProcess.Start("write-on", run.Path, (newest + 1).ToString(CultureInfo.InvariantCulture));
            for (var lines = 1 + stream.NextInt32(3); lines > 0; lines--)
                newest = long.Parse(process.StandardOutput.ReadLine()!, CultureInfo.InvariantCulture);
            Thread.SpinWait(stream.NextInt32(2_000_000));       // up to some milliseconds: the next Write takes as long
            process.Kill();
            while (process.StandardOutput.ReadLine() is { } line) newest = long.Parse(line, CultureInfo.InvariantCulture);
            process.WaitForExit();
            Assert.Equal(WriterProcess.Killed, process.ExitCode);
            interrupted += Directory.EnumerateDirectories(run.Checkpoints, ".*").Count();
            var left = LoadNewest(run);
            Assert.InRange(left, newest, newest + 1);
            newest = left;
        }
        Assert.True(newest >= kills);
        Assert.True(kills < 50 || interrupted > kills / 10, $"only {interrupted} of {kills} kills came within a write");
        TestContext.Current.TestOutputHelper?.WriteLine($"{kills} kills, {interrupted} of them within a write or a removal; version {newest}");
    }

    /// <summary>What Write asks of the disk, in order, in a run that has a checkpoint.</summary>
    private static List<string> CallsOfAWrite()
    {
        using var run = new RunFolder(inMemory: true);
        run.Write(5, layout: States.Small);
        using var state = new TestState(10);
        var files = new FaultyFiles();
        new CheckpointStore(run.Path, files).Write(state.Content());
        return files.Calls;
    }

    private static long LoadNewest(RunFolder run)
    {
        var found = run.Store.FindNewest(States.Small);
        Assert.Empty(found.PassedOver);
        using var state = new TestState(found.Newest!.Version.Value);
        using var loaded = CheckpointStore.Load(found.Newest.Path, States.Small);
        States.SameState(state, loaded);
        return found.Newest.Version.Value;
    }
}
