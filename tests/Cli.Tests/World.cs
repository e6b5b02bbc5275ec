using Cluster.Cli.Configuration;
using Cluster.Contracts;

namespace Cluster.Cli.Tests;

/// <summary>A temporary folder, and an environment in which everything is allowed unless a test says otherwise.</summary>
internal sealed class World : IDisposable
{
    public static readonly DateTimeOffset Noon = new(2026, 11, 21, 12, 0, 0, TimeSpan.Zero);

    public World()
    {
        Folder = Directory.CreateTempSubdirectory("cluster-cli-tests-").FullName;
        Environment = new ResolveEnvironment { WorkingDirectory = Folder, Now = Noon, FreeBytes = _ => long.MaxValue, DeviceMistake = _ => null };
    }

    public string Folder { get; }

    public ResolveEnvironment Environment { get; set; }

    public string PathOf(string name) => Path.Combine(Folder, name);

    public string Write(string name, string text)
    {
        File.WriteAllText(PathOf(name), text);
        return PathOf(name);
    }

    /// <summary>Resolves a command line given as alternating flags and values.</summary>
    public ResolvedRun Resolve(string? recipe, params string[] flagsAndValues)
    {
        var given = new List<Setting>();
        for (var i = 0; i < flagsAndValues.Length; i += 2)
        {
            var row = OptionTable.Rows.Single(known => known.Flag == flagsAndValues[i]);
            given.Add(new Setting(row, flagsAndValues[i + 1], $"{row.Flag} {flagsAndValues[i + 1]}", RunResolver.FromCommandLine));
        }
        return RunResolver.Resolve(recipe, given, [], Environment);
    }

    public string[] MistakesOf(string? recipe, params string[] flagsAndValues) =>
        Assert.Throws<UserMistakeException>(() => Resolve(recipe, flagsAndValues)).Message.Split('\n');

    public void Dispose() => Directory.Delete(Folder, recursive: true);
}

/// <summary>The repository that this test was built from; the build lies inside it.</summary>
internal static class Repository
{
    public static string Root { get; } = Find();

    public static string PathOf(string name) => Path.Combine(Root, name);

    private static string Find()
    {
        for (var at = new DirectoryInfo(AppContext.BaseDirectory); at is not null; at = at.Parent)
        {
            if (File.Exists(Path.Combine(at.FullName, "Cluster.sln"))) return at.FullName;
        }
        throw new InvalidOperationException($"{AppContext.BaseDirectory} lies in no checkout: Cluster.sln was not found above it.");
    }
}
