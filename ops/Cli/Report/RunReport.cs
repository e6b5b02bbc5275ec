using Cluster.Chaos;
using Cluster.Cli.Configuration;
using Cluster.Contracts;

namespace Cluster.Cli.Report;

/// <summary>Makes report.html of a run's folder.</summary>
internal static class RunReport
{
    public const string Name = "report.html";

    /// <summary>Its name where 'cluster chaos' has a report of its own, about faults and promises.</summary>
    public const string NameBesideChaos = "run.html";

    /// <summary>Where the page of a run's folder lies.</summary>
    public static string PathIn(string folder)
    {
        var isChaos = ((string[])[ChaosRun.PlanName, ChaosRun.JsonName]).Any(name => File.Exists(Path.Combine(folder, name)));
        return Path.Combine(folder, isChaos ? NameBesideChaos : Name);
    }

    /// <summary>Reads the folder and writes the page, whole or not at all.</summary>
    /// <param name="path">Of the page.</param>
    /// <param name="state">How the run stands, when the caller knows.</param>
    /// <exception cref="UserMistakeException">The folder is no run, or the page cannot be written there.</exception>
    public static RunRecord Make(string folder, string path, RunState? state = null)
    {
        var run = RunRecord.Read(folder, state);
        try
        {
            WholeFile.Write(path, ReportPage.Write(run));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new UserMistakeException($"cannot write {path}: {e.Message.ReplaceLineEndings(" ")}", e);
        }
        return run;
    }

    /// <summary>At a run's end, whichever it is: never fails it. A run that committed nothing has nothing to report.</summary>
    /// <param name="say">For a person.</param>
    public static void TryMake(string folder, RunState state, Action<string> say)
    {
        try
        {
            if (new FileInfo(Path.Combine(folder, RunFolder.CommitsName)) is { Exists: true, Length: > 0 }) Make(folder, PathIn(folder), state);
        }
        catch (Exception e)
        {
            // Whatever it is: the run has ended as it has, and 'cluster report' says the same.
            say($"{Name} was not made: {e.Message.ReplaceLineEndings(" ")}");
        }
    }
}
