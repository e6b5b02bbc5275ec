using Cluster.Cli.Configuration;
using Cluster.Contracts;

namespace Cluster.Cli.Tests.Configuration;

public sealed class RecipeReaderSpecs
{
    private static Recipe Read(string text) => RecipeReader.Parse(text, "my.yaml", "my");

    [Theory]
    [InlineData("model: small-cnn\nbach: 64\n", "my.yaml line 2: unknown key bach; did you mean batch?")]
    [InlineData("momentum: 0.9\n", "my.yaml line 1: unknown key momentum; did you mean optimizer.momentum?")]
    [InlineData("\n\nschedule:\n  momentum: 0.9\n", "my.yaml line 4: unknown key schedule.momentum; did you mean optimizer.momentum?")]
    [InlineData("optimizer:\n  weight_decya: 0.1\n", "my.yaml line 2: unknown key optimizer.weight-decya; did you mean optimizer.weight-decay?")]
    [InlineData("lr: 0.1\n", "my.yaml line 1: unknown key lr; did you mean schedule.lr?")]
    [InlineData("nothing-like-it-at-all: 1\n", "my.yaml line 1: unknown key nothing-like-it-at-all; docs/configuration.md lists all keys")]
    [InlineData("optimizer: 3\n", "my.yaml line 1: optimizer holds options of its own: write them indented below it")]
    [InlineData("batch: [1, [2]]\n", "my.yaml line 1: batch needs one value (N)")]
    [InlineData("batch: {a: 1}\n", "my.yaml line 1: batch needs one value (N)")]
    [InlineData("out: runs/x\n", "my.yaml line 1: out does not belong in a recipe: give --out on the command line")]
    public void A_mistake_names_its_line_and_what_was_probably_meant(string text, string expected) =>
        Assert.Equal([expected], Read(text).Mistakes);

    [Theory]
    [InlineData("batch: 64\n  momentum: [\n", "line 2")]
    [InlineData("batch: 1\nbatch: 2\n", "line 2")]
    [InlineData("- 1\n- 2\n", "line 1: expected 'key: value' lines")]
    [InlineData("batch: 1\n---\nbatch: 2\n", "one YAML document")]
    public void What_is_not_a_recipe_at_all_is_refused_with_its_line(string text, string expected)
    {
        var message = Assert.Throws<UserMistakeException>(() => Read(text)).Message;
        Assert.StartsWith("my.yaml line ", message);
        Assert.Contains(expected, message);
        Assert.DoesNotContain('\n', message);
    }

    [Fact]
    public void Every_mistake_of_a_file_is_found_at_once() =>
        Assert.Equal(3, Read("bach: 1\nepoch: 2\nloss:\n  smoothing: 3\n").Mistakes.Count);

    [Fact]
    public void Dashes_and_underscores_lists_and_nulls_are_understood()
    {
        var recipe = Read("recipe: night\ndescription: for a night\neval_every: 5\nstem: ~\naugmentation:\n  pad_crop: 4\n  mean: [0.1, 0.2, 0.3]\nloss:\n");
        Assert.Empty(recipe.Mistakes);
        Assert.Equal("night", recipe.Name);
        Assert.Equal("for a night", recipe.Description);
        var options = recipe.Settings.Aggregate(new RunOptions(), (current, setting) => setting.Row.Write(current, setting.Text));
        Assert.Equal(5, options.EvalEvery);
        Assert.Null(options.Stem);
        Assert.Equal(4, options.Augmentation.PadCrop);
        Assert.Equal([0.1, 0.2, 0.3], options.Augmentation.Mean!);
    }

    [Fact]
    public void An_empty_file_is_a_recipe_of_defaults_that_bears_the_files_name()
    {
        var recipe = Read("# nothing yet\n");
        Assert.Equal("my", recipe.Name);
        Assert.Empty(recipe.Settings);
        Assert.Empty(recipe.Mistakes);
    }

    [Theory]
    [InlineData("momentm", "momentum")]
    [InlineData("--weight_decya", "weight-decay")]
    [InlineData("btach", "batch")]
    [InlineData("qqqqqqqq", null)]
    [InlineData("x", null)]
    public void The_nearest_name_is_near(string text, string? expected) =>
        Assert.Equal(expected, NearestName.Of(text, ["momentum", "weight-decay", "batch", "seed"]));
}
