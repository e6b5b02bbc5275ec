using Cluster.Cli.Configuration;

namespace Cluster.Cli.Tests.EndToEnd;

public sealed class GoodInputSpecs : IDisposable
{
    private readonly World _world = new();

    public void Dispose() => _world.Dispose();

    [Fact]
    public void Check_prints_the_resolved_configuration_and_writes_nothing()
    {
        var outcome = Processes.Run(Processes.Cluster, _world.Folder, "train", "--check", "--weight_decay", "1e-3", "--nesterov", "--flip", "false", "--lr=0.25");
        Assert.Equal((0, ""), (outcome.ExitCode, outcome.Error));
        var recipe = RecipeReader.Parse(outcome.Output, "printed", "x");
        Assert.Empty(recipe.Mistakes);
        string? Value(string key) => recipe.Settings.Single(setting => setting.Row.Key == key).Text;
        Assert.Equal(("0.001", "true", "false", "0.25"), (Value("optimizer.weight-decay"), Value("optimizer.nesterov"), Value("augmentation.flip"), Value("schedule.lr")));
        Assert.Contains("weight-decay: 0.001", outcome.Output);
        Assert.Matches(@"weight-decay: 0\.001 +# command line", outcome.Output);
        Assert.Empty(Directory.EnumerateFileSystemEntries(_world.Folder));
    }

    [Fact]
    public void The_default_verbs_answer()
    {
        Assert.StartsWith("cluster 0.", Processes.Run(Processes.Cluster, _world.Folder, "version").Output);
        Assert.StartsWith("cluster 0.", Processes.Run(Processes.Cluster, _world.Folder, "--version").Output);
        var recipes = Processes.Run(Processes.Cluster, _world.Folder, "recipes");
        Assert.Equal(RecipeFolder.Names, recipes.OutputLines.Select(line => line.Split(' ')[0]));
        Assert.Contains("batch: 256", Processes.Run(Processes.Cluster, _world.Folder, "recipes", "resnet20-cifar10").Output);
        foreach (var arguments in (string[][])[[], ["help"], ["--help"], ["-h"]])
        {
            var help = Processes.Run(Processes.Cluster, _world.Folder, arguments);
            Assert.Equal(0, help.ExitCode);
            Assert.Contains("cluster train", help.Output);
        }
        Assert.Equal(Processes.Run(Processes.Cluster, _world.Folder, "train", "--help").Output, Processes.Run(Processes.Cluster, _world.Folder, "help", "train").Output);
    }
}
