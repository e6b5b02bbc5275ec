using System.Diagnostics;

namespace Cluster.Cli.Tests.EndToEnd;

/// <summary>What a finished process left.</summary>
internal sealed record Outcome(int ExitCode, string Output, string Error)
{
    public string[] ErrorLines => Error.Split('\n', StringSplitOptions.RemoveEmptyEntries);

    public string[] OutputLines => Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
}

/// <summary>Starts real processes.</summary>
internal static class Processes
{
    /// <summary>The executable: the one that users start where CLUSTER_PROGRAM names it (./cluster test does), else the one beside this test.</summary>
    public static string Cluster { get; } = Environment.GetEnvironmentVariable("CLUSTER_PROGRAM") is { Length: > 0 } given ? given : Path.Combine(AppContext.BaseDirectory, "cluster");

    public static Outcome Run(string program, string workingDirectory, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments)
        {
            WorkingDirectory = workingDirectory,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
            UseShellExecute = false,
        })!;
        process.StandardInput.Close();
        var error = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return new Outcome(process.ExitCode, output, error.GetAwaiter().GetResult());
    }
}
