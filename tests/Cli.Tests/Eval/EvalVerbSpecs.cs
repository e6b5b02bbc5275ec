using System.Text.Json;
using Cluster.Cli.Hosting;
using Cluster.Cli.Verbs;
using Cluster.Contracts;
using Cluster.Coordinator.Core;

namespace Cluster.Cli.Tests.Eval;

[Collection(TrainedRunCollection.Name)]
public sealed class EvalVerbSpecs(TrainedRun run)
{
    /// <summary>Not the data set's own, so that an evaluation that leaves it out gives other numbers.</summary>
    private static readonly string[] Normalisation = ["--mean", "0.4,0.5,0.6", "--std", "0.3,0.25,0.2"];

    /// <summary>Of the smallest model, since the whole test split is evaluated three times; it has room on one shard alone, and <see cref="AverageSpecs"/> has two.</summary>
    [Fact]
    public void Evaluation_of_a_run_and_of_its_export_gives_its_summary_for_any_number_of_workers_and_leaves_nothing_behind()
    {
        run.Succeed(["train", "--data", "synthetic", "--model", "linear", "--steps", "2", "--batch", "64", "--microbatches", "4", "--seed", "7", .. Normalisation, "--out", "linear"]);
        run.Succeed("export", "linear", "linear.safetensors");
        var before = Files();
        var one = run.Evaluate("--weights", "linear", "--workers", "1");
        var three = run.Evaluate(
            ["--weights", "linear.safetensors", "--model", "linear", "--data", "synthetic", "--seed", "7", "--logit-scale", "0.5", "--workers", "3", .. Normalisation]);
        Assert.Equal(before, Files());

        using var summary = JsonDocument.Parse(File.ReadAllText(run.PathOf("linear/summary.json")));
        foreach (var (ours, theirs) in new[] { ("accuracy", "test_accuracy"), ("loss", "test_loss"), ("top5", "test_top5") })
            Assert.Equal(summary.RootElement.GetProperty(theirs).GetDouble(), one.GetProperty(ours).GetDouble());
        Assert.Equal(Path.Combine("linear", "checkpoints", "step-000002"), one.GetProperty("weights").GetString());
        Assert.Equal("linear.safetensors", three.GetProperty("weights").GetString());
        Assert.Equal(Without(one, "workers", "weights"), Without(three, "workers", "weights"));

        Assert.Equal(10_000, one.GetProperty("samples").GetInt32());
        var confusion = one.GetProperty("confusion").EnumerateArray().Select(row => row.EnumerateArray().Select(count => count.GetInt32()).ToArray()).ToArray();
        var classes = one.GetProperty("per_class").EnumerateArray().ToArray();
        Assert.Equal(10, classes.Length);
        for (var label = 0; label < classes.Length; label++)
        {
            Assert.Equal($"texture-{label}", classes[label].GetProperty("name").GetString());
            Assert.Equal(1000, classes[label].GetProperty("samples").GetInt32());
            Assert.Equal(1000, confusion[label].Sum());
            Assert.Equal(confusion[label][label] / 1000.0, classes[label].GetProperty("accuracy").GetDouble());
        }
        Assert.Equal(one.GetProperty("accuracy").GetDouble(), confusion.Select((row, label) => row[label]).Sum() / 10_000.0);
    }

    [Fact]
    public void Table_has_the_figures_the_classes_and_the_confusions()
    {
        var report = new EvaluationReport(
            new RunOptions { Data = "synthetic", Workers = 1 }, "w", new EvaluationTotals(new WeightsVersion(3), 1004, 0.25, 0.5, 1),
            [new ClassResult("cat", 1001, 0.75), new ClassResult("catfish", 3, double.NaN)], [[751, 250], [0, 3]]);
        Assert.Equal(
            """
            w: small-cnn on the 1,004 test images of synthetic, 1 worker

              accuracy    50.00 %
              top-5      100.00 %
              loss       0.2500

              class       images  accuracy
              0 cat        1,001   75.00 %
              1 catfish        3         -

            confusion: rows are labels, columns are predictions
                           0    1
              0 cat      751  250
              1 catfish    .    3

            """,
            EvaluationText.Write(report));
    }

    [Fact]
    public async Task A_mistake_is_one_line_and_exit_code_2()
    {
        File.WriteAllText(run.PathOf("text.safetensors"), "these are no tensors");
        Directory.CreateDirectory(run.PathOf("empty"));
        await TrainedRun.Refused("which weights? --weights RUN", "eval");
        await TrainedRun.Refused("nowhere: there is no such file, and no such run", "eval", "--weights", run.PathOf("nowhere"));
        await TrainedRun.Refused("empty is no run: it holds no config.yaml", "eval", "--weights", run.PathOf("empty"));
        await TrainedRun.Refused("a trained small-cnn; leave --model away", "eval", "--weights", run.PathOf("a"), "--model", "resnet20");
        await TrainedRun.Refused("--model is needed", "eval", "--weights", run.PathOf("a.safetensors"), "--data", "synthetic");
        await TrainedRun.Refused("--data is needed", "eval", "--weights", run.PathOf("a.safetensors"), "--model", "small-cnn");
        await TrainedRun.Refused("--data sinthetic: unknown data set sinthetic; did you mean synthetic?", "eval", "--weights", run.PathOf("a"), "--data", "sinthetic");
        await TrainedRun.Refused("text.safetensors is not a usable safetensors file: ", "eval", "--weights", run.PathOf("text.safetensors"), "--model", "small-cnn", "--data", "synthetic");
        await TrainedRun.Refused("--mean has 2 numbers, and the images of synthetic have 3 channels", "eval", "--weights", run.PathOf("a"), "--mean", "0.5,0.5", "--std", "1,1");
        await TrainedRun.Refused("--std 0,1,1: must be above 0", "eval", "--weights", run.PathOf("a"), "--std", "0,1,1");
        await TrainedRun.Refused("unknown option --wieghts; did you mean --weights?", "eval", "--wieghts", run.PathOf("a"));
        await TrainedRun.Refused("--device cuda:999: cuda:999 is not there", "eval", "--weights", run.PathOf("a"), "--device", "cuda:999");
    }

    [Fact]
    public async Task File_of_another_model_is_refused_with_every_name()
    {
        var line = await TrainedRun.MistakeOf("eval", "--weights", run.PathOf("a.safetensors"), "--model", "resnet20", "--data", "synthetic");
        Assert.Contains("missing: ", line);
        Assert.Contains("layer3.2.bn2.running_var", line);
        Assert.Contains("unexpected: ", line);
        Assert.Contains("bn6.num_batches_tracked", line);
        Assert.Contains("conv1.weight (file [32, 3, 3, 3], model [16, 3, 3, 3])", line);
    }

    private string[] Files() => [.. Directory.EnumerateFileSystemEntries(run.Folder, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal)];

    private static string Without(JsonElement report, params string[] names) =>
        string.Join('\n', report.EnumerateObject().Where(property => !names.Contains(property.Name)).Select(property => $"{property.Name}: {property.Value.GetRawText()}"));
}
