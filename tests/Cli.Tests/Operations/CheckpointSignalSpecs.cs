using Cluster.Cli.Hosting.Supervision;
using Cluster.Cli.Tests.EndToEnd;

namespace Cluster.Cli.Tests.Operations;

/// <summary>SIGUSR1: a checkpoint now, and training goes on.</summary>
[Collection(SeveralProcesses.Name)]
[Trait("Clock", "wall")]
public sealed class CheckpointSignalSpecs : IDisposable
{
    private readonly World _world = new();

    public void Dispose() => _world.Dispose();

    [Theory]
    [InlineData("train")]
    [InlineData("launch")]
    public async Task Signal_to_train_or_launch_keeps_the_next_commit_and_changes_no_bit(string verb)
    {
        var folder = Directory.CreateDirectory(_world.PathOf("run")).FullName;
        using var cluster = RunningCluster.Start(_world.Folder, [verb, .. Training.Arguments("run", Training.Steps, "--workers", "2", "--checkpoint-every", "1000")[1..]]);
        await cluster.CommittedAsync(folder, 2);
        var before = Training.CommittedSteps(folder);
        cluster.Signal(CheckpointSignal.Number);
        await cluster.ToldAsync(folder, "checkpoint", "coordinator");
        var asked = RunEvents.Single(folder, "checkpoint-asked", "SIGUSR1 asks for a checkpoint: the next step that commits is kept.");
        Assert.Equal(("coordinator", "checkpoint"), (asked.Node, asked.Phase));
        var kept = Assert.Single(Training.Checkpoints(folder));
        Assert.InRange(int.Parse(kept["step-".Length..], System.Globalization.CultureInfo.InvariantCulture), before, Training.Steps - 1);
        Assert.Equal(Training.Expected(Training.Steps), Training.HashOf(await cluster.EndAsync()));
        Assert.Contains(kept, Training.Checkpoints(folder));
    }

    [Fact]
    public async Task Every_process_of_a_run_outlives_the_signal()
    {
        var folder = Directory.CreateDirectory(_world.PathOf("run")).FullName;
        using var cluster = RunningCluster.Start(_world.Folder, Training.Launch("run", Training.Steps, "--workers", "2", "--checkpoint-every", "1000"));
        await cluster.CommittedAsync(folder, 2);
        // A scheduler signals every process of a job.
        foreach (var node in (string[])["coordinator", "ps-0", "worker-0", "worker-1"])
            Assert.Equal(0, Processes.Run("/bin/sh", _world.Folder, "-c", $"kill -{CheckpointSignal.Number} {RunEvents.ProcessOf(folder, node)}").ExitCode);
        Assert.Equal(Training.Expected(Training.Steps), Training.HashOf(await cluster.EndAsync()));
        Assert.DoesNotContain(RunEvents.Of(folder), static e => e.Kind is "worker-lost" or "shard-lost" or "took-over");
        Assert.Contains(RunEvents.Of(folder), static e => e.Kind == "checkpoint-asked");
    }

    [Fact]
    public async Task Run_that_keeps_no_checkpoints_says_so()
    {
        var folder = Directory.CreateDirectory(_world.PathOf("run")).FullName;
        using var cluster = RunningCluster.Start(_world.Folder, Training.Arguments("run", Training.Steps, "--checkpoint-every", "0"));
        await cluster.CommittedAsync(folder, 2);
        cluster.Signal(CheckpointSignal.Number);
        await cluster.ToldAsync(folder, "checkpoint-skipped", "coordinator");
        RunEvents.Single(folder, "checkpoint-skipped", "SIGUSR1 asks for a checkpoint and gets none: this run keeps none (--checkpoint-every 0).");
        Assert.Equal(Training.Expected(Training.Steps), Training.HashOf(await cluster.EndAsync()));
    }

    [Fact]
    public void Signal_that_comes_before_anybody_listens_is_told_to_the_first_who_does()
    {
        var heard = 0;
        CheckpointSignal.Raise();
        using (CheckpointSignal.Listen(() => heard++)) Assert.Equal(1, heard);
        using (CheckpointSignal.Listen(() => heard++))
        {
            Assert.Equal(1, heard);
            CheckpointSignal.Raise();
            Assert.Equal(2, heard);
        }
    }
}
