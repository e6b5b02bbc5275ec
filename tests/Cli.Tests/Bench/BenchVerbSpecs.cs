using System.Text.Json;
using Cluster.Cli.Tests.EndToEnd;

namespace Cluster.Cli.Tests.Bench;

/// <summary><c>cluster bench</c> through the real executable.</summary>
public sealed class BenchVerbSpecs : IDisposable
{
    private readonly World _world = new();

    public void Dispose() => _world.Dispose();

    private Outcome Bench(params string[] arguments) => Processes.Run(Processes.Cluster, _world.Folder, ["bench", .. arguments]);

    [Theory]
    [InlineData("bench needs to know what to measure: cluster bench peers|")]
    [InlineData("unknown benchmark pears; did you mean peers?", "pears")]
    [InlineData("unknown option --pears; did you mean --pairs?", "peers", "--pears", "3")]
    [InlineData("--pairs 0: must be a whole number from 1 to 1000", "peers", "--pairs", "0")]
    [InlineData("--pairs many: must be a whole number from 1 to 1000", "update", "--pairs", "many")]
    [InlineData("--seconds -1: must be a number from 0.1 to 3600", "peers", "--seconds", "-1")]
    [InlineData("--seconds nan: must be a number from 0.1 to 3600", "peers", "--seconds", "nan")]
    [InlineData("--warm-up 3601: must be a number from 0 to 3600", "peers", "--warm-up", "3601")]
    [InlineData("--steps 0: must be a whole number from 1 to 1000000", "peers", "--steps", "0")]
    [InlineData("--workers 1025: must be a whole number from 1 to 1024", "peers", "--workers", "1025")]
    [InlineData("--model resnet19: must be among small-cnn, resnet18; did you mean resnet18?", "peers", "--model", "resnet19")]
    [InlineData("--model ,: must be one or more of small-cnn, resnet18", "peers", "--model", ",")]
    [InlineData("--sides gloo: must be among ddp, ours, ours-k8, ours-devices, alone, ours-alone", "peers", "--sides", "gloo")]
    [InlineData("--parameters 0: must be a whole number from 1 to", "update", "--parameters", "0")]
    [InlineData("unknown option --model", "update", "--model", "small-cnn")]
    [InlineData("--json nowhere/report.json: there is no folder", "update", "--json", "nowhere/report.json")]
    [InlineData("is a folder: name a file", "update", "--json", ".")]
    [InlineData("'--json'", "update", "--json")]
    [InlineData("extra is not expected here", "update", "extra")]
    public void A_mistake_is_one_line_and_exit_code_2(string expected, params string[] arguments)
    {
        var outcome = Bench(arguments);
        Assert.Equal(2, outcome.ExitCode);
        Assert.StartsWith("cluster: ", Assert.Single(outcome.ErrorLines));
        Assert.Contains(expected, outcome.Error);
        Assert.Empty(outcome.Output);
    }

    [Fact]
    public void Help_names_every_benchmark_with_its_flags_and_defaults()
    {
        var outcome = Bench("--help");
        Assert.Equal(0, outcome.ExitCode);
        foreach (var benchmark in Cli.Bench.BenchmarkRegistry.All)
        {
            Assert.Contains($"cluster bench {benchmark.Name}: {benchmark.Description}", outcome.Output);
            Assert.All(benchmark.Flags, flag => Assert.Contains($"{flag.Name} {flag.ValueName}", outcome.Output));
        }
        Assert.Contains("[default 31]", outcome.Output);
        Assert.Equal(outcome.Output, Processes.Run(Processes.Cluster, _world.Folder, "help", "bench").Output);
    }

    [Fact]
    public void Update_prints_a_table_and_writes_json_of_the_same_figures()
    {
        var outcome = Bench("update", "--parameters", "70000", "--pairs", "3", "--json", "report.json");
        Assert.True(outcome.ExitCode == 0, outcome.Error);
        using var json = JsonDocument.Parse(File.ReadAllText(_world.PathOf("report.json")));
        var figures = json.RootElement.GetProperty("figures").EnumerateArray().ToArray();
        Assert.All(figures, figure =>
        {
            Assert.Equal(3, figure.GetProperty("n").GetInt32());
            Assert.True(figure.GetProperty("min").GetDouble() > 0);
            Assert.Contains(figure.GetProperty("name").GetString()!, outcome.Output);
        });
        Assert.Contains("70,000 parameters", outcome.OutputLines[0]);
        Assert.Contains(figures, figure => figure.GetProperty("name").GetString() == "update: momentum" && figure.GetProperty("unit").GetString() == "GB/s");
    }

    [Fact]
    public void Json_on_standard_output_stands_alone()
    {
        var outcome = Bench("update", "--parameters", "1000", "--pairs", "1", "--json", "-");
        Assert.Equal(0, outcome.ExitCode);
        using var json = JsonDocument.Parse(outcome.Output);
        Assert.Equal("update", json.RootElement.GetProperty("benchmark").GetString());
    }

    [Fact]
    public void A_chosen_python_without_torch_is_one_line_and_exit_code_2()
    {
        var outcome = Processes.Run("env", _world.Folder, "CLUSTER_PYTHON=/bin/false", Processes.Cluster, "bench", "peers");
        Assert.Equal(2, outcome.ExitCode);
        Assert.StartsWith("cluster: CLUSTER_PYTHON=/bin/false cannot import torch", Assert.Single(outcome.ErrorLines));
    }

    [Fact]
    public void Ours_alone_needs_no_python()
    {
        var outcome = Processes.Run(
            "env", _world.Folder, "CLUSTER_PYTHON=/bin/false", Processes.Cluster, "bench", "peers", "--model", "small-cnn", "--pairs", "1", "--steps", "2", "--warm-up", "0", "--sides", "ours");
        Assert.True(outcome.ExitCode == 0, outcome.Error);
        Assert.Contains("cluster, one leaf per worker", outcome.Output);
    }
}
