using System.Text.Json;
using Cluster.Coordinator.Checkpoints;

namespace Cluster.Cli.Tests.Eval;

[Collection(TrainedRunCollection.Name)]
public sealed class AverageSpecs(TrainedRun run)
{
    [Fact]
    public void A_run_with_an_average_is_evaluated_and_exported_as_its_average_unless_the_last_weights_are_wanted()
    {
        // Five processes evaluate or read it: of a set that is as small as a set can be.
        SmallSet.Write(run.PathOf("digits"), train: 128, test: 200);
        var trained = run.Succeed(
            "train", "--data", $"mnist:{run.PathOf("digits")}", "--steps", "2", "--batch", "64", "--microbatches", "4", "--seed", "7", "--ema-decay", "0.5", "--clip-norm", "0.5", "--mean", "0.4", "--std", "0.3", "--out", "ema");
        Assert.Contains("clipped 2 of 2 steps", trained.OutputLines);
        using var summary = JsonDocument.Parse(File.ReadAllText(run.PathOf("ema/summary.json")));
        Assert.Equal(1, summary.RootElement.GetProperty("clipped_share").GetDouble());
        var loss = summary.RootElement.GetProperty("test_loss").GetDouble();

        var average = run.Evaluate("--weights", "ema", "--workers", "3", "--ps", "2");
        Assert.Equal((loss, true), (average.GetProperty("loss").GetDouble(), average.GetProperty("average").GetBoolean()));
        var last = run.Evaluate("--weights", "ema", "--last");
        Assert.False(last.GetProperty("average").GetBoolean());
        Assert.NotEqual(loss, last.GetProperty("loss").GetDouble());

        Assert.StartsWith("average.safetensors: the average of the weights of", run.Succeed("export", "ema", "average.safetensors").Output);
        using (var exported = SafeTensorsReader.Open(run.PathOf("average.safetensors")))
        using (var slots = SafeTensorsReader.Open(run.PathOf("ema/checkpoints/step-000002/optimizer.safetensors")))
        using (var model = SafeTensorsReader.Open(run.PathOf("ema/checkpoints/step-000002/model.safetensors")))
        {
            Assert.Equal(model.Tensors, exported.Tensors, static (x, y) => (x.Name, x.Type, x.ShapeText, x.Begin) == (y.Name, y.Type, y.ShapeText, y.Begin));
            foreach (var tensor in exported.Tensors)
            {
                var (source, name) = tensor.Type == TensorType.I64 ? (model, tensor.Name) : (slots, tensor.Name + ".ema");
                Assert.True(source.TryGet(name, out var original), name);
                Assert.Equal(BytesOf(source, original!), BytesOf(exported, tensor));
            }
        }
        run.Succeed("export", "ema", "last.safetensors", "--last");
        Assert.Equal(File.ReadAllBytes(run.PathOf("ema/checkpoints/step-000002/model.safetensors")), File.ReadAllBytes(run.PathOf("last.safetensors")));
    }

    private static byte[] BytesOf(SafeTensorsReader file, TensorInfo tensor)
    {
        var bytes = new byte[tensor.End - tensor.Begin];
        file.ReadBytes(tensor, 0, bytes);
        return bytes;
    }
}
