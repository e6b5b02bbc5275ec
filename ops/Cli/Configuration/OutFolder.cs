using System.Globalization;
using Cluster.Contracts;

namespace Cluster.Cli.Configuration;

/// <summary>Chooses a run's folder and checks it before anything is written.</summary>
public static class OutFolder
{
    /// <summary>Files that show that a folder already holds a run.</summary>
    private static readonly string[] RunFiles = [RunFolder.ConfigName, RunFolder.CommitsName, RunFolder.SummaryName];

    /// <summary>The absolute path; mistakes about it go into <paramref name="mistakes"/>.</summary>
    public static string Choose(RunOptions options, ResolveEnvironment environment, List<string> mistakes)
    {
        var shown = options.Out ?? NewName(options, environment);
        string path;
        try
        {
            path = Path.GetFullPath(shown, environment.WorkingDirectory);
        }
        catch (ArgumentException e)
        {
            mistakes.Add($"--out {shown}: {e.Message}");
            return "";
        }
        if (RunFiles.FirstOrDefault(name => File.Exists(Path.Combine(path, name))) is { } held)
        {
            mistakes.Add($"--out {shown}: the folder already holds a run ({held}); nothing was touched, choose another folder");
            return path;
        }

        var existing = Disk.NearestExisting(path);
        if (File.Exists(existing))
        {
            mistakes.Add($"--out {shown}: {existing} is a file, not a folder");
            return path;
        }
        if (WriteMistake(existing) is { } reason)
        {
            mistakes.Add($"--out {shown}: cannot write to {existing}: {reason}");
            return path;
        }
        var required = Limits.RequiredFreeBytes(environment.StateFloats(options));
        if (environment.FreeBytes(existing) is { } free && free < required)
            mistakes.Add($"--out {shown}: the disk of {existing} has {Mebibytes(free)} MiB free and the run needs {Mebibytes(required)}: free some, or choose another disk");
        return path;
    }

    /// <summary><c>runs/small-cnn-20261121-114233</c>; a second run in the same second gets <c>-2</c>.</summary>
    private static string NewName(RunOptions options, ResolveEnvironment environment)
    {
        var stem = Path.Combine("runs", $"{Safe(options.Recipe)}-{environment.Now.ToString("yyyyMMdd-HHmmss", CultureInfo.InvariantCulture)}");
        var name = stem;
        for (var i = 2; Path.Exists(Path.GetFullPath(name, environment.WorkingDirectory)); i++) name = $"{stem}-{i}";
        return name;
    }

    private static string Safe(string recipe)
    {
        var kept = string.Concat(recipe.Take(64).Select(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.' ? c : '-')).Trim('.');
        return kept.Length == 0 ? "run" : kept;
    }

    /// <summary>Asks by doing: permissions, read-only mounts and quotas answer the same way. Leaves nothing behind.</summary>
    private static string? WriteMistake(string folder)
    {
        try
        {
            var probe = Path.Combine(folder, $".cluster-{Environment.ProcessId}-{Guid.NewGuid():N}");
            using (new FileStream(probe, FileMode.CreateNew, FileAccess.Write, FileShare.None, 1, FileOptions.DeleteOnClose)) { }
            return null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return e.Message.ReplaceLineEndings(" ");
        }
    }

    private static string Mebibytes(long bytes) => (bytes / 1048576.0).ToString("0.#", CultureInfo.InvariantCulture);
}
