using Cluster.Cli.Configuration;

namespace Cluster.Cli.Tests.Configuration;

public sealed class ContradictionSpecs : IDisposable
{
    private readonly World _world = new();

    public void Dispose() => _world.Dispose();

    [Theory]
    [InlineData("two kinds of decay at once", "--penalty", "l2", "--weight-decay", "1e-4", "--l1", "1e-5")]
    [InlineData("two kinds of decay at once", "--penalty", "l1", "--l1", "1e-5", "--weight-decay", "1e-4")]
    [InlineData("two kinds of decay at once", "--optimizer", "adamw", "--penalty", "l2")]
    [InlineData("has no strength", "--penalty", "l1")]
    [InlineData("has no strength", "--penalty", "decoupled", "--weight-decay", "0")]
    [InlineData("give both a strength", "--penalty", "elastic-net", "--l1", "1e-5", "--weight-decay", "0")]
    [InlineData("adam has no momentum of that kind", "--optimizer", "adam", "--momentum", "0.9")]
    [InlineData("rmsprop has no Nesterov form", "--optimizer", "rmsprop", "--nesterov", "true")]
    [InlineData("has no dampening", "--nesterov", "false", "--momentum-form", "classical", "--dampening", "0.1")]
    [InlineData("choose sgd", "--optimizer", "adagrad", "--momentum-form", "classical")]
    [InlineData("leave penalty away", "--optimizer", "lars", "--penalty", "decoupled")]
    [InlineData("scales every tensor", "--optimizer", "lars", "--clip-parameter-norm", "1")]
    [InlineData("set clip-value to 0", "--optimizer", "lars", "--clip-value", "1")]
    [InlineData("set clip-adaptive to 0", "--optimizer", "lars", "--clip-adaptive", "1")]
    [InlineData("clipped in one way", "--clip-norm", "1", "--clip-value", "0.1")]
    [InlineData("a pattern, a colon and factors", "--groups", "fc.*")]
    [InlineData("has a rise of its own", "--schedule", "one-cycle", "--warmup-epochs", "1")]
    [InlineData("as long as the whole run", "--schedule", "cosine", "--epochs", "5", "--warmup-epochs", "5")]
    [InlineData("needs the epochs", "--schedule", "multi-step")]
    [InlineData("milestones ascend", "--schedule", "multi-step", "--milestones", "9,3")]
    [InlineData("does not raise", "--schedule", "step", "--gamma", "2")]
    [InlineData("needs a drop", "--schedule", "plateau", "--gamma", "1")]
    [InlineData("the rate falls", "--schedule", "cosine", "--lr", "0.1", "--final-lr", "0.2")]
    [InlineData("without validation data", "--patience", "3", "--evaluate", "false")]
    [InlineData("without validation data", "--schedule", "plateau", "--evaluate", "false")]
    [InlineData("does not drop while it warms up", "--schedule", "multi-step", "--epochs", "20", "--milestones", "3,9", "--warmup-epochs", "5")]
    [InlineData("which only a checkpoint keeps", "--patience", "3", "--checkpoint-every", "0")]
    [InlineData("histograms go into the TensorBoard files", "--histogram-every", "10", "--tensorboard", "false")]
    [InlineData("is one of cross-entropy", "--loss", "squared-error", "--label-smoothing", "0.1")]
    public void Options_that_cannot_all_hold_are_refused_by_name(string why, params string[] flagsAndValues)
    {
        var mistake = Assert.Single(_world.MistakesOf(null, flagsAndValues));
        Assert.Contains(why, mistake);
        Assert.Contains(flagsAndValues[^2] + " " + flagsAndValues[^1], mistake);
    }

    [Fact]
    public void All_contradictions_of_a_recipe_come_together_with_their_lines()
    {
        var recipe = _world.Write("wrong.yaml", """
            epochs: 4
            evaluate: false
            optimizer:
              kind: adamw
              penalty: l2
              momentum: 0.9
            schedule:
              kind: cosine
              warmup-epochs: 4
            early-stopping:
              patience: 2
            """);
        var mistakes = _world.MistakesOf(recipe);
        Assert.Equal(4, mistakes.Length);
        Assert.Single(mistakes, m => m.Contains("line 4: optimizer.kind adamw") && m.Contains("line 6: optimizer.momentum 0.9"));
        Assert.Single(mistakes, m => m.Contains("line 4: optimizer.kind adamw") && m.Contains("line 5: optimizer.penalty l2"));
        Assert.Single(mistakes, m => m.Contains("line 9: schedule.warmup-epochs 4") && m.Contains("line 1: epochs 4"));
        Assert.Single(mistakes, m => m.Contains("line 11: early-stopping.patience 2") && m.Contains("line 2: evaluate false"));
    }

    [Fact]
    public void Steps_on_the_command_line_stop_before_the_warm_up_ends_and_contradict_nothing() =>
        Assert.Equal(2, _world.Resolve(null, "--schedule", "cosine", "--warmup-epochs", "1", "--steps", "2").Options.Steps);

    [Fact]
    public void The_command_line_s_choice_replaces_what_the_recipe_says_about_another()
    {
        // small-cnn has Nesterov's momentum and label smoothing.
        var adam = _world.Resolve(null, "--optimizer", "adam").Options;
        Assert.Equal((false, 0.0), (adam.Optimizer.Nesterov, adam.Optimizer.Momentum));
        Assert.Equal((0.0, 1e-5), (_world.Resolve(null, "--penalty", "l1", "--l1", "1e-5").Options.Optimizer.WeightDecay, _world.Resolve(null, "--penalty", "l1", "--l1", "1e-5").Options.Optimizer.L1));
        Assert.Equal((0.0, 1.0), (_world.Resolve(null, "--loss", "squared-error").Options.Loss.LabelSmoothing, _world.Resolve(null, "--loss", "squared-error").Options.Loss.LogitScale));
        var recipe = _world.Write("clips.yaml", "optimizer:\n  clip-norm: 5\n");
        var options = _world.Resolve(recipe, "--clip-value", "0.5").Options.Optimizer;
        Assert.Equal((0.0, 0.5), (options.ClipNorm, options.ClipValue));
    }

    [Fact]
    public void A_default_strength_gives_way_to_the_penalty_that_was_asked_for()
    {
        var recipe = _world.Write("l1.yaml", "optimizer:\n  l1: 1e-5\n");
        Assert.Equal((Contracts.PenaltyKind.L1, 0.0), (_world.Resolve(recipe).Options.Optimizer.PenaltyOf(), _world.Resolve(recipe).Options.Optimizer.WeightDecay));
    }
}
