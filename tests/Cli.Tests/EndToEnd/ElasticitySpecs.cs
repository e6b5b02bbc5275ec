namespace Cluster.Cli.Tests.EndToEnd;

/// <summary>The result is a function of configuration and data: real processes, any number of workers and shards.</summary>
public sealed class ElasticitySpecs : IDisposable
{
    private readonly World _world = new();

    public void Dispose() => _world.Dispose();

    [Theory]
    [InlineData("2", "1")]
    [InlineData("3", "3")]
    [InlineData("5", "3")]
    public void The_state_is_the_same_bit_for_bit_for_any_number_of_workers_and_shards(string workers, string shards)
    {
        var outcome = Processes.Run(
            Processes.Cluster, _world.Folder, Training.Arguments("run", Training.ShortSteps, "--workers", workers, "--ps", shards, "--checkpoint-every", "0"));
        Assert.Equal(Training.Expected(Training.ShortSteps), Training.HashOf(outcome));
        Assert.Equal(Training.ShortSteps, Training.CommittedSteps(_world.PathOf("run")));
    }

    [Fact]
    public void Another_seed_gives_another_state()
    {
        string[] arguments = [.. Training.Arguments("run", Training.ShortSteps, "--workers", "2", "--checkpoint-every", "0").Select(static word => word == Training.Seed ? "12" : word)];
        var outcome = Processes.Run(Processes.Cluster, _world.Folder, arguments);
        Assert.NotEqual(Training.Expected(Training.ShortSteps), Training.HashOf(outcome));
    }

    /// <summary>BatchNorm's buffers travel through the tree too. Ended before the evaluation, which takes most of the time.</summary>
    [Fact]
    public async Task A_residual_network_with_batch_norm_has_the_same_checkpoint_for_one_worker_and_two()
    {
        var alone = await SecondCheckpointAsync("alone", "1", "1");
        var together = await SecondCheckpointAsync("together", "2", "3");
        foreach (var name in (string[])["model.safetensors", "optimizer.safetensors"])
            Assert.True(File.ReadAllBytes(Path.Combine(alone, name)).AsSpan().SequenceEqual(File.ReadAllBytes(Path.Combine(together, name))), $"{name} differs");
    }

    private async Task<string> SecondCheckpointAsync(string name, string workers, string shards)
    {
        var checkpoints = Directory.CreateDirectory(_world.PathOf($"{name}/checkpoints")).FullName;
        using var cluster = RunningCluster.Start(
            _world.Folder, Training.Arguments(name, 40, "--model", "resnet20", "--workers", workers, "--ps", shards, "--checkpoint-every", "2", "--checkpoint-keep", "99"));
        await cluster.AppearsAsync(checkpoints, "step-000002");
        return Path.Combine(checkpoints, "step-000002");
    }
}
