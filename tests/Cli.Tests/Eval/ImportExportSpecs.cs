using Cluster.Cli.Configuration;
using Cluster.Coordinator.Checkpoints;

namespace Cluster.Cli.Tests.Eval;

[Collection(TrainedRunCollection.Name)]
public sealed class ImportExportSpecs(TrainedRun run)
{
    [Fact]
    public void Exported_imported_and_exported_again_is_the_same_file()
    {
        var said = run.Succeed("import", "a.safetensors", "--model", "small-cnn", "--data", "synthetic", "--out", "again").Output;
        Assert.Equal($"a.safetensors: small-cnn, 427,168 parameters, is now {run.PathOf("again/checkpoints/step-000000")}\n", said);
        run.Succeed("export", "again", "again.safetensors", "--step", "0");
        Assert.Equal(File.ReadAllBytes(run.PathOf("a.safetensors")), File.ReadAllBytes(run.PathOf("again.safetensors")));
        Assert.Equal(File.ReadAllBytes(run.PathOf("a/checkpoints/step-000002/model.safetensors")), File.ReadAllBytes(run.PathOf("a.safetensors")));
        Assert.Equal([2, 2, 2, 2, 2, 2], Counters("again.safetensors"));
        var stored = ConfigReader.Read(run.PathOf("again"));
        Assert.Equal(("small-cnn", "synthetic", run.PathOf("a.safetensors")), (stored.Options.Model, stored.Options.Data, stored.Fact("imported-from")));
    }

    [Fact]
    public async Task Imported_weights_are_trained_on_and_the_counters_go_on_from_theirs()
    {
        run.Succeed("import", "a.safetensors", "--model", "small-cnn", "--data", "synthetic", "--batch", "64", "--steps", "1", "--evaluate", "false", "--out", "more");
        run.Succeed("train", "--resume", "--out", "more");
        run.Succeed("export", "more", "more.safetensors");
        Assert.Equal([3, 3, 3, 3, 3, 3], Counters("more.safetensors"));
        await TrainedRun.Refused("more keeps no whole checkpoint of that step, only of 0, 1", "export", run.PathOf("more"), run.PathOf("five.safetensors"), "--step", "5");
    }

    [Fact]
    public async Task Export_replaces_a_file_only_when_told_to()
    {
        File.WriteAllText(run.PathOf("precious"), "mine");
        await TrainedRun.Refused("precious is there already; nothing was touched", "export", run.PathOf("a"), run.PathOf("precious"));
        Assert.Equal("mine", File.ReadAllText(run.PathOf("precious")));
        run.Succeed("export", "a", "precious", "--force");
        Assert.Equal(File.ReadAllBytes(run.PathOf("a.safetensors")), File.ReadAllBytes(run.PathOf("precious")));
    }

    [Fact]
    public async Task Export_passes_a_damaged_checkpoint_over_and_refuses_it_when_it_is_named()
    {
        Directory.CreateDirectory(run.PathOf("torn/checkpoints/step-000002"));
        foreach (var file in Directory.EnumerateFiles(run.PathOf("a/checkpoints/step-000002"))) File.Copy(file, run.PathOf($"torn/checkpoints/step-000002/{Path.GetFileName(file)}"));
        using (var model = new FileStream(run.PathOf("torn/checkpoints/step-000002/model.safetensors"), FileMode.Open))
        {
            model.Position = model.Length / 2;
            var value = model.ReadByte();
            model.Position--;
            model.WriteByte((byte)(value ^ 1));
        }
        await TrainedRun.Refused("model.safetensors has SHA-256 ", "export", run.PathOf("torn"), run.PathOf("t.safetensors"), "--step", "2");
        var outcome = run.Run("export", "torn", "t.safetensors");
        Assert.Equal(2, outcome.ExitCode);
        Assert.Contains("is passed over: model.safetensors has SHA-256", outcome.ErrorLines[0]);
        Assert.Equal("cluster: torn holds no whole checkpoint", outcome.ErrorLines[1]);
        Assert.False(File.Exists(run.PathOf("t.safetensors")));
    }

    [Fact]
    public async Task A_mistake_is_one_line_and_exit_code_2_and_makes_no_run()
    {
        File.WriteAllText(run.PathOf("words.safetensors"), "these are no tensors");
        await TrainedRun.Refused("cluster import needs a file", "import", "--model", "small-cnn");
        await TrainedRun.Refused("there is no file ", "import", run.PathOf("nowhere"), "--model", "small-cnn");
        await TrainedRun.Refused("--model is needed, since a file does not say it: one of small-cnn", "import", run.PathOf("a.safetensors"));
        await TrainedRun.Refused("--model alexnot: must be one of", "import", run.PathOf("a.safetensors"), "--model", "alexnot");
        await TrainedRun.Refused("words.safetensors is not a usable safetensors file: ", "import", run.PathOf("words.safetensors"), "--model", "small-cnn", "--out", run.PathOf("none"));
        await TrainedRun.Refused("fc.weight (file [10, 128], model [100, 128])", "import", run.PathOf("a.safetensors"), "--model", "small-cnn", "--classes", "100", "--out", run.PathOf("none"));
        await TrainedRun.Refused("--image-size 32: must be height and width", "import", run.PathOf("a.safetensors"), "--model", "small-cnn", "--image-size", "32", "--out", run.PathOf("none"));
        await TrainedRun.Refused(": the folder already holds a run", "import", run.PathOf("a.safetensors"), "--model", "small-cnn", "--out", run.PathOf("a"));
        Assert.False(Directory.Exists(run.PathOf("none")));
        await TrainedRun.Refused("cluster export needs a run and a file", "export", run.PathOf("a"));
        await TrainedRun.Refused("there is no run ", "export", run.PathOf("nowhere"), run.PathOf("x.safetensors"));
        await TrainedRun.Refused("nowhere/x.safetensors: ", "export", run.PathOf("a"), run.PathOf("nowhere/x.safetensors"));
        await TrainedRun.Refused("--step two: must be a whole number", "export", run.PathOf("a"), run.PathOf("x.safetensors"), "--step", "two");
    }

    [Fact]
    public async Task Import_names_everything_that_differs()
    {
        var line = await TrainedRun.MistakeOf("import", run.PathOf("a.safetensors"), "--model", "resnet20", "--out", run.PathOf("none"));
        Assert.Contains("missing: ", line);
        Assert.Contains("layer3.2.bn2.running_var", line);
        Assert.Contains("unexpected: ", line);
        Assert.Contains("bn6.num_batches_tracked", line);
        Assert.Contains("conv1.weight (file [32, 3, 3, 3], model [16, 3, 3, 3])", line);
        Assert.False(Directory.Exists(run.PathOf("none")));
    }

    private long[] Counters(string name)
    {
        using var file = SafeTensorsReader.Open(run.PathOf(name));
        return [.. file.Tensors.Where(tensor => tensor.Name.EndsWith("num_batches_tracked", StringComparison.Ordinal)).Select(tensor =>
        {
            var value = new long[1];
            file.Read(tensor, value);
            return value[0];
        })];
    }
}
