using System.Globalization;

namespace Cluster.Cli.Bench.Update;

/// <summary>The PyTorch process of <c>bench update</c> (update_peer.py): computes when it is told to, and sleeps in between.</summary>
internal sealed class TorchUpdate : IAsyncDisposable
{
    private readonly MeasuredProcess _process;

    private TorchUpdate(MeasuredProcess process, string version) => (_process, Version) = (process, version);

    public string Version { get; }

    /// <summary>Returns when its tensors are allocated.</summary>
    public static async Task<TorchUpdate> StartAsync(PythonInterpreter python, int parameters, CancellationToken stop)
    {
        var script = Path.Combine(MeasuredProcess.ScriptFolder, "update_peer.py");
        var process = MeasuredProcess.Start("PyTorch's update", python.Path, [script, "--parameters", $"{parameters}"], threads: 1);
        try
        {
            await process.ReadLineAsync(stop);
            return new TorchUpdate(process, python.TorchVersion);
        }
        catch
        {
            await process.DisposeAsync();
            throw;
        }
    }

    /// <returns>Milliseconds of the in-place operations and of torch.optim.SGD.</returns>
    public async Task<(double InPlace, double Optimizer)> RunAsync(CancellationToken stop)
    {
        await _process.WriteLineAsync("run", stop);
        var words = (await _process.ReadLineAsync(stop)).Split(' ');
        return (Milliseconds(words[0]), Milliseconds(words[1]));

        static double Milliseconds(string seconds) => double.Parse(seconds, CultureInfo.InvariantCulture) * 1e3;
    }

    public ValueTask DisposeAsync() => _process.DisposeAsync();
}
