using System.Text.Json;
using Cluster.Cli.Tests.EndToEnd;

namespace Cluster.Cli.Tests.Bench;

/// <summary><c>bench link</c>: a short run with its other process.</summary>
public sealed class LinkBenchmarkSpecs : IDisposable
{
    private readonly World _world = new();

    public void Dispose() => _world.Dispose();

    /// <summary>No bound is asserted: one pair on a machine that tests measures nothing. All sides run, and every figure is there.</summary>
    [Fact]
    public void A_short_run_reports_all_sides_and_leaves_nothing_behind()
    {
        var outcome = Processes.Run(Processes.Cluster, _world.Folder, "bench", "link", "--pairs", "1", "--seconds", "0.2", "--json", "-");
        Assert.True(outcome.ExitCode == 0, outcome.Error);
        using var json = JsonDocument.Parse(outcome.Output);
        var figures = json.RootElement.GetProperty("figures").EnumerateArray().ToArray();
        foreach (var transport in new[] { "unix", "unix-copied", "tcp", "tls" })
        {
            var own = figures.Where(f => f.GetProperty("group").GetString() == transport).ToDictionary(f => f.GetProperty("name").GetString()!, f => f.GetProperty("median").GetDouble());
            Assert.Equal(transport == "unix" ? 14 : 13, own.Count);
            Assert.All(own, static figure => Assert.True(figure.Value > 0, figure.Key));
            Assert.Equal(own["link"] / own["raw socket"], own["link / raw socket, rate"], 1e-9);
        }
        Assert.Empty(Directory.EnumerateFileSystemEntries(_world.Folder));
        Assert.Empty(Directory.EnumerateFiles(Path.GetTempPath(), "cluster-bench-*.sock*"));
    }
}
