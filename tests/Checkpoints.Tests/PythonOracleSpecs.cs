using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using Cluster.Contracts;
using Cluster.Coordinator.Checkpoints;

namespace Cluster.Checkpoints.Tests;

/// <summary>A reader and a writer that share no code with ours: numpy under the system's Python.</summary>
public sealed class PythonOracleSpecs : IDisposable
{
    private const string Python = "/usr/bin/python3";

    private readonly RunFolder _run = new();

    public void Dispose() => _run.Dispose();

    [Fact]
    public void Python_reads_every_tensor_of_a_checkpoint_with_the_same_bytes()
    {
        using var state = new TestState(step: 7, shards: 3);
        var checkpoint = _run.Store.Write(state.Content());
        foreach (var name in new[] { "model.safetensors", "optimizer.safetensors" })
        {
            var path = Path.Combine(checkpoint, name);
            Assert.Equal(Describe(path), RunPython("read", path));
        }
    }

    [Fact]
    public void Python_finds_the_names_in_the_order_of_a_state_dict()
    {
        using var state = new TestState(step: 7);
        var lines = RunPython("read", Path.Combine(_run.Store.Write(state.Content()), "model.safetensors"));
        Assert.Equal(
            ["conv1.weight", "bn1.weight", "bn1.bias", "bn1.running_mean", "bn1.running_var", "bn1.num_batches_tracked", "layer.weight", "layer.bias", "scale"],
            lines.Select(l => l.Split(' ')[0]));
    }

    [Fact]
    public void File_that_Python_wrote_is_read_with_the_same_bytes_and_numbers()
    {
        var path = _run.At("python.safetensors");
        var lines = RunPython("write", path);
        Assert.Equal(6, lines.Count);
        Assert.Equal(lines, Describe(path));

        using var file = SafeTensorsReader.Open(path);
        float[] Floats(string name, bool allowRounding = false)
        {
            Assert.True(file.TryGet(name, out var tensor));
            var values = new float[tensor!.Count];
            file.Read(tensor, values, allowRounding);
            return values;
        }
        Assert.Equal("pt", file.Metadata["format"]);
        States.SameBits([0f, -0f, 1e-45f, -1.1754942e-38f, 3.4028235e38f, -1e-40f], Floats("fc.weight").AsSpan(0, 6));
        States.SameBits([0.5f, -0f, 65504f, 5.9604645e-8f], Floats("fc.bias"));
        Assert.Contains("element 2", Assert.Throws<SafeTensorsException>(() => Floats("fc.scale")).Message);
        States.SameBits([1.5f, -float.Epsilon, 0.1f], Floats("fc.scale", allowRounding: true));
        Assert.Empty(Floats("empty"));
        var small = new long[1];
        Assert.True(file.TryGet("small", out var whole));
        file.Read(whole!, small);
        Assert.Equal([-7], small);
        Assert.Throws<SafeTensorsException>(() => Floats("small"));
    }

    [Fact]
    public void State_dict_that_Python_wrote_is_imported_with_its_counters_and_the_other_types_named()
    {
        var layout = ParameterLayout.Of(
        [
            ("fc.weight", [4, 3, 2], StateKind.Parameter, true), ("fc.bias", [4], StateKind.Parameter, false), ("fc.scale", [3], StateKind.Buffer, false),
            ("bn.num_batches_tracked", [], StateKind.Counter, false), ("empty", [0, 5], StateKind.Parameter, false), ("small", [], StateKind.Counter, false),
        ]);
        var path = _run.At("python.safetensors");
        RunPython("write", path);
        Assert.Throws<SafeTensorsException>(() => StateDict.Read(path, layout));
        using var imported = StateDict.Read(path, layout, allowRounding: true);
        Assert.Equal(391, imported.Counters["bn.num_batches_tracked"]);
        Assert.Equal(-7, imported.Counters["small"]);
        Assert.Equal(["fc.bias", "fc.scale"], imported.Widened);
        States.SameBits([0f, -0f, 1e-45f], imported.State.Span[..3]);
        States.SameBits([0.5f, -0f], imported.State.Span.Slice(layout["fc.bias"].Offset, 2));
        States.SameBits([1.5f, -float.Epsilon, 0.1f], imported.State.Span.Slice(layout["fc.scale"].Offset, 3));
    }

    private static List<string> Describe(string path)
    {
        using var file = SafeTensorsReader.Open(path);
        var lines = new List<string>();
        foreach (var tensor in file.Tensors)
        {
            var bytes = new byte[tensor.End - tensor.Begin];
            file.ReadBytes(tensor, 0, bytes);
            lines.Add($"{tensor.Name} {tensor.Type} {tensor.ShapeText} {Convert.ToHexStringLower(SHA256.HashData(bytes))}");
        }
        return lines;
    }

    private static List<string> RunPython(string verb, string path)
    {
        Assert.SkipUnless(File.Exists(Python) && Try(["-c", "import numpy"]).ExitCode == 0, $"needs {Python} with numpy (Debian: python3-numpy)");
        var (exitCode, output) = Try([Script(), verb, path]);
        Assert.True(exitCode == 0, output);
        return [.. output.Split('\n', StringSplitOptions.RemoveEmptyEntries)];
    }

    private static (int ExitCode, string Output) Try(IReadOnlyList<string> arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(Python, arguments) { RedirectStandardOutput = true, RedirectStandardError = true, UseShellExecute = false })!;
        var errors = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, process.ExitCode == 0 ? output : output + errors.GetAwaiter().GetResult());
    }

    private static string Script([CallerFilePath] string here = "") =>
        Path.Combine(Path.GetDirectoryName(here)!, "..", "fixtures", "checkpoints", "safetensors_numpy.py");
}
