using Cluster.Cli.Configuration;
using Cluster.Contracts;

namespace Cluster.Cli.Tests.Configuration;

public sealed class RunResolverSpecs : IDisposable
{
    private readonly World _world = new();

    public void Dispose() => _world.Dispose();

    [Fact]
    public void Without_arguments_it_is_the_small_cnn_on_two_workers_of_one_thread()
    {
        var run = _world.Resolve(null);
        Assert.Equal(("small-cnn", "small-cnn", "cifar10"), (run.Options.Recipe, run.Options.Model, run.Options.Data));
        Assert.Equal((2, 1, 1), (run.Options.Workers, run.Options.Threads, run.Options.Ps));
        Assert.Equal((256, 8), (run.Options.Batch, run.Options.Microbatches));
        Assert.Equal(_world.PathOf("runs/small-cnn-20261121-120000"), run.OutDirectory);
        Assert.False(Directory.Exists(_world.PathOf("runs")));
    }

    [Fact]
    public void Every_shipped_recipe_resolves()
    {
        Assert.Contains(RecipeFolder.DefaultRecipe, RecipeFolder.Names);
        _world.Environment = _world.Environment with { IsForShow = true };
        Assert.All(RecipeFolder.Names, name =>
        {
            var run = _world.Resolve(name);
            Assert.Equal(name, run.Options.Recipe);
            Assert.NotEmpty(run.RecipeDescription);
        });
    }

    [Theory]
    [InlineData("resnet18-imagenet", "imagefolder")]
    [InlineData("resnet18-tiny", "shards")]
    public void A_recipe_for_images_that_people_bring_asks_for_their_folder_and_takes_another_set(string recipe, string data)
    {
        Assert.Equal([$"--data {data}: {data} needs a folder that you have: write --data {data}:DIR"], _world.MistakesOf(recipe));
        Assert.Equal("synthetic", _world.Resolve(recipe, "--data", "synthetic").Options.Data);
        Assert.Equal($"{data}:{_world.Folder}", _world.Resolve(recipe, "--data", $"{data}:{_world.Folder}").Options.Data);
    }

    [Fact]
    public void The_command_line_beats_the_recipe_and_the_recipe_beats_the_default()
    {
        var recipe = _world.Write("r.yaml", "recipe: r\nbatch: 64\nseed: 5\n");
        var run = _world.Resolve(recipe, "--seed", "6");
        Assert.Equal((64, 6UL, 8), (run.Options.Batch, run.Options.Seed, run.Options.Microbatches));
        Assert.Equal(("recipe r", "command line", "default"), (run.Origins["batch"], run.Origins["seed"], run.Origins["microbatches"]));
    }

    [Fact]
    public void A_bad_value_of_the_recipe_is_forgiven_when_the_command_line_replaces_nothing_else()
    {
        var recipe = _world.Write("r.yaml", "batch: many\n");
        Assert.Contains("line 1: batch many: must be a whole number", Assert.Single(_world.MistakesOf(recipe)));
    }

    [Fact]
    public void Steps_stop_a_run_and_leave_the_schedule_to_the_epochs()
    {
        var run = _world.Resolve(null, "--steps", "12");
        Assert.Equal((12L, 2d, null), (run.Options.Steps, run.Options.Epochs, run.Options.Schedule.TotalSteps));
    }

    [Fact]
    public void Epochs_on_the_command_line_give_the_schedule_its_length()
    {
        var recipe = _world.Write("r.yaml", "steps: 1000\nschedule:\n  total-steps: 900\n");
        var run = _world.Resolve(recipe, "--epochs", "2.5");
        Assert.Equal((null, 2.5, null), (run.Options.Steps, run.Options.Epochs, run.Options.Schedule.TotalSteps));
    }

    [Fact]
    public void A_recipe_that_counts_in_steps_has_a_schedule_of_that_many_even_when_stopped_early()
    {
        var recipe = _world.Write("r.yaml", "steps: 1000\n");
        Assert.Equal((1000L, 1000L), (_world.Resolve(recipe).Options.Steps!.Value, _world.Resolve(recipe).Options.Schedule.TotalSteps!.Value));
        Assert.Equal((10L, 1000L), (_world.Resolve(recipe, "--steps", "10").Options.Steps!.Value, _world.Resolve(recipe, "--steps", "10").Options.Schedule.TotalSteps!.Value));
    }

    [Fact]
    public void A_written_configuration_is_a_recipe_for_the_same_run()
    {
        var run = _world.Resolve("resnet18-cifar10", "--seed", "18446744073709551615", "--lr", "0.123456789012345", "--mean", "0.1,0.2,0.3", "--std", "0.3,0.2,0.1",
            "--stem", "imagenet", "--steps", "7", "--nesterov", "false");
        var facts = new Dictionary<string, string> { ["layout"] = "abc: \"#d", ["training-samples"] = "50000", ["note"] = "" };
        var file = _world.Write("config.yaml", ConfigWriter.Write(run, facts));
        var again = _world.Resolve(file, "--out", "elsewhere");
        var expected = run.Options with { Out = "elsewhere", Augmentation = run.Options.Augmentation with { Mean = null, Std = null } };
        Assert.Equal(expected, again.Options with { Augmentation = again.Options.Augmentation with { Mean = null, Std = null } });
        Assert.Equal([0.1, 0.2, 0.3], again.Options.Augmentation.Mean!);
        Assert.Equal(run.RecipeDescription, again.RecipeDescription);
    }

    [Fact]
    public void All_mistakes_come_in_one_message_with_one_line_each()
    {
        var mistakes = _world.MistakesOf(null, "--workers", "0", "--batch", "510", "--data", "cifr10", "--momentum", "1");
        Assert.Equal(
        [
            "--workers 0: must be at least 1 and at most 1024",
            "--momentum 1: must be at least 0 and below 1",
            "--batch 510 is not divisible by --microbatches 8: use --batch 504, or other microbatches",
            "--data cifr10: unknown data set cifr10; did you mean cifar10?",
        ], mistakes);
    }

    [Fact]
    public void Options_that_do_not_fit_together_are_named_with_a_way_out()
    {
        Assert.Contains("--momentum 0: Nesterov's look ahead needs momentum", Assert.Single(_world.MistakesOf(null, "--momentum", "0")));
        Assert.Contains("--dampening 0.1: Nesterov's momentum allows no dampening", Assert.Single(_world.MistakesOf(null, "--dampening", "0.1")));
        Assert.Contains("--mean has 2 channels and --std 3", Assert.Single(_world.MistakesOf(null, "--mean", "0.1,0.2", "--std", "0.1,0.2,0.3")));
    }

    [Fact]
    public void Every_device_of_a_list_is_asked_for()
    {
        _world.Environment = _world.Environment with { DeviceMistake = device => device == "cuda:1" ? "cuda:1 is not there" : null };
        Assert.Equal("cuda:0,cuda:1", Assert.Throws<UserMistakeException>(() => _world.Resolve(null, "--device", "cuda:0,cuda:1")).Message["--device ".Length..].Split(": ")[0]);
        Assert.Equal("cuda:0", _world.Resolve(null, "--device", "cuda:0").Options.Device);
    }

    [Fact]
    public void A_data_folder_becomes_absolute_and_must_exist()
    {
        Directory.CreateDirectory(_world.PathOf("pictures"));
        Assert.Equal($"cifar10:{_world.PathOf("pictures")}", _world.Resolve(null, "--data", "cifar10:pictures").Options.Data);
        Assert.Contains("there is no folder nowhere", Assert.Single(_world.MistakesOf(null, "--data", "cifar10:nowhere")));
        Assert.Contains("takes no folder", Assert.Single(_world.MistakesOf(null, "--data", "synthetic:pictures")));
    }

    [Fact]
    public void An_unknown_recipe_is_answered_with_the_nearest_one() =>
        Assert.Equal("unknown recipe small-cn; did you mean small-cnn?", Assert.Single(_world.MistakesOf("small-cn")));
}
