using System.Text.Json;
using Cluster.Cli.Tests.EndToEnd;

namespace Cluster.Cli.Tests.Bench;

/// <summary><c>bench decode</c>: a short run over a few real images.</summary>
public sealed class DecodeBenchmarkSpecs : IDisposable
{
    private readonly World _world = new();

    public void Dispose() => _world.Dispose();

    /// <summary>No bound of a rate is asserted: one pair on a machine that tests measures nothing.</summary>
    [Fact]
    public void A_short_run_reports_all_sides_and_allocates_nothing_a_sample()
    {
        var source = Path.Combine(Environment.GetEnvironmentVariable("CLUSTER_TEST_DATA") is { Length: > 0 } root ? root : "/nowhere", "tiny-imagenet-20", "val");
        Assert.SkipUnless(Directory.Exists(source), "needs $CLUSTER_TEST_DATA/tiny-imagenet-20 with real images");
        foreach (var file in Directory.EnumerateFiles(source, "*.JPEG", SearchOption.AllDirectories).Take(12)) File.Copy(file, Path.Combine(_world.Folder, Path.GetFileName(file)));
        var outcome = Processes.Run(Processes.Cluster, _world.Folder, "bench", "decode", "--images", ".", "--workers", "1", "--pairs", "1", "--seconds", "0.3", "--json", "-");
        Assert.True(outcome.ExitCode == 0, outcome.Error);
        using var json = JsonDocument.Parse(outcome.Output);
        var medians = json.RootElement.GetProperty("figures").EnumerateArray().ToDictionary(static f => (f.GetProperty("unit").GetString() == "ms" ? "time: " : "") + f.GetProperty("name").GetString()!, static f => f.GetProperty("median").GetDouble());
        Assert.True(medians["training transform"] > 0 && medians["evaluation transform"] > 0);
        Assert.Equal(medians["training transform"] / medians["libjpeg-turbo, whole image"], medians["training / libjpeg-turbo"], 1e-9);
        Assert.Equal(medians["time: libjpeg-turbo, whole image"] / medians["time: training transform"], medians["training / libjpeg-turbo, by processor time"], 1e-9);
        // Something a sample would be 24 bytes or more; the runtime's own, once, is far less.
        Assert.InRange(medians["managed bytes allocated an image, training"], 0, 12);
    }

    [Fact]
    public void A_folder_is_needed_and_must_hold_JPEGs()
    {
        var none = Processes.Run(Processes.Cluster, _world.Folder, "bench", "decode");
        Assert.Equal((2, true), (none.ExitCode, none.Error.Contains("needs a folder of JPEGs: --images DIR", StringComparison.Ordinal)));
        var empty = Processes.Run(Processes.Cluster, _world.Folder, "bench", "decode", "--images", ".");
        Assert.Equal((2, true), (empty.ExitCode, empty.Error.Contains("has no .jpg or .jpeg file", StringComparison.Ordinal)));
        var missing = Processes.Run(Processes.Cluster, _world.Folder, "bench", "decode", "--images", "nowhere");
        Assert.Equal((2, true), (missing.ExitCode, missing.Error.Contains("must be a folder that exists", StringComparison.Ordinal)));
    }
}
