using System.Text.Json;
using Cluster.Cli.Configuration;
using Cluster.Cli.Tests.EndToEnd;
using Cluster.Contracts;
using Cluster.Coordinator.Core;

namespace Cluster.Cli.Tests.Audit;

/// <summary>Through the real executable, over folders as runs leave them.</summary>
public sealed class AuditVerbSpecs : IDisposable
{
    private readonly World _world = new();

    public void Dispose() => _world.Dispose();

    private Outcome Audit(params string[] arguments) => Processes.Run(Processes.Cluster, _world.Folder, ["audit", .. arguments]);

    [Fact]
    public void Finished_run_is_clean()
    {
        RunMaker.Make(_world, "a");
        var outcome = Audit("a");
        Assert.Equal((0, ""), (outcome.ExitCode, outcome.Error));
        Assert.Equal("a: clean: every sample was taken exactly once per epoch", outcome.OutputLines[0]);
        Assert.Contains("10 of 10\n", outcome.Output);
        Assert.Contains("2 whole, of 300 samples each\n", outcome.Output);
        Assert.Contains("600 in 38 leaves proven from seed 11, 600 of them applied\n", outcome.Output);
        Assert.Contains("worker-0 20 leaves, worker-1 18 leaves\n", outcome.Output);
        using var json = JsonDocument.Parse(File.ReadAllText(_world.PathOf("a/audit.json")));
        Assert.True(json.RootElement.GetProperty("clean").GetBoolean());
        Assert.Equal("abc", json.RootElement.GetProperty("run_id").GetString());
        Assert.Equal(2, json.RootElement.GetProperty("epochs_whole").GetInt32());
        Assert.Equal(0, json.RootElement.GetProperty("findings").GetArrayLength());
    }

    [Fact]
    public void What_was_left_out_is_counted_and_named_and_the_run_is_clean_all_the_same()
    {
        var order = new SampleOrder(11, 0, RunMaker.Samples);
        var sample = order.SampleAt(64);        // the first of step 2
        RunMaker.Make(_world, "a", lines =>
        {
            var record = CommitLog.ReadLine(lines[1].AsSpan(0, lines[1].Length - 1), 2).Record;
            var plan = StepPlan.For(new StepId(2), RunMaker.Samples, 64, 4);
            lines[1] = CommitLog.Write(record with
            {
                Samples = 63,
                Accuracy = 21 / 63.0,
                Leaves = [new LeafRecord(new WorkerId(0), 15, plan.DigestOf(0, order, [sample])), .. record.Leaves.Skip(1)],
                LeftOut = [sample],
            }, 20);
            return lines.SelectMany(static line => line);
        });
        var outcome = Audit("a");
        Assert.Equal((0, ""), (outcome.ExitCode, outcome.Error));
        Assert.Equal("a: clean: every sample was taken exactly once per epoch, but 1 sample that was left out", outcome.OutputLines[0]);
        Assert.Contains($"  left out 1 sample, because it could not be decoded: step 2 sample {sample}\n", outcome.Output);
        Assert.Contains("2 whole, of 300 samples each\n", outcome.Output);
        using var json = JsonDocument.Parse(File.ReadAllText(_world.PathOf("a/audit.json")));
        Assert.Equal(1, json.RootElement.GetProperty("left_out_count").GetInt32());
        Assert.Equal((2, sample), (json.RootElement.GetProperty("left_out")[0].GetProperty("step").GetInt32(), json.RootElement.GetProperty("left_out")[0].GetProperty("sample").GetInt32()));
    }

    [Fact]
    public void Interrupted_run_with_a_torn_last_line_is_clean_and_both_are_said()
    {
        RunMaker.Make(_world, "a", lines => lines.Take(7).SelectMany(line => line).Concat(lines[7].Take(100)), summary: 0);
        var outcome = Audit("a/");
        Assert.Equal(0, outcome.ExitCode);
        Assert.Contains("7 of 10; the run is not finished\n", outcome.Output);
        Assert.Contains("1 whole, of 300 samples each; epoch 1 (from 0) up to 128 samples\n", outcome.Output);
        Assert.Contains("the last line stops after 100 bytes", outcome.Output);
    }

    [Fact]
    public void Forged_log_is_not_clean_and_each_fault_has_a_line()
    {
        RunMaker.Make(_world, "a", lines =>
        {
            lines[2][30] ^= 1;
            lines.RemoveAt(6);
            lines.Add(lines[^1]);
            return lines.SelectMany(line => line);
        });
        var outcome = Audit("a");
        Assert.Equal(1, outcome.ExitCode);
        Assert.Equal("a: NOT CLEAN, 3 findings", outcome.OutputLines[0]);
        Assert.Contains("  line 3: the line says checksum", outcome.Output);
        Assert.Contains("  line 7, step 8: step 7 is missing before this one", outcome.Output);
        Assert.Contains("  line 10, step 10: the step is in the log a second time", outcome.Output);
        using var json = JsonDocument.Parse(File.ReadAllText(_world.PathOf("a/audit.json")));
        Assert.Equal("not clean", json.RootElement.GetProperty("verdict").GetString());
        Assert.Equal(["damaged_line", "step_missing", "step_repeated"], json.RootElement.GetProperty("findings").EnumerateArray().Select(f => f.GetProperty("fault").GetString()));
        Assert.Equal(JsonValueKind.Null, json.RootElement.GetProperty("findings")[0].GetProperty("step").ValueKind);
    }

    [Fact]
    public void Log_that_ends_before_what_the_summary_claims_is_not_clean()
    {
        RunMaker.Make(_world, "a", lines => lines.Take(7).SelectMany(line => line));
        var outcome = Audit("a");
        Assert.Equal(1, outcome.ExitCode);
        Assert.Contains("commits.jsonl: ends with step 7, but the run's summary claims 10", outcome.Output);
    }

    [Fact]
    public void Another_seed_in_the_configuration_is_not_clean()
    {
        var folder = RunMaker.Make(_world, "a");
        var config = Path.Combine(folder, RunFolder.ConfigName);
        File.WriteAllText(config, File.ReadAllText(config).Replace("seed: 11 ", "seed: 12 "));
        var outcome = Audit("a");
        Assert.Equal(1, outcome.ExitCode);
        Assert.Contains("38 findings", outcome.OutputLines[0]);
    }

    [Fact]
    public void Json_is_one_object_and_nothing_else_and_equals_the_file()
    {
        RunMaker.Make(_world, "a");
        var outcome = Audit("a", "--json");
        Assert.Equal(0, outcome.ExitCode);
        Assert.Equal(File.ReadAllText(_world.PathOf("a/audit.json")), outcome.Output);
        using var json = JsonDocument.Parse(outcome.Output);
        Assert.Equal(10, json.RootElement.GetProperty("steps").GetInt32());
    }

    [Fact]
    public void Folder_that_cannot_be_written_still_gets_its_verdict()
    {
        RunMaker.Make(_world, "a");
        Directory.CreateDirectory(_world.PathOf("a/audit.json.new"));
        var outcome = Audit("a");
        Assert.Equal(0, outcome.ExitCode);
        Assert.Contains("clean", outcome.OutputLines[0]);
        Assert.StartsWith("cluster: cannot write a/audit.json: ", Assert.Single(outcome.ErrorLines));
    }

    [Fact]
    public void What_is_no_run_is_one_line_and_exit_code_2()
    {
        void Refused(string expected, params string[] arguments)
        {
            var outcome = Audit(arguments);
            Assert.Equal((2, ""), (outcome.ExitCode, outcome.Output));
            Assert.Contains(expected, Assert.Single(outcome.ErrorLines));
        }

        Refused("cluster audit needs the folder of a run");
        Refused("there is no run nowhere", "nowhere");
        Refused("unknown option --jsn; did you mean --json?", "a", "--jsn");
        Directory.CreateDirectory(_world.PathOf("empty"));
        Refused("empty is no run: it holds no config.yaml", "empty");
        _world.Write("empty/config.yaml", "");
        Refused("empty/config.yaml is empty", "empty");
        _world.Write("empty/config.yaml", "model: small-cnn\n");
        Refused("does not say how many training-samples", "empty");
        _world.Write("empty/config.yaml", "model: small-cnn\nfacts:\n  training-samples: many\n");
        Refused("facts.training-samples is 'many'", "empty");
        _world.Write("empty/config.yaml", "model: small-cnn\nfacts:\n  training-samples: 300\n");
        Refused("empty holds no commits.jsonl", "empty");
        _world.Write("empty/config.yaml", "model: small-cnn\nbtach: 3\n");
        Refused("empty/config.yaml line 2: unknown key btach; did you mean batch?", "empty");
        _world.Write("empty/config.yaml", "model: [\n");
        Refused("empty/config.yaml line ", "empty");
        _world.Write("empty/config.yaml", "batch: 10\nmicrobatches: 4\nfacts:\n  training-samples: 300\n");
        _world.Write("empty/commits.jsonl", "");
        Refused("batch 10 and 4 microbatches", "empty");
    }
}
