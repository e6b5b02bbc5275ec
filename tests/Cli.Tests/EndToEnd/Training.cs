using System.Collections.Concurrent;

namespace Cluster.Cli.Tests.EndToEnd;

/// <summary>The small run that these tests disturb in many ways, and what it comes to when nobody does.</summary>
internal static class Training
{
    public const string Seed = "11";

    /// <summary>Two images in each of the eight leaves: what these specs disturb costs the same time for any number of images, and the arithmetic alone grows with them.</summary>
    public const int Batch = 16;

    /// <summary>What all of these runs have in common.</summary>
    public static readonly string[] Small = ["--data", "synthetic", "--batch", $"{Batch}", "--microbatches", "8", "--seed", Seed];

    /// <summary>Length of the run that is killed, stopped and starved.</summary>
    public const int Steps = 40;

    /// <summary>Length where only the result counts.</summary>
    public const int ShortSteps = 12;

    private static readonly ConcurrentDictionary<int, Lazy<string>> Undisturbed = new();

    public static string[] Arguments(string folder, int steps, params string[] more) =>
        ["train", .. Small, "--steps", $"{steps}", "--evaluate", "false", "--out", folder, .. more];

    /// <summary>The same run in several processes.</summary>
    public static string[] Launch(string folder, int steps, params string[] more) => ["launch", .. Arguments(folder, steps, more)[1..]];

    /// <summary>The state's SHA-256 after so many steps by one worker and one shard, computed once.</summary>
    public static string Expected(int steps) => Undisturbed.GetOrAdd(steps, static count => new Lazy<string>(() =>
    {
        using var world = new World();
        return HashOf(Processes.Run(Processes.Cluster, world.Folder, Arguments("undisturbed", count, "--workers", "1", "--ps", "1", "--checkpoint-every", "0")));
    })).Value;

    /// <summary>The hash in the last line of a run that went well.</summary>
    public static string HashOf(Outcome outcome)
    {
        Assert.True(outcome.ExitCode == 0, $"exit code {outcome.ExitCode}: {outcome.Error}\n{outcome.Output}");
        Assert.Matches("^state sha256 [0-9a-f]{64}$", outcome.OutputLines[^1]);
        return outcome.OutputLines[^1]["state sha256 ".Length..];
    }

    /// <summary>Whole lines of commits.jsonl; 0 without one.</summary>
    public static int CommittedSteps(string folder)
    {
        try
        {
            return File.ReadAllBytes(Path.Combine(folder, "commits.jsonl")).Count(static b => b == (byte)'\n');
        }
        catch (FileNotFoundException)
        {
            return 0;
        }
    }

    public static string Events(string folder) => File.ReadAllText(Path.Combine(folder, "events.jsonl"));

    /// <summary>Names of the whole checkpoints, oldest first.</summary>
    public static string[] Checkpoints(string folder) =>
        [.. Directory.EnumerateDirectories(Path.Combine(folder, "checkpoints"), "step-*").Select(static path => Path.GetFileName(path)).Order(StringComparer.Ordinal)];
}
