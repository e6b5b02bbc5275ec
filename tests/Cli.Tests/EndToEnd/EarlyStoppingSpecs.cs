using System.Text.Json;

namespace Cluster.Cli.Tests.EndToEnd;

/// <summary>A run whose patience is spent ends with its best version, whatever happened on the way.</summary>
public sealed class EarlyStoppingSpecs : IDisposable
{
    private const int Best = 3, StoppedAt = 12;

    private readonly World _world = new();

    public void Dispose() => _world.Dispose();

    [Fact]
    public async Task A_killed_run_resumes_to_the_same_early_end_and_its_result_is_the_best_version()
    {
        var folder = Directory.CreateDirectory(_world.PathOf("run")).FullName;
        // Nothing is better than the first evaluation by 100 points.
        string[] arguments =
        [
            "train", .. Training.Small, "--steps", "40", "--workers", "2", "--out", folder,
            "--eval-every", $"{Best}", "--eval-samples", "200", "--patience", "3", "--min-delta", "1", "--checkpoint-every", "5", "--checkpoint-keep", "1",
        ];
        using (var cluster = RunningCluster.Start(_world.Folder, arguments))
        {
            await cluster.CommittedAsync(folder, 8);
            cluster.Signal(RunningCluster.Kill);
            await cluster.EndAsync();
        }
        Assert.InRange(Training.CommittedSteps(folder), 8, StoppedAt);

        var resumed = Processes.Run(Processes.Cluster, _world.Folder, "train", "--resume", "--out", folder, "--workers", "1", "--ps", "2");
        Assert.Equal(Training.Expected(Best), Training.HashOf(resumed));
        Assert.Contains($"Stopped early at step {StoppedAt}: no better accuracy in 3 evaluations; the best was ", resumed.Output);
        Assert.Equal(StoppedAt, Training.CommittedSteps(folder));
        Assert.Contains("\"kind\":\"stopped-early\"", Training.Events(folder));
        using var summary = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(folder, "summary.json")));
        Assert.Equal((Best, StoppedAt), (summary.RootElement.GetProperty("best_step").GetInt32(), summary.RootElement.GetProperty("stopped_at").GetInt32()));

        var again = Processes.Run(Processes.Cluster, _world.Folder, "train", "--resume", "--out", folder);
        Assert.Equal(Training.Expected(Best), Training.HashOf(again));
        Assert.Contains($"The run stopped early before, at step {StoppedAt}", again.Output);
        Assert.Equal(StoppedAt, Training.CommittedSteps(folder));

        var exported = Processes.Run(Processes.Cluster, _world.Folder, "export", folder, "best.safetensors");
        Assert.Contains($"step-00000{Best}", exported.Output);
        var audit = Processes.Run(Processes.Cluster, _world.Folder, "audit", folder);
        Assert.True(audit.ExitCode == 0, audit.Output + audit.Error);
    }
}
