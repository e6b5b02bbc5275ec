using System.Text;
using Cluster.Cli.Configuration;
using Cluster.Cli.Tests.Audit;
using Cluster.Cli.Tests.EndToEnd;

namespace Cluster.Cli.Tests.Runs;

public sealed class RunsVerbSpecs : IDisposable
{
    private readonly World _world = new();

    public void Dispose() => _world.Dispose();

    private Outcome Runs(params string[] arguments) => Processes.Run(Processes.Cluster, _world.Folder, ["runs", .. arguments]);

    /// <summary>A run that began at this hour.</summary>
    private string Make(string name, int hour, Func<List<byte[]>, IEnumerable<byte>>? change = null, int summary = RunMaker.Steps) =>
        RunMaker.Make(_world, "runs/" + name, change, summary, new() { ["training-samples"] = "300", ["total-steps"] = "10", ["started"] = $"2026-11-21T{hour:00}:00:00Z" });

    private static IEnumerable<byte> Seven(List<byte[]> lines) => lines.Take(7).SelectMany(line => line).Concat(lines[7].Take(50));

    [Fact]
    public void Runs_are_listed_newest_first_with_their_state_and_figures()
    {
        Make("done", 8);
        Make("killed", 9, Seven, summary: 0);
        var failed = Make("failed", 10, Seven, summary: 0);
        File.WriteAllText(Path.Combine(failed, "events.jsonl"), "{\"kind\":\"started\"}\n{\"kind\":\"failed\",\"sentence\":\"x\"}\n");
        Directory.CreateDirectory(_world.PathOf("runs/notes"));
        var outcome = Runs();
        Assert.Equal((0, ""), (outcome.ExitCode, outcome.Error));
        string[][] rows = [.. outcome.OutputLines.Select(line => line.Split("  ", StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))];
        Assert.Equal(["run", "state", "steps", "loss", "test acc.", "images/s", "recipe", "model", "data", "began"], rows[0]);
        Assert.Equal(["failed", "failed", "7/10", "0.2857", "-", "3200", "small-cnn", "small-cnn", "cifar10"], rows[1][..9]);
        Assert.Equal(["killed", "interrupted", "7/10"], rows[2][..3]);
        Assert.Equal(["done", "finished", "10/10", "0.2000", "81.25 %", "512"], rows[3][..6]);
        Assert.Equal(4, rows.Length);
    }

    [Fact]
    public void Broken_folder_is_one_row_that_says_what_is_wrong()
    {
        Make("done", 8);
        Make("bad-log", 9, lines => [.. lines.SelectMany(line => line), .. "{\"step\":11}\n"u8]);
        File.WriteAllText(Path.Combine(Make("bad-config", 9), RunFolder.ConfigName), "btach: 3\n");
        File.WriteAllText(Path.Combine(Make("bad-summary", 9), RunFolder.SummaryName), "{\n");
        File.Delete(Path.Combine(Make("no-config", 9), RunFolder.ConfigName));
        var outcome = Runs("runs");
        Assert.Equal((0, ""), (outcome.ExitCode, outcome.Error));
        Assert.Equal(6, outcome.OutputLines.Length);
        string Row(string name) => outcome.OutputLines.Single(line => line.StartsWith(name + " ", StringComparison.Ordinal));
        Assert.Contains("broken", Row("bad-log"));
        Assert.EndsWith("the last line of commits.jsonl does not end with its checksum", Row("bad-log"));
        Assert.EndsWith("config.yaml line 1: unknown key btach; did you mean batch?", Row("bad-config"));
        Assert.Contains("summary.json is not valid JSON (line ", Row("bad-summary"));
        Assert.Contains("is no run: it holds no config.yaml", Row("no-config"));
        Assert.Contains("finished", Row("done"));
    }

    [Fact]
    public void Run_whose_folder_is_in_use_is_running()
    {
        var folder = Make("going", 9, Seven, summary: 0);
        using (RunLock.Take(folder)) Assert.Contains(" running  ", Runs().Output);
        Assert.Contains(" interrupted  ", Runs().Output);
    }

    [Fact]
    public void Run_whose_log_is_held_by_its_writer_is_running_even_without_the_lock_file()
    {
        var folder = Make("going", 9, Seven, summary: 0);
        File.Delete(Path.Combine(folder, RunLock.Name));
        using (File.OpenHandle(Path.Combine(folder, RunFolder.CommitsName), FileMode.Open, FileAccess.Write, FileShare.Read)) Assert.Contains(" running  ", Runs().Output);
        Assert.Contains(" interrupted  ", Runs().Output);
    }

    [Fact]
    public void Single_run_may_be_named_itself()
    {
        Make("done", 8);
        Assert.Equal(2, Runs("runs/done").OutputLines.Length);
        Assert.StartsWith("done ", Runs("runs/done/").OutputLines[1]);
    }

    [Fact]
    public void Without_runs_it_says_so()
    {
        Assert.Equal((0, "no runs yet: 'cluster train' makes the first one under runs/\n"), (Runs().ExitCode, Runs().Output));
        Directory.CreateDirectory(_world.PathOf("runs"));
        Assert.Equal((0, "no runs in runs\n"), (Runs().ExitCode, Runs().Output));
        var outcome = Runs("nowhere");
        Assert.Equal((2, "cluster: there is no folder nowhere"), (outcome.ExitCode, Assert.Single(outcome.ErrorLines)));
    }

    [Fact]
    public void Long_records_are_read_from_the_end_of_the_log()
    {
        var last = RunMaker.Lines(_world.Resolve(null, "--batch", "64", "--microbatches", "4", "--seed", "11", "--epochs", "2", "--clip-norm", "1").Options)[^1];
        Make("done", 8, lines => Enumerable.Repeat((byte)'x', 3 << 20).Append((byte)'\n').Concat(last));
        Assert.Contains("10/10", Runs().Output);
        Make("endless", 9, lines => Encoding.ASCII.GetBytes(new string('x', 3 << 20)));
        Assert.Contains("endless", Runs().Output);
    }
}
