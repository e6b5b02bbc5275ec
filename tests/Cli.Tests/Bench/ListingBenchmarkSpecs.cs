using System.Text.Json;
using Cluster.Cli.Tests.EndToEnd;

namespace Cluster.Cli.Tests.Bench;

/// <summary><c>cluster bench listing</c> with few files: that it measures and cleans up, not how fast it is.</summary>
public sealed class ListingBenchmarkSpecs : IDisposable
{
    private readonly World _world = new();

    public void Dispose() => _world.Dispose();

    [Fact]
    public void It_measures_every_part_and_removes_what_it_made()
    {
        var outcome = Processes.Run("env", _world.Folder, $"TMPDIR={_world.Folder}", Processes.Cluster, "bench", "listing", "--files", "3000", "--json", "report.json");
        Assert.True(outcome.ExitCode == 0, outcome.Error);
        using var report = JsonDocument.Parse(File.ReadAllText(_world.PathOf("report.json")));
        var names = report.RootElement.GetProperty("figures").EnumerateArray().Select(static figure => figure.GetProperty("name").GetString()).ToList();
        Assert.Equal(["listing", "reading headers", "writing the index", "reading the index back", "listing", "reading headers", "held by the index", "growth of the process at its largest", "of the stored index"], names);
        Assert.Contains("index of 3,000 generated images", outcome.Output);
        Assert.Empty(Directory.EnumerateDirectories(_world.Folder));
    }

    [Fact]
    public void No_files_are_a_mistake()
    {
        var outcome = Processes.Run(Processes.Cluster, _world.Folder, "bench", "listing", "--files", "0");
        Assert.Equal(2, outcome.ExitCode);
        Assert.Contains("--files 0: must be a whole number from 1 to", Assert.Single(outcome.ErrorLines));
    }
}
