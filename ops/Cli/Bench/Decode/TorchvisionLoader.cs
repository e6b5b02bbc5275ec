using System.Globalization;
using Cluster.Contracts;

namespace Cluster.Cli.Bench.Decode;

/// <summary>The processes of torchvision's side (decode_peer.py): they make images when they are told to, and sleep in between.</summary>
internal sealed class TorchvisionLoader : IAsyncDisposable
{
    private readonly List<MeasuredProcess> _processes = [];
    private readonly string _list = Path.GetTempFileName();

    private TorchvisionLoader()
    {
    }

    public string Version { get; private set; } = "";

    /// <summary>Returns when each has read its share of the images.</summary>
    /// <exception cref="BenchmarkException">torchvision or Pillow is missing there, or a process failed.</exception>
    public static async Task<TorchvisionLoader> StartAsync(PythonInterpreter python, IReadOnlyList<string> files, int processes, int side, CancellationToken stop)
    {
        var loader = new TorchvisionLoader();
        try
        {
            await File.WriteAllLinesAsync(loader._list, files, stop);
            var script = Path.Combine(MeasuredProcess.ScriptFolder, "decode_peer.py");
            for (var part = 0; part < processes; part++)
                loader._processes.Add(MeasuredProcess.Start("torchvision's loader", python.Path, [script, "--list", loader._list, "--part", $"{part}", "--parts", $"{processes}", "--side", $"{side}"], threads: 1));
            foreach (var process in loader._processes) loader.Version = (await process.ReadLineAsync(stop)).Split(' ')[^1];
            return loader;
        }
        catch
        {
            await loader.DisposeAsync();
            throw;
        }
    }

    /// <returns>Images a second, of all processes together.</returns>
    public async Task<double> RunAsync(double seconds, CancellationToken stop)
    {
        foreach (var process in _processes) await process.WriteLineAsync(seconds.ToString(CultureInfo.InvariantCulture), stop);
        var rate = 0.0;
        foreach (var process in _processes)
        {
            var words = (await process.ReadLineAsync(stop)).Split(' ');
            rate += double.Parse(words[0], CultureInfo.InvariantCulture) / double.Parse(words[1], CultureInfo.InvariantCulture);
        }
        return rate;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var process in _processes) await process.DisposeAsync();
        File.Delete(_list);
    }
}
