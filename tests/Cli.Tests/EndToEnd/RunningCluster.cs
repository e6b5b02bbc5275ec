using System.ComponentModel;
using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Threading.Channels;

namespace Cluster.Cli.Tests.EndToEnd;

/// <summary>
/// A cluster process that is still going: its lines as they come, its signals, its end. Disposing it kills it (-9) if it
/// still runs. Every wait has a limit and fails with what the process had printed.
/// </summary>
internal sealed partial class RunningCluster : IDisposable
{
    public const int Interrupt = 2, Kill = 9, Terminate = 15, Continue = 18, Stop = 19;

    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    private readonly Process _process;
    private readonly List<string> _output = [];
    private readonly Channel<string> _news = Channel.CreateUnbounded<string>();
    private readonly Task _reading;
    private readonly Task<string> _error;

    private RunningCluster(Process process)
    {
        _process = process;
        _reading = ReadAsync();
        _error = process.StandardError.ReadToEndAsync();
    }

    public int Id => _process.Id;

    /// <param name="environment">Added to this process's own; telemetry settings of the caller are not inherited.</param>
    public static RunningCluster Start(string workingDirectory, IReadOnlyDictionary<string, string> environment, params string[] arguments) =>
        // A shell's background job ignores SIGINT and hands that on; a person's foreground job does not.
        StartProgram("/usr/bin/env", workingDirectory, environment, ["--default-signal=INT,TERM", Processes.Cluster, .. arguments]);

    public static RunningCluster Start(string workingDirectory, params string[] arguments) =>
        Start(workingDirectory, new Dictionary<string, string>(), arguments);

    /// <param name="arguments">Of a program that ends by exec of the cluster, so that signals reach it.</param>
    public static RunningCluster StartProgram(string program, string workingDirectory, IReadOnlyDictionary<string, string> environment, params string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            WorkingDirectory = workingDirectory,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
            UseShellExecute = false,
        };
        foreach (var name in start.Environment.Keys.Where(static key => key.StartsWith("OTEL_", StringComparison.Ordinal)).ToArray()) start.Environment.Remove(name);
        foreach (var (name, value) in environment) start.Environment[name] = value;
        var process = Process.Start(start)!;
        process.StandardInput.Close();
        return new RunningCluster(process);
    }

    /// <summary>Sends a signal by number.</summary>
    public void Signal(int number)
    {
        if (SendSignal(_process.Id, number) != 0) throw new Win32Exception(Marshal.GetLastPInvokeError());
    }

    /// <summary>The next line on standard output that holds <paramref name="text"/>; lines before it are passed.</summary>
    public async Task<string> LineAsync(string text)
    {
        try
        {
            using var limit = new CancellationTokenSource(Patience);
            await foreach (var line in _news.Reader.ReadAllAsync(limit.Token))
                if (line.Contains(text, StringComparison.Ordinal)) return line;
        }
        catch (OperationCanceledException)
        {
            Assert.Fail($"no line with '{text}' in {Patience}. {Printed()}");
        }
        throw new InvalidOperationException($"the process ended without a line with '{text}'. {Printed()} {await _error}");
    }

    /// <summary>Waits until the run in this folder (which exists) has committed so many steps.</summary>
    public async Task CommittedAsync(string runFolder, int steps)
    {
        var reached = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using var watcher = new FileSystemWatcher(runFolder, "commits.jsonl");
        watcher.Created += (_, _) => Look();
        watcher.Changed += (_, _) => Look();
        watcher.EnableRaisingEvents = true;
        Look();
        await FirstAsync(reached.Task, $"{steps} committed steps");

        void Look()
        {
            if (Training.CommittedSteps(runFolder) >= steps) reached.TrySetResult();
        }
    }

    /// <summary>Waits until events.jsonl of the run in this folder (which exists) tells what is asked for.</summary>
    public async Task ToldAsync(string runFolder, string what, Func<IReadOnlyList<RunEvent>, bool> isTold)
    {
        var told = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using var watcher = new FileSystemWatcher(runFolder, "events.jsonl");
        watcher.Created += (_, _) => Look();
        watcher.Changed += (_, _) => Look();
        watcher.EnableRaisingEvents = true;
        Look();
        await FirstAsync(told.Task, what);

        void Look()
        {
            if (isTold(RunEvents.Of(runFolder))) told.TrySetResult();
        }
    }

    /// <summary>Waits until events.jsonl holds an event of this kind about this node.</summary>
    public Task ToldAsync(string runFolder, string kind, string node) =>
        ToldAsync(runFolder, $"{kind} of {node}", events => events.Any(e => e.Kind == kind && e.Node == node));

    /// <summary>Waits until a file or folder of this name is in the folder (which exists).</summary>
    public async Task AppearsAsync(string folder, string name)
    {
        var there = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using var watcher = new FileSystemWatcher(folder, name);
        watcher.Created += (_, _) => there.TrySetResult();
        watcher.Renamed += (_, _) => there.TrySetResult();
        watcher.EnableRaisingEvents = true;
        if (Path.Exists(Path.Combine(folder, name))) there.TrySetResult();
        await FirstAsync(there.Task, name);
    }

    /// <summary>Whether the process ends within this time by itself.</summary>
    public async Task<bool> EndsWithinAsync(TimeSpan time)
    {
        using var limit = new CancellationTokenSource(time);
        try
        {
            await _process.WaitForExitAsync(limit.Token);
            return true;
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }

    /// <summary>Waits for the end; what the process left.</summary>
    public async Task<Outcome> EndAsync()
    {
        if (!await EndsWithinAsync(Patience)) Assert.Fail($"the process did not end in {Patience}. {Printed()}");
        await _reading;
        return new Outcome(_process.ExitCode, string.Join('\n', _output) + '\n', await _error);
    }

    public void Dispose()
    {
        if (!_process.HasExited)
        {
            _process.Kill();
            _process.WaitForExit();
        }
        _process.Dispose();
    }

    private async Task FirstAsync(Task wanted, string what)
    {
        using var limit = new CancellationTokenSource(Patience);
        var ended = _process.WaitForExitAsync(limit.Token);
        if (await Task.WhenAny(wanted, ended) == wanted) return;
        Assert.Fail($"waited in vain for {what}. {Printed()}");
    }

    private async Task ReadAsync()
    {
        while (await _process.StandardOutput.ReadLineAsync() is { } line)
        {
            lock (_output) _output.Add(line);
            _news.Writer.TryWrite(line);
        }
        _news.Writer.Complete();
    }

    private string Printed()
    {
        lock (_output) return $"It printed: {string.Join(" | ", _output)}";
    }

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    private static partial int SendSignal(int process, int signal);
}
