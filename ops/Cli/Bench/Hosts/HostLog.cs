using System.Globalization;
using Cluster.Cli.Launch;

namespace Cluster.Cli.Bench.Hosts;

/// <summary>What the nodes of a run over hosts say, in one file: time, name, line. Any thread.</summary>
internal sealed class HostLog(string path) : ISupervisorObserver, IDisposable
{
    private readonly StreamWriter _file = new(path) { AutoFlush = true };
    private readonly Lock _lock = new();
    private bool _closed;

    public string Path => path;

    public void Line(string child, bool isError, string text) => Write(child, text);

    public void Said(string? child, string sentence) => Write(child ?? "host", sentence);

    public void Started(string child, int process) => Write(child, string.Create(CultureInfo.InvariantCulture, $"runs as process {process}"));

    public void Exited(string child, int process, ChildEnd end) => Write(child, end.ToString());

    private void Write(string name, string text)
    {
        lock (_lock)
            if (!_closed) _file.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{DateTime.UtcNow:HH:mm:ss.fff} [{name}] {text}"));
    }

    public void Dispose()
    {
        // A pipe's reader may have a last line yet.
        lock (_lock)
        {
            _closed = true;
            _file.Dispose();
        }
    }
}
