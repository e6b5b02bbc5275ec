using System.ComponentModel;
using System.Diagnostics;
using Cluster.Contracts;

namespace Cluster.Cli.Bench;

/// <summary>A Python that has torch.</summary>
/// <param name="Path">As it is started.</param>
/// <param name="TorchVersion">torch.__version__.</param>
internal sealed record PythonInterpreter(string Path, string TorchVersion)
{
    /// <summary>Names an interpreter; it then must have torch, no other is tried.</summary>
    public const string Variable = "CLUSTER_PYTHON";

    /// <summary>What is tried, in this order: the distribution's Python has the distribution's torch, and with it our own libtorch.</summary>
    private static readonly string[] Usual = ["/usr/bin/python3", "python3"];

    /// <summary>Looks on this machine; starts interpreters, which takes seconds.</summary>
    /// <exception cref="UserMistakeException">None has torch.</exception>
    public static PythonInterpreter Find() => Find(Environment.GetEnvironmentVariable(Variable), Probe);

    /// <param name="chosen">What <see cref="Variable"/> says; null or empty = nothing.</param>
    /// <param name="probe">Gives torch's version, or null when the interpreter is missing or lacks torch.</param>
    /// <exception cref="UserMistakeException">None has torch.</exception>
    internal static PythonInterpreter Find(string? chosen, Func<string, string?> probe)
    {
        if (!string.IsNullOrEmpty(chosen))
        {
            return probe(chosen) is { } theirs
                ? new PythonInterpreter(chosen, theirs)
                : throw new UserMistakeException($"{Variable}={chosen} cannot import torch: name a Python that can, or unset it and 'apt install python3-torch'");
        }
        foreach (var candidate in Usual)
        {
            if (probe(candidate) is { } version) return new PythonInterpreter(candidate, version);
        }
        throw new UserMistakeException($"no Python with torch was found ({string.Join(", ", Usual)}): 'apt install python3-torch', or set {Variable} to a Python that can import it");
    }

    private static string? Probe(string interpreter)
    {
        try
        {
            using var process = Process.Start(new ProcessStartInfo(interpreter, ["-c", "import torch; print(torch.__version__)"])
            {
                RedirectStandardInput = true,
                RedirectStandardOutput = true,
                RedirectStandardError = true,
                UseShellExecute = false,
            });
            if (process is null) return null;
            process.StandardInput.Close();
            var output = process.StandardOutput.ReadToEndAsync();
            var error = process.StandardError.ReadToEndAsync();
            if (!process.WaitForExit(Limits.PythonProbeMilliseconds))
            {
                process.Kill(entireProcessTree: true);
                return null;
            }
            Task.WaitAll(output, error);
            return process.ExitCode == 0 ? output.Result.Trim() : null;
        }
        catch (Win32Exception)
        {
            // Not there, or not executable.
            return null;
        }
    }
}
