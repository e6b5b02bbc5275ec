using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using Cluster.Contracts;

namespace Cluster.Chaos;

/// <summary>How a process of the program ended.</summary>
/// <param name="LastError">Its last line on standard error, without the program's name; may be empty.</param>
internal sealed record ProcessEnd(int ExitCode, string Output, string LastError);

/// <summary>
/// One process of the <c>cluster</c> program. It is started from a thread that lives as long as it does: the kernel's
/// parent-death signal, which ends it should this process die, is about the thread. Dispose kills what still runs.
/// </summary>
internal sealed class RunProcess : IDisposable
{
    /// <summary>Names the process that the program ends with; it then leaves this process's group, so that Ctrl-C reaches only us.</summary>
    public const string ParentVariable = "CLUSTER_SUPERVISOR_PID";

    private readonly Process _process;
    private readonly TaskCompletionSource<ProcessEnd> _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private RunProcess(ProcessStartInfo start) => _process = new Process { StartInfo = start };

    public int Id { get; private set; }

    /// <summary>Completes when the process is dead, reaped and read to its end.</summary>
    public Task<ProcessEnd> Ended => _ended.Task;

    /// <param name="say">Hears every line: text, whether from standard error. Pool threads.</param>
    /// <param name="keepsOutput">Whether <see cref="ProcessEnd.Output"/> is wanted, instead of lines.</param>
    /// <exception cref="UserMistakeException">The program cannot be started.</exception>
    public static RunProcess Start(string program, IReadOnlyList<string> arguments, Action<string, bool> say, bool keepsOutput = false)
    {
        var start = new ProcessStartInfo(program, arguments) { UseShellExecute = false, RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment[ParentVariable] = Environment.ProcessId.ToString(CultureInfo.InvariantCulture);
        var run = new RunProcess(start);
        var started = new TaskCompletionSource();
        new Thread(() => run.Live(started, say, keepsOutput)) { IsBackground = true, Name = "child of chaos" }.Start();
        try
        {
            started.Task.GetAwaiter().GetResult();
        }
        catch (Win32Exception e)
        {
            throw new UserMistakeException($"cannot start {program}: {e.Message}", e);
        }
        return run;
    }

    /// <summary>Asks it to end in order.</summary>
    public void Terminate()
    {
        if (!_ended.Task.IsCompleted) Posix.Terminate(Id);
    }

    /// <summary>SIGKILL to this process alone.</summary>
    public void Kill()
    {
        if (!_ended.Task.IsCompleted) Posix.KillNow(Id);
    }

    public void Dispose()
    {
        Kill();
        _ended.Task.Wait();
        _process.Dispose();
    }

    private void Live(TaskCompletionSource started, Action<string, bool> say, bool keepsOutput)
    {
        try
        {
            _process.Start();
            Id = _process.Id;
        }
        catch (Win32Exception e)
        {
            started.SetException(e);
            _ended.SetResult(new ProcessEnd(-1, "", ""));
            return;
        }
        started.SetResult();
        var (output, lastError) = ("", "");
        _process.ErrorDataReceived += (_, e) =>
        {
            if (e.Data is not { } line) return;
            if (line.Length > 0) lastError = line;
            say(line, true);
        };
        _process.BeginErrorReadLine();
        if (keepsOutput) output = _process.StandardOutput.ReadToEnd();
        else
            while (_process.StandardOutput.ReadLine() is { } line) say(line, false);
        _process.WaitForExit();
        const string Name = "cluster: ";
        _ended.SetResult(new ProcessEnd(_process.ExitCode, output, lastError.StartsWith(Name, StringComparison.Ordinal) ? lastError[Name.Length..] : lastError));
    }
}
