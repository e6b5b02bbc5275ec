using System.Text.Json;
using Cluster.Cli.Configuration;
using Cluster.Cli.Hosting;
using Cluster.Contracts;

namespace Cluster.Cli.Tests.Configuration;

public sealed class RunFolderSpecs : IDisposable
{
    private readonly World _world = new();

    public void Dispose() => _world.Dispose();

    [Fact]
    public void A_folder_that_holds_a_run_is_refused_and_left_as_it_is()
    {
        foreach (var name in (string[])["config.yaml", "commits.jsonl", "summary.json"])
        {
            Directory.CreateDirectory(_world.PathOf($"old-{name}"));
            _world.Write($"old-{name}/{name}", "precious");
            Assert.Contains($"already holds a run ({name})", Assert.Single(_world.MistakesOf(null, "--out", $"old-{name}")));
            Assert.Equal("precious", File.ReadAllText(_world.PathOf($"old-{name}/{name}")));
        }
    }

    [Fact]
    public void An_empty_folder_may_be_used_and_a_second_run_in_one_second_gets_a_number()
    {
        Directory.CreateDirectory(_world.PathOf("empty"));
        Assert.Equal(_world.PathOf("empty"), _world.Resolve(null, "--out", "empty").OutDirectory);
        using (RunFolder.Create(_world.Resolve(null))) { }
        Assert.EndsWith("small-cnn-20261121-120000-2", _world.Resolve(null).OutDirectory);
    }

    [Fact]
    public void A_full_disk_is_found_before_the_run_starts()
    {
        _world.Environment = _world.Environment with { FreeBytes = _ => 1 << 20 };
        Assert.Contains("has 1 MiB free and the run needs", Assert.Single(_world.MistakesOf(null)));
    }

    [Fact]
    public void A_file_in_the_place_of_the_folder_is_named()
    {
        _world.Write("taken", "");
        Assert.Contains($"{_world.PathOf("taken")} is a file, not a folder", Assert.Single(_world.MistakesOf(null, "--out", "taken/run")));
    }

    [Fact]
    public void Of_two_runs_that_start_into_one_folder_one_is_refused()
    {
        var run = _world.Resolve(null, "--out", "shared");
        using var first = RunFolder.Create(run);
        Assert.Throws<UserMistakeException>(() => RunFolder.Create(run));
        Assert.Contains("recipe: small-cnn", File.ReadAllText(_world.PathOf("shared/config.yaml")));
    }

    [Fact]
    public void Facts_are_added_to_the_configuration_and_earlier_ones_stay()
    {
        using var folder = RunFolder.Create(_world.Resolve(null));
        folder.WriteConfig(new Dictionary<string, string> { ["layout"] = "0123" });
        folder.WriteConfig(new Dictionary<string, string> { ["training-samples"] = "50000" });
        var text = File.ReadAllText(Path.Combine(folder.Location, "config.yaml"));
        Assert.Contains("  layout: 0123\n", text);
        Assert.Contains("  training-samples: 50000\n", text);
        Assert.Contains("  started: ", text);
        Assert.Empty(RecipeReader.Parse(text, "config.yaml", "x").Mistakes);
    }

    [Fact]
    public void A_summary_holds_what_scripts_look_for_and_null_for_what_is_not_a_number()
    {
        using var folder = RunFolder.Create(_world.Resolve(null, "--seed", "11"));
        folder.WriteSummary(new TrainingSummary(12, 0.125, "ab12", 512.5, double.NaN, new EvaluationResult(12, 0.5, 0.8125, 0.99, 10_000), TimeSpan.FromSeconds(3)));
        using var json = JsonDocument.Parse(File.ReadAllText(Path.Combine(folder.Location, "summary.json")));
        var root = json.RootElement;
        Assert.Equal("ab12", root.GetProperty("state_sha256").GetString());
        Assert.Equal(12, root.GetProperty("steps").GetInt64());
        Assert.Equal(512.5, root.GetProperty("images_per_second").GetDouble());
        Assert.Equal(0.8125, root.GetProperty("test_accuracy").GetDouble());
        Assert.Equal(JsonValueKind.Null, root.GetProperty("train_loss").ValueKind);
        Assert.Equal(3, root.GetProperty("seconds").GetDouble());
        Assert.Equal(11, root.GetProperty("seed").GetInt32());
    }

    [Fact]
    public void Events_are_one_line_each_whatever_the_sentence_holds()
    {
        using var folder = RunFolder.Create(_world.Resolve(null));
        folder.Events.Append("lost", "worker-1 said \"no\"\nand left", "worker-1", ClusterTelemetry.Spans.Backward);
        folder.Events.Append("said", "all is well");
        var lines = File.ReadAllLines(Path.Combine(folder.Location, "events.jsonl"));
        Assert.Equal(2, lines.Length);
        using var first = JsonDocument.Parse(lines[0]);
        Assert.Equal("worker-1 said \"no\"\nand left", first.RootElement.GetProperty("sentence").GetString());
        Assert.Equal(("lost", "worker-1", "backward"), (first.RootElement.GetProperty("kind").GetString(), first.RootElement.GetProperty("node").GetString(), first.RootElement.GetProperty("phase").GetString()));
        Assert.True(first.RootElement.GetProperty("time").GetDateTimeOffset() > World.Noon.AddYears(-20));
    }

    [Fact]
    public void Events_have_the_phase_of_their_kind_and_the_time_that_they_are_given()
    {
        using var folder = RunFolder.Create(_world.Resolve(null));
        folder.Events.Append("worker-lost", "worker-1 is lost", "worker-1");
        folder.Events.Append("fault", "struck", "worker-1", time: World.Noon);
        var events = EndToEnd.RunEvents.Of(folder.Location);
        Assert.Equal(["step", "process"], events.Select(e => e.Phase));
        Assert.Equal(World.Noon, events[1].Time);
    }

    [Fact]
    public async Task Two_writers_of_one_event_log_lose_no_line()
    {
        const int each = 200;
        var path = _world.PathOf("events.jsonl");
        using var old = new EventLog(path);
        using var young = new EventLog(path);
        await Task.WhenAll(((EventLog[])[old, young]).Select(log => Task.Run(() =>
        {
            for (var i = 0; i < each; i++) log.Append("term", new string('x', i), "coordinator");
        })));
        Assert.Equal(2 * each, EndToEnd.RunEvents.Of(_world.Folder).Count);
        Assert.Equal((0L, 0L), (old.Lost, young.Lost));
    }

    [Fact]
    public void Lost_event_is_counted_and_stops_nobody()
    {
        using var log = new EventLog("/dev/full");
        log.Append("term", "the disk is full");
        Assert.Equal(1, log.Lost);
    }

    [Fact]
    public void A_run_that_committed_nothing_is_taken_back_and_one_that_did_is_kept()
    {
        var run = _world.Resolve(null, "--out", "mine");
        Directory.CreateDirectory(_world.PathOf("mine"));
        _world.Write("mine/notes.txt", "kept");
        using (var folder = RunFolder.Create(run)) folder.DiscardIfNothingCommitted();
        Assert.Equal(["notes.txt"], Directory.EnumerateFiles(_world.PathOf("mine")).Select(Path.GetFileName));

        using (var folder = RunFolder.Create(run))
        {
            _world.Write("mine/commits.jsonl", "{}\n");
            folder.DiscardIfNothingCommitted();
        }
        Assert.True(File.Exists(_world.PathOf("mine/config.yaml")));

        var fresh = _world.Resolve(null, "--out", "fresh");
        using (var folder = RunFolder.Create(fresh)) folder.DiscardIfNothingCommitted();
        Assert.False(Directory.Exists(_world.PathOf("fresh")));
    }
}
