using Cluster.Cli.Configuration;
using Cluster.Contracts;

namespace Cluster.Cli.Tests;

public sealed class ConfigReaderSpecs : IDisposable
{
    private readonly World _world = new();

    public void Dispose() => _world.Dispose();

    /// <summary>A value of each row that is allowed and not the default.</summary>
    private static string OtherValue(OptionRow row)
    {
        var plain = row.Read(new RunOptions());
        if (row.Choices is { } choices) return choices.First(choice => choice != plain);
        return row.ValueName switch
        {
            "true|false" => plain == "true" ? "false" : "true",
            "N" => row.Key switch { "batch" => "1000", "microbatches" => "20", "seed" => "18446744073709551615", _ => row.Range!.Contains(17) ? "17" : "1" },
            "X" => row.Range!.Contains(0.1 + 0.2) ? OptionRow.Number(0.1 + 0.2) : "1.7",
            "X,X,X" => "0.1, 0.30000000000000004, 1",
            "DEVICE" => "cuda:0,cuda:1",
            "NAME[:DIR]" => "cifar10:/data/it's \"here\" # 100% {sure}: äß",
            "DIR" => "/somewhere/else",
            "HOST:PORT|none" => "none",
            "PATTERN:…" => "fc.*:lr=0.1,decay=0; conv1.*:lr=0",
            var other => throw new InvalidOperationException($"{row.Key} has values of a new kind ({other}): give an example here"),
        };
    }

    private string WriteConfig(RunOptions options, Dictionary<string, string>? facts = null)
    {
        var origins = OptionTable.Rows.ToDictionary(row => row.Key, row => row.Key.Length % 2 == 0 ? "command line" : "recipe mine # 1");
        return _world.Write("config.yaml", ConfigWriter.Write(new ResolvedRun(options, origins, _world.Folder, "a line: with \"marks\""), facts ?? []));
    }

    [Fact]
    public void Every_option_comes_back_when_it_alone_differs()
    {
        foreach (var row in OptionTable.Rows.Where(row => row.InRecipes))
        {
            var options = row.Write(new RunOptions(), OtherValue(row));
            Assert.NotEqual(row.Read(new RunOptions()), row.Read(options));
            var read = ConfigReader.Read(WriteConfig(options)).Options;
            foreach (var each in OptionTable.Rows.Where(each => each.InRecipes)) Assert.Equal((each.Key, each.Read(options)), (each.Key, each.Read(read)));
        }
    }

    [Fact]
    public void All_options_come_back_together_with_origins_facts_and_names()
    {
        var options = OptionTable.Rows.Aggregate(new RunOptions { Recipe = "mine: \"1\"" }, (so, row) => row.Write(so, OtherValue(row)));
        var facts = new Dictionary<string, string>
        {
            ["training-samples"] = "50000",
            ["test-samples"] = "10000",
            ["total-steps"] = "9999999999",
            ["run-id"] = "abc",
            ["layout-hash"] = "0123",
            ["data-fingerprint"] = "x: \"#y",
            ["numeric-fingerprint"] = "null",
            ["started"] = "2026-11-21T12:00:00Z",
            ["empty"] = "",
        };
        var stored = ConfigReader.Read(WriteConfig(options, facts));
        // Lists have no equality of values; every row is compared as text, the rest as records.
        foreach (var row in OptionTable.Rows.Where(row => row.InRecipes)) Assert.Equal((row.Key, row.Read(options)), (row.Key, row.Read(stored.Options)));
        Assert.Equal(options with { Augmentation = new(), Schedule = new(), Out = null }, stored.Options with { Augmentation = new(), Schedule = new(), Out = null });
        Assert.Equal(_world.Folder, stored.Options.Out);
        Assert.Equal("a line: with \"marks\"", stored.Description);
        Assert.Equal(facts, stored.Facts);
        Assert.Equal((50_000, 10_000, 9_999_999_999L, "abc", "0123"), (stored.TrainingSamples!.Value, stored.TestSamples!.Value, stored.TotalSteps!.Value, stored.RunId, stored.LayoutHash));
        Assert.Equal(("x: \"#y", "null", World.Noon), (stored.DataFingerprint, stored.NumericFingerprint, stored.Started!.Value));
    }

    [Fact]
    public void Origins_come_back_and_the_file_can_be_written_again_unchanged()
    {
        var run = _world.Resolve(null, "--lr", "0.3", "--seed", "5", "--data", "synthetic");
        var facts = new Dictionary<string, string> { ["run-id"] = "abc" };
        var text = ConfigWriter.Write(run, facts);
        var stored = ConfigReader.Read(_world.Write("config.yaml", text));
        Assert.Equal(run.Origins.Where(origin => origin.Key != "out"), stored.Origins.Where(origin => origin.Key != "out"));
        Assert.Equal(text, ConfigWriter.Write(new ResolvedRun(stored.Options, stored.Origins, stored.Options.Out!, stored.Description), stored.Facts));
    }

    [Fact]
    public void Facts_that_are_not_there_are_null()
    {
        var stored = ConfigReader.Read(WriteConfig(new RunOptions()));
        Assert.Empty(stored.Facts);
        Assert.Equal((null, null, null, null), (stored.TrainingSamples, stored.TotalSteps, stored.LayoutHash, stored.Started));
    }

    [Theory]
    [InlineData("model: small-cnn\noptimizer:\n  momentun: 0.9\n", "config.yaml line 3: unknown key optimizer.momentun; did you mean optimizer.momentum?")]
    [InlineData("batch: many\n", "config.yaml line 1: batch many: must be a whole number")]
    [InlineData("batch: 8\nfacts: 3\n", "config.yaml line 2: facts holds 'key: value' lines")]
    [InlineData("batch: 8\nfacts:\n  a: [1, 2]\n", "config.yaml line 3: a fact is one text")]
    [InlineData("- 1\n", "config.yaml line 1: expected 'key: value' lines")]
    [InlineData("a: b: c\n", "config.yaml line 1: not valid YAML")]
    public void Mistakes_name_their_line(string text, string expected)
    {
        var mistake = Assert.Throws<UserMistakeException>(() => ConfigReader.Read(_world.Write("config.yaml", text)));
        Assert.Contains(expected, mistake.Message);
    }

    [Fact]
    public void Several_mistakes_are_told_at_once() =>
        Assert.Equal(2, Assert.Throws<UserMistakeException>(() => ConfigReader.Read(_world.Write("config.yaml", "btach: 3\nseed: -1\n"))).Message.Split('\n').Length);

    [Fact]
    public void Folder_and_file_are_both_understood()
    {
        var file = WriteConfig(new RunOptions { Seed = 7 });
        Assert.Equal(7ul, ConfigReader.Read(file).Options.Seed);
        Assert.Equal(7ul, ConfigReader.Read(_world.Folder).Options.Seed);
    }

    [Fact]
    public void The_sample_order_is_uniform_unless_the_run_says_otherwise()
    {
        Assert.Equal(OrderLayout.Uniform, ConfigReader.Read(WriteConfig(new RunOptions())).SampleOrder);
        Assert.Equal(new OrderLayout(64, 16), ConfigReader.Read(WriteConfig(new RunOptions(), new Dictionary<string, string> { ["sample-order"] = "blocks-64-window-16" })).SampleOrder);
        var stored = ConfigReader.Read(WriteConfig(new RunOptions(), new Dictionary<string, string> { ["sample-order"] = "sorted" }));
        Assert.Contains("facts.sample-order is 'sorted'", Assert.Throws<UserMistakeException>(() => stored.SampleOrder).Message);
    }
}
