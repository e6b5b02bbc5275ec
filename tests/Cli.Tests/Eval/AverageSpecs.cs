using System.Text.Json;

namespace Cluster.Cli.Tests.Eval;

[Collection(TrainedRunCollection.Name)]
public sealed class AverageSpecs(TrainedRun run)
{
    [Fact]
    public void A_run_with_an_average_is_evaluated_and_exported_as_its_average_unless_the_last_weights_are_wanted()
    {
        var trained = run.Succeed(
            ["train", "--data", "synthetic", "--steps", "2", "--batch", "64", "--microbatches", "4", "--seed", "7", "--ema-decay", "0.5", "--clip-norm", "0.5", .. TrainedRun.Normalisation, "--out", "ema"]);
        Assert.Contains("clipped 2 of 2 steps", trained.OutputLines);
        using var summary = JsonDocument.Parse(File.ReadAllText(run.PathOf("ema/summary.json")));
        Assert.Equal(1, summary.RootElement.GetProperty("clipped_share").GetDouble());
        var loss = summary.RootElement.GetProperty("test_loss").GetDouble();

        var average = run.Evaluate("--weights", "ema");
        Assert.Equal((loss, true), (average.GetProperty("loss").GetDouble(), average.GetProperty("average").GetBoolean()));
        var last = run.Evaluate("--weights", "ema", "--last");
        Assert.False(last.GetProperty("average").GetBoolean());
        Assert.NotEqual(loss, last.GetProperty("loss").GetDouble());

        Assert.StartsWith("average.safetensors: the average of the weights of", run.Succeed("export", "ema", "average.safetensors").Output);
        var exported = run.Evaluate(
            ["--weights", "average.safetensors", "--model", "small-cnn", "--data", "synthetic", "--seed", "7", "--logit-scale", "0.5", .. TrainedRun.Normalisation]);
        Assert.Equal(loss, exported.GetProperty("loss").GetDouble());
        run.Succeed("export", "ema", "last.safetensors", "--last");
        Assert.Equal(File.ReadAllBytes(run.PathOf("ema/checkpoints/step-000002/model.safetensors")), File.ReadAllBytes(run.PathOf("last.safetensors")));
        Assert.Equal(new FileInfo(run.PathOf("last.safetensors")).Length, new FileInfo(run.PathOf("average.safetensors")).Length);
    }
}
