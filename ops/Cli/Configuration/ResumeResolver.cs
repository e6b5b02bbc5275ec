using Cluster.Contracts;

namespace Cluster.Cli.Configuration;

/// <summary>
/// The run that goes on: every option that is not given comes from the run's own config.yaml; what would change a bit of
/// the result is refused.
/// </summary>
public static class ResumeResolver
{
    /// <param name="recipe">As given on the command line; a resumed run keeps its own.</param>
    /// <param name="given">Settings of the command line; <c>--out</c> names the run, else the newest under <c>runs/</c> is taken.</param>
    /// <exception cref="UserMistakeException">No such run, or something that differs; one line per mistake.</exception>
    public static ResolvedRun Resolve(string? recipe, IReadOnlyList<Setting> given, IReadOnlyList<string> earlierMistakes, ResolveEnvironment environment)
    {
        ArgumentNullException.ThrowIfNull(given);
        ArgumentNullException.ThrowIfNull(environment);
        var folder = FolderOf(given, environment);
        var stored = ConfigReader.Read(folder);
        var mistakes = new List<string>(earlierMistakes);
        if (recipe is not null && recipe != stored.Options.Recipe) mistakes.Add($"--recipe {recipe}: the run in {folder} was made with {stored.Options.Recipe}; a resumed run keeps its recipe");

        var options = stored.Options;
        var origins = stored.Origins.ToDictionary(StringComparer.Ordinal);
        var broken = new HashSet<string>(StringComparer.Ordinal);
        foreach (var setting in given.Where(s => s.Row.Key != "out"))
        {
            try
            {
                options = setting.Row.Write(options, setting.Text);
                origins[setting.Row.Key] = setting.Origin;
            }
            catch (FormatException e)
            {
                mistakes.Add($"{setting.Place}: must be {e.Message}");
                broken.Add(setting.Row.Key);
            }
        }
        options = RunValidator.Check(options, SettingsInForce.Unknown, broken, environment, mistakes) with { Out = folder };
        if (broken.Count == 0) mistakes.AddRange(ResumeCheck.Differences(stored.Options, options));
        if (mistakes.Count > 0) throw new UserMistakeException(string.Join('\n', mistakes));
        return new ResolvedRun(options, origins, folder, stored.Description) { Resumes = stored, RunId = stored.RunId ?? Guid.NewGuid().ToString("N") };
    }

    private static string FolderOf(IReadOnlyList<Setting> given, ResolveEnvironment environment)
    {
        if (given.LastOrDefault(s => s.Row.Key == "out")?.Text is { } named) return Path.GetFullPath(named, environment.WorkingDirectory);
        var runs = Path.Combine(environment.WorkingDirectory, "runs");
        var newest = !Directory.Exists(runs) ? null : Directory.EnumerateDirectories(runs)
            .Where(d => File.Exists(Path.Combine(d, RunFolder.ConfigName)))
            .MaxBy(d => File.GetLastWriteTimeUtc(Path.Combine(d, RunFolder.ConfigName)));
        return newest ?? throw new UserMistakeException("--resume: there is no run under runs/; name its folder with --out DIR");
    }
}
