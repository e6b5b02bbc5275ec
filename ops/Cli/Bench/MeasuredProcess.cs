using System.ComponentModel;
using System.Diagnostics;

namespace Cluster.Cli.Bench;

/// <summary>
/// A process that takes part in a measurement: its output is read line by line, what it says on the error stream is kept for
/// the case that it fails, and disposing ends it with everything it started.
/// </summary>
internal sealed class MeasuredProcess : IAsyncDisposable
{
    private const int KeptErrorLines = 20;

    private readonly Process _process;
    private readonly string _name;
    private readonly Queue<string> _errors = new();
    private readonly Task _errorsRead;

    private MeasuredProcess(Process process, string name)
    {
        (_process, _name) = (process, name);
        _errorsRead = KeepErrorsAsync();
    }

    public int Id => _process.Id;

    /// <summary>The folder of the scripts, beside the executable.</summary>
    public static string ScriptFolder { get; } = Path.Combine(AppContext.BaseDirectory, "python");

    /// <param name="name">For messages: "PyTorch DDP".</param>
    /// <param name="threads">What the numeric libraries inside may use.</param>
    /// <param name="environment">More variables; null = none.</param>
    /// <exception cref="BenchmarkException">It cannot be started.</exception>
    public static MeasuredProcess Start(string name, string program, IEnumerable<string> arguments, int threads, IReadOnlyDictionary<string, string>? environment = null)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
        };
        start.Environment["OMP_NUM_THREADS"] = $"{threads}";
        start.Environment["OPENBLAS_NUM_THREADS"] = $"{threads}";
        start.Environment["MKL_NUM_THREADS"] = $"{threads}";
        start.Environment["PYTHONDONTWRITEBYTECODE"] = "1";
        foreach (var (key, value) in environment ?? new Dictionary<string, string>()) start.Environment[key] = value;
        try
        {
            return new MeasuredProcess(Process.Start(start) ?? throw new BenchmarkException($"{name}: {program} did not start"), name);
        }
        catch (Win32Exception e)
        {
            throw new BenchmarkException($"{name}: {program} did not start: {e.Message}", e);
        }
    }

    /// <summary>The next line of its output.</summary>
    /// <exception cref="BenchmarkException">It ended instead.</exception>
    public async Task<string> ReadLineAsync(CancellationToken stop) =>
        await _process.StandardOutput.ReadLineAsync(stop) ?? throw await FailureAsync(stop);

    public async Task WriteLineAsync(string line, CancellationToken stop)
    {
        try
        {
            await _process.StandardInput.WriteLineAsync(line.AsMemory(), stop);
            await _process.StandardInput.FlushAsync(stop);
        }
        catch (IOException)
        {
            throw await FailureAsync(stop);
        }
    }

    /// <summary>Closes its input and waits for its end.</summary>
    /// <returns>What of its output was not read yet.</returns>
    /// <exception cref="BenchmarkException">It ended with another exit code than 0.</exception>
    public async Task<string> FinishAsync(CancellationToken stop)
    {
        _process.StandardInput.Close();
        var output = await _process.StandardOutput.ReadToEndAsync(stop);
        await _process.WaitForExitAsync(stop);
        return _process.ExitCode == 0 ? output : throw await FailureAsync(stop);
    }

    public async ValueTask DisposeAsync()
    {
        try
        {
            if (!_process.HasExited) _process.Kill(entireProcessTree: true);
            await _process.WaitForExitAsync(CancellationToken.None);
        }
        catch (InvalidOperationException)
        {
            // It ended between the question and the kill.
        }
        await _errorsRead;
        _process.Dispose();
    }

    private async Task<BenchmarkException> FailureAsync(CancellationToken stop)
    {
        await _process.WaitForExitAsync(stop);
        await _errorsRead;
        // The last line is where both Python and our own command line say what was wrong.
        var last = _errors.LastOrDefault(static line => line.Trim().Length > 0)?.Trim();
        return new BenchmarkException($"{_name} ended with exit code {_process.ExitCode}{(last is null ? "" : $": {last}")}");
    }

    private async Task KeepErrorsAsync()
    {
        while (await _process.StandardError.ReadLineAsync(CancellationToken.None) is { } line)
        {
            if (_errors.Count == KeptErrorLines) _errors.Dequeue();
            _errors.Enqueue(line);
        }
    }
}
