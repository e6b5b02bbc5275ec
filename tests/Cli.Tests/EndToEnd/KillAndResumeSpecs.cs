namespace Cluster.Cli.Tests.EndToEnd;

/// <summary>A process killed in mid-run, and what 'train --resume' makes of the folder that it left.</summary>
[Trait("Clock", "wall")]
public sealed class KillAndResumeSpecs : IDisposable
{
    private readonly World _world = new();

    public void Dispose() => _world.Dispose();

    [Fact]
    public async Task A_killed_run_resumes_with_other_workers_to_the_undisturbed_state()
    {
        var folder = await KilledAsync();
        var newest = Training.Checkpoints(folder)[^1];
        var at = int.Parse(newest["step-".Length..]);
        var committed = Training.CommittedSteps(folder);

        var resumed = Processes.Run(Processes.Cluster, _world.Folder, Resume(folder, "--workers", "3", "--ps", "2"));
        Assert.Equal(Training.Expected(Training.Steps), Training.HashOf(resumed));
        Assert.Contains($"{newest}, step {at}; {committed - at} recorded steps are replayed.", resumed.Output);
        var events = Training.Events(folder);
        Assert.Matches($"\"kind\":\"resumed\".*{newest}, step {at}; {committed - at} recorded steps are replayed", events);
        if (committed > at) Assert.Contains($"Steps {at + 1} to {committed} are in the log but not in what the shards hold", events);
        Assert.Equal(Training.Steps, Training.CommittedSteps(folder));

        var audit = Processes.Run(Processes.Cluster, _world.Folder, "audit", folder);
        Assert.True(audit.ExitCode == 0, audit.Output + audit.Error);

        ItIsFinished(folder);
        ItRefusesAnotherRecipe(folder);
    }

    [Fact]
    public async Task A_damaged_checkpoint_is_passed_over_and_the_state_is_the_same()
    {
        var folder = await KilledAsync();
        var newest = Training.Checkpoints(folder)[^1];
        var model = Path.Combine(folder, "checkpoints", newest, "model.safetensors");
        var bytes = File.ReadAllBytes(model);
        bytes[^5] ^= 0x10;
        File.WriteAllBytes(model, bytes);

        var resumed = Processes.Run(Processes.Cluster, _world.Folder, Resume(folder));
        Assert.Equal(Training.Expected(Training.Steps), Training.HashOf(resumed));
        Assert.Matches($"Checkpoint .*{newest} is passed over: .*model.safetensors", resumed.Output);
        Assert.Contains("\"kind\":\"checkpoint-passed-over\"", Training.Events(folder));
        Assert.Equal(Training.Steps, Training.CommittedSteps(folder));
        Assert.Equal(0, Processes.Run(Processes.Cluster, _world.Folder, "audit", folder).ExitCode);
    }

    /// <summary>Killed before the first checkpoint, and in the middle of writing a record.</summary>
    [Fact]
    public async Task Without_a_checkpoint_and_with_a_torn_last_line_it_replays_from_the_seeded_weights()
    {
        var folder = Directory.CreateDirectory(_world.PathOf("run")).FullName;
        using (var cluster = RunningCluster.Start(_world.Folder, Training.Arguments("run", Training.Steps, "--workers", "2")))
        {
            await cluster.CommittedAsync(folder, 3);
            cluster.Signal(RunningCluster.Kill);
            await cluster.EndAsync();
        }
        var committed = Training.CommittedSteps(folder);
        File.AppendAllText(Path.Combine(folder, "commits.jsonl"), "{\"step\":");

        var resumed = Processes.Run(Processes.Cluster, _world.Folder, Resume(folder, "--ps", "3"));
        Assert.Equal(Training.Expected(Training.Steps), Training.HashOf(resumed));
        Assert.Contains("was torn (8 bytes without a newline) and is cut", resumed.Output);
        Assert.Contains($"there is no whole checkpoint); {committed} recorded steps are replayed.", resumed.Output);
        Assert.Equal(Training.Steps, Training.CommittedSteps(folder));
    }

    [Fact]
    public void Log_that_was_cut_behind_the_newest_checkpoint_is_refused_with_two_ways_on()
    {
        const int Steps = Training.ShortSteps;
        var folder = _world.PathOf("run");
        Training.HashOf(Processes.Run(Processes.Cluster, _world.Folder, Training.Arguments("run", Steps, "--workers", "1", "--checkpoint-every", "4")));
        var log = Path.Combine(folder, "commits.jsonl");
        var whole = File.ReadAllBytes(log);
        File.WriteAllBytes(log, whole[..^25]);

        var refused = Processes.Run(Processes.Cluster, _world.Folder, Resume(folder));
        Assert.Equal(2, refused.ExitCode);
        var newest = Path.Combine(folder, "checkpoints", Training.Checkpoints(folder)[^1]);
        Assert.Equal(
            $"cluster: {folder}: the checkpoint of step {Steps} is newer than the log, which ends at step {Steps - 1}; commits.jsonl was cut by hand or lost. Put the whole file back, or move {newest} away to go on from an earlier one",
            Assert.Single(refused.ErrorLines));

        Directory.Move(newest, _world.PathOf("away"));
        Assert.Equal(Training.Expected(Steps), Training.HashOf(Processes.Run(Processes.Cluster, _world.Folder, Resume(folder))));
        Assert.Equal(Steps, Training.CommittedSteps(folder));
    }

    /// <summary>A run that was killed (-9) at about step 17 of 40; meanwhile nobody else could use its folder.</summary>
    private async Task<string> KilledAsync()
    {
        var folder = Directory.CreateDirectory(_world.PathOf("run")).FullName;
        using var cluster = RunningCluster.Start(_world.Folder, Training.Arguments("run", Training.Steps, "--workers", "2", "--checkpoint-every", "5"));
        await cluster.CommittedAsync(folder, 17);
        cluster.Signal(RunningCluster.Stop);
        Assert.InRange(Training.CommittedSteps(folder), 17, Training.Steps - 1);

        var second = Processes.Run(Processes.Cluster, _world.Folder, Resume(folder));
        Assert.Equal(2, second.ExitCode);
        Assert.Equal($"cluster: {folder} is in use by another process; wait until that run has ended, or stop it", Assert.Single(second.ErrorLines));
        var fresh = Processes.Run(Processes.Cluster, _world.Folder, Training.Arguments(folder, Training.Steps));
        Assert.Equal(2, fresh.ExitCode);
        Assert.Contains("already holds a run", Assert.Single(fresh.ErrorLines));

        cluster.Signal(RunningCluster.Kill);
        Assert.Equal(128 + RunningCluster.Kill, (await cluster.EndAsync()).ExitCode);
        return folder;
    }

    private void ItIsFinished(string folder)
    {
        var summary = File.ReadAllBytes(Path.Combine(folder, "summary.json"));
        var written = File.GetLastWriteTimeUtc(Path.Combine(folder, "summary.json"));
        var again = Processes.Run(Processes.Cluster, _world.Folder, Resume(folder));
        Assert.Equal(Training.Expected(Training.Steps), Training.HashOf(again));
        Assert.Contains($"All {Training.Steps} steps were done before", again.Output);
        Assert.Equal(summary, File.ReadAllBytes(Path.Combine(folder, "summary.json")));
        Assert.Equal(written, File.GetLastWriteTimeUtc(Path.Combine(folder, "summary.json")));
        Assert.Equal(Training.Steps, Training.CommittedSteps(folder));
    }

    private void ItRefusesAnotherRecipe(string folder)
    {
        var before = File.ReadAllBytes(Path.Combine(folder, "commits.jsonl"));
        var refused = Processes.Run(Processes.Cluster, _world.Folder, Resume(folder, "--seed", "99", "--batch", "128", "--lr", "0.25"));
        Assert.Equal(2, refused.ExitCode);
        Assert.Equal(3, refused.ErrorLines.Length);
        Assert.Contains(refused.ErrorLines, static line => line.Contains("--seed 99: the run began with 11"));
        Assert.Contains(refused.ErrorLines, static line => line.Contains($"--batch 128: the run began with {Training.Batch}"));
        Assert.Contains(refused.ErrorLines, static line => line.Contains("--lr 0.25: the run began with 0.4"));
        Assert.Equal(before, File.ReadAllBytes(Path.Combine(folder, "commits.jsonl")));

        var shorter = Processes.Run(Processes.Cluster, _world.Folder, Resume(folder, "--steps", "20"));
        Assert.Equal(2, shorter.ExitCode);
        Assert.Contains("--steps 20 would go back", Assert.Single(shorter.ErrorLines));
    }

    private static string[] Resume(string folder, params string[] more) => ["train", "--resume", "--out", folder, .. more];
}
