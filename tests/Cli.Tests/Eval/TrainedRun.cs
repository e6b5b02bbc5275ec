using System.Text.Json;
using Cluster.Cli.Hosting;
using Cluster.Cli.Tests.EndToEnd;
using Cluster.Cli.Verbs;

namespace Cluster.Cli.Tests.Eval;

/// <summary>A run of two steps on synthetic data, and its export: made once by the real executable, then only read. Nobody evaluates its 10,000 test images.</summary>
public sealed class TrainedRun : IDisposable
{
    private readonly World _world = new();

    public TrainedRun()
    {
        Succeed("train", "--data", "synthetic", "--steps", "2", "--batch", "64", "--microbatches", "4", "--seed", "7", "--evaluate", "false", "--out", "a");
        Succeed("export", "a", "a.safetensors");
    }

    public string Folder => _world.Folder;

    public string PathOf(string name) => _world.PathOf(name);

    internal Outcome Run(params string[] arguments) => Processes.Run(Processes.Cluster, Folder, arguments);

    internal Outcome Succeed(params string[] arguments)
    {
        var outcome = Run(arguments);
        Assert.True(outcome.ExitCode == 0, $"cluster {string.Join(' ', arguments)} gave {outcome.ExitCode}: {outcome.Error}");
        return outcome;
    }

    /// <summary>The line that a mistake gives, after <c>cluster: </c>. In this process: a start of the executable for each would take longer than the rest.</summary>
    internal static async Task<string> MistakeOf(params string[] arguments)
    {
        using var error = new StringWriter();
        var mistake = await Assert.ThrowsAnyAsync<Exception>(() => new CommandLine(LocalTraining.RunAsync).RunAsync(arguments, CancellationToken.None));
        Assert.Equal(ExitCodes.BadInput, FailureReport.Write(mistake, error));
        var line = Assert.Single(error.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries));
        Assert.StartsWith("cluster: ", line);
        return line;
    }

    internal static async Task Refused(string expected, params string[] arguments) => Assert.Contains(expected, await MistakeOf(arguments));

    internal JsonElement Evaluate(params string[] arguments)
    {
        var outcome = Succeed(["eval", "--json", .. arguments]);
        Assert.Equal("", outcome.Error);
        using var json = JsonDocument.Parse(Assert.Single(outcome.OutputLines));
        return json.RootElement.Clone();
    }

    public void Dispose() => _world.Dispose();
}

/// <summary>One after the other: several evaluations at once would only slow each other down.</summary>
[CollectionDefinition(Name)]
public sealed class TrainedRunCollection : ICollectionFixture<TrainedRun>
{
    public const string Name = "a trained run";
}
