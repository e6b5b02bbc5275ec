using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using Cluster.Cli.Launch.Hosts;
using Cluster.Contracts;

namespace Cluster.Cli.Launch;

/// <summary>
/// One life of one child: its process, its pipes, its last lines. Three threads: two read the pipes, one waits for the end.
/// The process is reaped by the time that <see cref="Ended"/> completes.
/// </summary>
internal sealed class ChildProcess
{
    private const int ThreadStackBytes = 256 * 1024, ReadBytes = 32 * 1024;

    private readonly Process _process;
    private readonly string _name;
    private readonly ISupervisorObserver _observer;
    private readonly Queue<string> _lastLines = new();
    private readonly TaskCompletionSource<ChildEnd> _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private string _lastOutput = "", _lastError = "";
    private bool _reaped, _wasKilledHere;
    private RemoteOrders? _orders;

    private ChildProcess(Process process, string name, ISupervisorObserver observer)
    {
        (_process, _name, _observer) = (process, name, observer);
        Id = process.Id;
    }

    public int Id { get; }

    /// <summary>Completes, on a pool thread, when the process is dead and reaped and its pipes are read.</summary>
    public Task<ChildEnd> Ended => _ended.Task;

    /// <summary>The last line on standard error, else on standard output, else empty; without the program's name in front.</summary>
    public string LastLine
    {
        get
        {
            lock (_lastLines)
            {
                var line = _lastError.Length > 0 ? _lastError : _lastOutput;
                return line.StartsWith("cluster: ", StringComparison.Ordinal) ? line["cluster: ".Length..] : line;
            }
        }
    }

    /// <summary>The last lines of both streams, at most <see cref="Limits.KeptLogLines"/>, in the order of reading.</summary>
    public IReadOnlyList<string> LastLines
    {
        get { lock (_lastLines) return [.. _lastLines]; }
    }

    /// <summary>Starts the process; <see cref="Attend"/> to hear of it. Call from a thread that lives as long as the child: the kernel sends the parent-death signal when the starting thread ends.</summary>
    /// <exception cref="ClusterException">The operating system refuses.</exception>
    public static ChildProcess Start(ChildSpec spec, ISupervisorObserver observer)
    {
        var start = new ProcessStartInfo(spec.FileName, spec.Arguments)
        {
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        KeyValuePair<string, string?>[] environment = [.. spec.Environment, .. spec.EnvironmentAtStart?.Invoke() ?? new Dictionary<string, string?>()];
        if (!spec.IsRemote) foreach (var (name, value) in environment) start.Environment[name] = value;
        start.Environment[ParentWatch.ParentVariable] = Environment.ProcessId.ToString(CultureInfo.InvariantCulture);
        try
        {
            var child = new ChildProcess(Process.Start(start)!, spec.Name, observer);
            if (spec.IsRemote) child._orders = new RemoteOrders(child._process.StandardInput.BaseStream, environment);
            return child;
        }
        catch (Win32Exception e)
        {
            throw new ClusterException($"{spec.FileName}: {e.Message}", e);
        }
    }

    /// <summary>Any thread. A child that has ended gets nothing: its number may be another's by now.</summary>
    /// <returns>Whether it was sent.</returns>
    public bool Send(ChildSignal signal)
    {
        lock (_ended)
        {
            if (_reaped || _process.HasExited || !(_orders?.Send(signal) ?? Signals.Send(Id, signal))) return false;
            _wasKilledHere |= signal == ChildSignal.Kill;
            return true;
        }
    }

    /// <summary>Sends SIGKILL of which the bookkeeping knows nothing, as if somebody else had.</summary>
    /// <returns>Whether it was sent.</returns>
    public bool KillUnknown()
    {
        lock (_ended) return !_reaped && !_process.HasExited && Signals.Send(Id, ChildSignal.Kill);
    }

    /// <summary>Whether this object has sent SIGKILL; any thread.</summary>
    public bool WasKilledHere
    {
        get { lock (_ended) return _wasKilledHere; }
    }

    /// <summary>The largest resident size that was seen, in bytes; 0 = none was. Supervisor's thread.</summary>
    public long PeakResidentBytes { get; private set; }

    /// <summary>Looks at the resident size; a process that is dead keeps what was seen.</summary>
    public void Sample() => PeakResidentBytes = Math.Max(PeakResidentBytes, MemoryEvidence.PeakResidentBytesOf(Id));

    /// <summary>Begins to read and to wait; once.</summary>
    public void Attend()
    {
        var readers = new[]
        {
            StartThread("output", () => Read(_process.StandardOutput.BaseStream, isError: false)),
            StartThread("errors", () => Read(_process.StandardError.BaseStream, isError: true)),
        };
        StartThread("end", () => Wait(readers));
    }

    private Thread StartThread(string what, ThreadStart body)
    {
        var thread = new Thread(body, ThreadStackBytes) { IsBackground = true, Name = $"{_name} {what}" };
        thread.Start();
        return thread;
    }

    private void Wait(Thread[] readers)
    {
        _process.WaitForExit();
        var end = new ChildEnd(_process.ExitCode);
        lock (_ended) _reaped = true;
        _orders?.Dispose();
        var drained = true;
        foreach (var reader in readers) drained &= reader.Join(Limits.PipeDrainMilliseconds);

        // A grandchild may hold the pipes: then they are left to their readers, which print what still comes.
        if (drained) _process.Dispose();
        _ended.SetResult(end);
    }

    private void Read(Stream stream, bool isError)
    {
        var splitter = new LineSplitter(Limits.MaxLogLineBytes, line => Take(line, isError));
        var buffer = new byte[ReadBytes];
        try
        {
            for (int count; (count = stream.Read(buffer)) > 0;) splitter.Add(buffer.AsSpan(0, count));
        }
        catch (IOException)
        {
            // A broken pipe is the end of it.
        }
        splitter.End();
    }

    private void Take(string line, bool isError)
    {
        if (!string.IsNullOrWhiteSpace(line))
        {
            lock (_lastLines)
            {
                if (isError) _lastError = line;
                else _lastOutput = line;
                _lastLines.Enqueue(line);
                if (_lastLines.Count > Limits.KeptLogLines) _lastLines.Dequeue();
            }
        }
        _observer.Line(_name, isError, line);
    }
}
