using System.Text.Json;

namespace Cluster.Cli.Tests.EndToEnd;

/// <summary>What a run leaves in traces.jsonl, and what <c>cluster trace</c> makes of it, whoever was killed.</summary>
[Collection(SeveralProcesses.Name)]
[Trait("Clock", "wall")]
public sealed class StoredTraceSpecs : IDisposable
{
    private readonly World _world = new();

    public void Dispose() => _world.Dispose();

    private Outcome Trace(params string[] arguments) => Processes.Run(Processes.Cluster, _world.Folder, ["trace", "run", .. arguments]);

    private void IsWhole(int steps)
    {
        var check = Trace("--check");
        Assert.True(check.ExitCode == 0, check.Output + check.Error);
        Assert.StartsWith($"whole: {steps} committed steps, ", check.Output, StringComparison.Ordinal);
    }

    [Fact]
    public void Every_committed_step_is_a_whole_trace_although_a_worker_and_the_coordinator_are_killed()
    {
        var outcome = Processes.Run(
            Processes.Cluster, _world.Folder,
            Training.Launch("run", Training.Steps, "--workers", "3", "--ps", "2", "--fault", "kill:worker-1@12", "--fault", "kill:coordinator@24"));
        Assert.Equal(Training.Expected(Training.Steps), Training.HashOf(outcome));
        IsWhole(Training.Steps);

        var shown = Trace("--step", "12");
        Assert.True(shown.ExitCode == 0, shown.Error);
        Assert.Matches("(?m)^coordinator .*step 12 ", shown.Output);
        Assert.Matches("(?m)^Critical path .*: ([0-9.]+) ms of \\1 ms$", shown.Output);

        Assert.Equal(0, Trace("--step", "13", "--perfetto", "13.json").ExitCode);
        using var json = JsonDocument.Parse(File.ReadAllBytes(_world.PathOf("13.json")));
        Assert.Contains(json.RootElement.GetProperty("traceEvents").EnumerateArray(), static e => e.GetProperty("ph").GetString() == "X" && e.GetProperty("name").GetString() == "step");

        var nowhere = Trace("--step", "99");
        Assert.Equal(2, nowhere.ExitCode);
        Assert.Contains($"no trace of step 99: it holds those of steps 1 to {Training.Steps}", nowhere.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_run_of_one_process_that_is_killed_and_resumed_has_a_root_for_every_step()
    {
        var folder = Directory.CreateDirectory(_world.PathOf("run")).FullName;
        using (var cluster = RunningCluster.Start(_world.Folder, Training.Arguments("run", Training.Steps, "--workers", "2", "--checkpoint-every", "5")))
        {
            await cluster.CommittedAsync(folder, 8);
            cluster.Signal(RunningCluster.Kill);
        }
        File.AppendAllText(Path.Combine(folder, "traces.jsonl"), "{\"trace\":\"half a li");
        Assert.Equal(Training.Expected(Training.Steps), Training.HashOf(Processes.Run(Processes.Cluster, _world.Folder, "train", "--resume", "--out", "run")));
        IsWhole(Training.Steps);
    }

    [Fact]
    public void A_folder_without_traces_says_so()
    {
        Training.HashOf(Processes.Run(
            "/usr/bin/env", _world.Folder, ["OTEL_SDK_DISABLED=true", Processes.Cluster, .. Training.Arguments("run", 2, "--workers", "1", "--checkpoint-every", "0")]));
        Assert.False(File.Exists(_world.PathOf("run/traces.jsonl")));
        var outcome = Trace("--step", "1");
        Assert.Equal(2, outcome.ExitCode);
        Assert.Contains("holds no traces.jsonl", outcome.Error, StringComparison.Ordinal);
    }
}
