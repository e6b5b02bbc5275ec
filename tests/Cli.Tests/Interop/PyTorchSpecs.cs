using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Cluster.Cli.Tests.EndToEnd;
using Cluster.Cli.Tests.Eval;
using Cluster.Contracts;
using Cluster.Coordinator.Checkpoints;
using Cluster.Engine;

namespace Cluster.Cli.Tests.Interop;

/// <summary>Weights go to PyTorch and come from it, through files that share no code with ours, and mean the same there.</summary>
[Collection(TrainedRunCollection.Name)]
public sealed class PyTorchSpecs(TrainedRun run)
{
    private const string Python = "/usr/bin/python3";
    private const int Images = 4, Classes = 10;

    private static readonly ImageShape Shape = new(3, 32, 32);

    [Fact]
    public void PyTorch_loads_an_exported_file_and_gives_the_same_logits()
    {
        var theirs = PyTorch("load", "a.safetensors");
        AssertClose(theirs, Predict("a.safetensors"));
    }

    [Fact]
    public void File_that_PyTorch_wrote_is_imported_and_gives_the_same_logits()
    {
        var theirs = PyTorch("write", "torch.safetensors");
        run.Succeed("import", "torch.safetensors", "--model", "small-cnn", "--data", "synthetic", "--out", "torch");
        run.Succeed("export", "torch", "back.safetensors");
        AssertClose(theirs, Predict("back.safetensors"));
        using var file = SafeTensorsReader.Open(run.PathOf("back.safetensors"));
        Assert.Equal((0, 391), (Counter(file, "bn1.num_batches_tracked"), Counter(file, "bn2.num_batches_tracked")));
    }

    private float[] PyTorch(string verb, string weights)
    {
        Assert.SkipUnless(File.Exists(Python), $"needs {Python} with torch and numpy (Debian: python3-torch)");
        File.WriteAllBytes(run.PathOf("inputs.f32"), MemoryMarshal.AsBytes<float>(Inputs()));
        var outcome = Processes.Run(Python, run.Folder, Script(), verb, weights, "inputs.f32", "logits.f32");
        Assert.SkipWhen(outcome.ExitCode == 77, $"needs {Python} with torch and numpy (Debian: python3-torch): {outcome.Output.Trim()}");
        Assert.True(outcome.ExitCode == 0, outcome.Error);
        return MemoryMarshal.Cast<byte, float>(File.ReadAllBytes(run.PathOf("logits.f32"))).ToArray();
    }

    private float[] Predict(string weights)
    {
        using var engine = new GradientEngine(new GradientEngineOptions { Model = "small-cnn", ClassCount = Classes, Image = Shape });
        using var state = StateDict.Read(run.PathOf(weights), engine.Layout);
        engine.LoadState(state.State.Span);
        var logits = new float[Images * Classes];
        engine.Predict(new ImageBatch(Inputs(), new long[Images], Shape), logits);
        return logits;
    }

    private static void AssertClose(float[] expected, float[] actual)
    {
        Assert.Equal(Images * Classes, expected.Length);
        var largest = expected.Max(Math.Abs);
        Assert.True(expected.Max() - expected.Min() > 0.1 * largest, "logits that are all alike prove nothing");
        for (var i = 0; i < expected.Length; i++)
            Assert.True(Math.Abs(expected[i] - actual[i]) <= 1e-5 * largest, $"logit {i}: PyTorch has {expected[i]:R}, we have {actual[i]:R}, the largest is {largest:R}");
    }

    /// <summary>Pixels from -1 to 1 without a pattern.</summary>
    private static float[] Inputs() => [.. Enumerable.Range(0, Images * Shape.Floats).Select(i => (uint)i * 2654435761u % 1999 / 999f - 1)];

    private static long Counter(SafeTensorsReader file, string name)
    {
        Assert.True(file.TryGet(name, out var tensor));
        var value = new long[1];
        file.Read(tensor!, value);
        return value[0];
    }

    private static string Script([CallerFilePath] string here = "") => Path.Combine(Path.GetDirectoryName(here)!, "small_cnn.py");
}
