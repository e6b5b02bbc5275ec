using System.Diagnostics;

namespace Cluster.Benchmarks;

/// <summary>A PyTorch process (twin.py) that runs iterations when it is told to and sleeps in between.</summary>
internal sealed class PythonTwin : IContender
{
    private readonly Process _process;

    /// <param name="interpreter">A Python with torch and torchvision.</param>
    /// <exception cref="InvalidOperationException">The interpreter does not start or lacks torch.</exception>
    public PythonTwin(string interpreter, Workload workload)
    {
        var script = Path.Combine(AppContext.BaseDirectory, "python", "twin.py");
        var start = new ProcessStartInfo(interpreter) { UseShellExecute = false, RedirectStandardInput = true, RedirectStandardOutput = true };
        foreach (var argument in new[]
                 {
                     script, "--model", workload.Model, "--batch", $"{workload.Batch}", "--threads", $"{workload.Threads}",
                     "--channels-last", workload.ChannelsLast ? "1" : "0",
                 })
        {
            start.ArgumentList.Add(argument);
        }
        _process = Process.Start(start) ?? throw new InvalidOperationException($"'{interpreter}' did not start");
        var ready = _process.StandardOutput.ReadLine();
        if (ready is null || !ready.StartsWith("ready ", StringComparison.Ordinal))
            throw new InvalidOperationException($"'{interpreter} {script}' failed: it needs torch and torchvision (see above)");
        Name = $"PyTorch {ready["ready ".Length..]}";
    }

    public string Name { get; }

    public Measurement Run(int iterations)
    {
        _process.StandardInput.WriteLine(iterations);
        _process.StandardInput.Flush();
        var numbers = (_process.StandardOutput.ReadLine() ?? throw new InvalidOperationException("the PyTorch process ended")).Split(' ').Select(double.Parse).ToArray();
        return new Measurement(numbers[0] / iterations, numbers[1] / iterations, numbers[2] / iterations, numbers[3]);
    }

    public void Dispose()
    {
        _process.StandardInput.Close();
        _process.WaitForExit();
        _process.Dispose();
    }
}
