using Cluster.Cli.Configuration;
using Cluster.Contracts;

namespace Cluster.Cli.Verbs;

/// <summary>Turns what was thrown into lines on stderr and an exit code. A person never sees a stack trace; it goes to a file.</summary>
public static class FailureReport
{
    /// <summary>Key in <see cref="Exception.Data"/> of the run folder that shall take the trace.</summary>
    public const string FolderKey = "cluster.folder";

    /// <returns>The exit code.</returns>
    public static int Write(Exception exception, TextWriter error)
    {
        switch (Innermost(exception))
        {
            case UserMistakeException mistake:
                foreach (var line in mistake.Message.Split('\n')) error.WriteLine($"cluster: {line}");
                return ExitCodes.BadInput;
            case OperationCanceledException cancelled:
                // Only our own sentence says more than that it happened.
                error.WriteLine(cancelled.InnerException is ClusterException ? $"cluster: {cancelled.Message}" : "cluster: interrupted");
                return ExitCodes.Interrupted;
            case ClusterException known:
                error.WriteLine($"cluster: {known.Message.ReplaceLineEndings(" ")}");
                return ExitCodes.Failed;
            case var unknown:
                var trace = SaveTrace(exception, unknown.Data[FolderKey] as string ?? exception.Data[FolderKey] as string);
                error.WriteLine($"cluster: {unknown.GetType().Name}: {unknown.Message.ReplaceLineEndings(" ")}{(trace is null ? "" : $" (full trace: {trace})")}");
                return ExitCodes.Failed;
        }
    }

    /// <summary>Wrappers of one exception say nothing by themselves.</summary>
    private static Exception Innermost(Exception exception) =>
        exception is AggregateException { InnerExceptions: [var only] } ? Innermost(only) : exception;

    private static string? SaveTrace(Exception exception, string? folder)
    {
        foreach (var place in (string?[])[folder, Path.GetTempPath()])
        {
            if (place is null) continue;
            try
            {
                var path = place == folder
                    ? Path.Combine(place, RunFolder.FailureName)
                    : Path.Combine(place, $"cluster-failure-{Environment.ProcessId}.txt");
                File.WriteAllText(path, $"{VersionVerb.Line}\n{Environment.CommandLine}\n\n{exception}\n");
                return path;
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // The next place may take it.
            }
        }
        return null;
    }
}
