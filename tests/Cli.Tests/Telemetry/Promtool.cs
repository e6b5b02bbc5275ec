using Cluster.Cli.Tests.EndToEnd;

namespace Cluster.Cli.Tests.Telemetry;

/// <summary>Prometheus' own judge; ./cluster test provides it where it can.</summary>
internal static class Promtool
{
    private static readonly string? Program = Find();

    private static string? Find() =>
        ((string?[])[
            Environment.GetEnvironmentVariable("CLUSTER_PROMTOOL"), Repository.PathOf("artifacts/tools/promtool"),
            .. (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Select(static folder => Path.Combine(folder, "promtool"))])
        .FirstOrDefault(static path => !string.IsNullOrEmpty(path) && File.Exists(path));

    /// <summary>Skips the test where it is missing.</summary>
    public static void Needed() => Assert.SkipWhen(Program is null, "promtool is missing: ./cluster test fetches it from the distribution's package prometheus");

    /// <summary>Runs it in this folder; the test fails with what it says unless it is content.</summary>
    public static void Accepts(string folder, params string[] arguments)
    {
        var outcome = Processes.Run(Program!, folder, arguments);
        Assert.True(outcome.ExitCode == 0, $"promtool {string.Join(' ', arguments)}: {outcome.Error}{outcome.Output}");
    }

    /// <summary>The same, with this text as its standard input.</summary>
    public static void AcceptsInput(string folder, string text, params string[] arguments)
    {
        var file = Path.Combine(folder, "promtool-input.txt");
        File.WriteAllText(file, text);
        var outcome = Processes.Run("/bin/sh", folder, ["-c", "input=$1; shift; exec \"$@\" < \"$input\"", "sh", file, Program!, .. arguments]);
        Assert.True(outcome.ExitCode == 0, $"promtool {string.Join(' ', arguments)}: {outcome.Error}{outcome.Output}");
    }
}
