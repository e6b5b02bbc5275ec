using System.Text.Json;
using Cluster.Cli.Bench;
using Cluster.Cli.Bench.Peers;
using Cluster.Cli.Tests.EndToEnd;
using Cluster.Contracts;

namespace Cluster.Cli.Tests.Bench;

/// <summary><c>bench peers</c>: what is counted, what is compared, and one short run of all sides.</summary>
public sealed class PeersSpecs : IDisposable
{
    private readonly World _world = new();

    public void Dispose() => _world.Dispose();

    [Fact]
    public void Our_rate_counts_the_steps_between_warm_up_and_tail()
    {
        var commits = OurPeer.Read(
        [
            """{"step":1,"samples":128,"ms":9000}""",
            """{"step":2,"samples":128,"ms":200.5,"crc":1}""",
            """{"step":3,"samples":80,"ms":99.5}""",
            """{"step":4,"samples":128,"ms":9000}""",
        ]);
        Assert.Equal(208 / 0.3, OurPeer.RateOf(commits, warmUp: 1, steps: 2), 1e-9);
        Assert.Throws<BenchmarkException>(() => OurPeer.RateOf(commits, warmUp: 2, steps: 3));
    }

    [Theory]
    [InlineData("""{"samples":128}""")]
    [InlineData("""{"samples":128,"ms":"fast"}""")]
    [InlineData("half a li")]
    public void A_commit_line_without_a_time_names_its_line(string line) =>
        Assert.Contains("line 2", Assert.Throws<BenchmarkException>(() => OurPeer.Read(["""{"samples":1,"ms":1}""", line])).Message);

    [Fact]
    public void The_scripts_rate_is_in_its_last_line() =>
        Assert.Equal(123.5, DdpPeer.RateOf("a warning of some library\n{\"images_per_second\": 123.5, \"parameters\": 1}\n"));

    [Theory]
    [InlineData("")]
    [InlineData("nonsense")]
    [InlineData("{\"parameters\": 1}")]
    [InlineData("{\"images_per_second\": 0}")]
    public void A_script_that_says_no_rate_measured_nothing(string output) => Assert.Throws<BenchmarkException>(() => DdpPeer.RateOf(output));

    [Theory]
    [InlineData(10, 0.3, 34)]
    [InlineData(0.1, 1.4, 3)]
    [InlineData(3600, 1e-9, Limits.MaxBenchmarkSteps)]
    public void Seconds_become_steps_within_bounds(double seconds, double secondsPerStep, int steps) =>
        Assert.Equal(steps, PeersBenchmark.StepsIn(seconds, secondsPerStep, least: 3));

    [Fact]
    public void Ratios_are_given_for_the_sides_that_were_measured()
    {
        var rates = new Dictionary<string, Figure>
        {
            [Sides.Ddp] = new("m", "DDP", "images/s", [100, 200]),
            [Sides.Ours] = new("m", "us", "images/s", [110, 198]),
        };
        var figures = PeersBenchmark.FiguresOf("m", rates).ToArray();
        Assert.Equal(["DDP", "us", "ours / ddp"], figures.Select(f => f.Name));
        Assert.Equal(1.045, figures[2].Median, 1e-9);
        Assert.True(figures[2].IsMet);
    }

    [Fact]
    public void Networks_that_differ_in_size_are_refused_by_the_script()
    {
        var python = PythonOrSkip();
        var outcome = Processes.Run(python.Path, _world.Folder, Path.Combine(MeasuredProcess.ScriptFolder, "ddp_peer.py"), "--model", "small-cnn", "--mode", "ddp", "--parameters", "427169");
        Assert.Equal(3, outcome.ExitCode);
        Assert.Equal("small-cnn has 427168 parameters in PyTorch and 427169 on the other side: not the same network", Assert.Single(outcome.ErrorLines));
        Assert.Empty(outcome.Output);
    }

    /// <summary>No bound is asserted: three steps on a machine that tests measure nothing. All sides run, count the same parameters, and are reported.</summary>
    [Fact]
    public void A_short_run_reports_every_side_and_leaves_nothing_behind()
    {
        var python = PythonOrSkip();
        var outcome = Processes.Run(Processes.Cluster, _world.Folder, "bench", "peers", "--pairs", "1", "--steps", "3", "--warm-up", "0", "--model", "small-cnn", "--json", "-");
        Assert.True(outcome.ExitCode == 0, outcome.Error);
        using var json = JsonDocument.Parse(outcome.Output);
        var figures = json.RootElement.GetProperty("figures").EnumerateArray().ToDictionary(f => f.GetProperty("name").GetString()!);
        Assert.All(Sides.All, side => Assert.True(figures[side.Name].GetProperty("median").GetDouble() > 0));
        Assert.Equal(
            figures[Sides.All[1].Name].GetProperty("median").GetDouble() / figures[Sides.All[0].Name].GetProperty("median").GetDouble(),
            figures["ours / ddp"].GetProperty("median").GetDouble(), 1e-9);
        Assert.Equal(python.TorchVersion, json.RootElement.GetProperty("versions").GetProperty("PyTorch").GetString());
        Assert.Empty(Directory.EnumerateFileSystemEntries(_world.Folder));
    }

    private static PythonInterpreter PythonOrSkip()
    {
        try
        {
            return PythonInterpreter.Find();
        }
        catch (UserMistakeException e)
        {
            Assert.Skip(e.Message);
            throw;
        }
    }
}
