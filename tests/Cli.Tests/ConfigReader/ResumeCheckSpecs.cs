using Cluster.Cli.Configuration;
using Cluster.Contracts;

namespace Cluster.Cli.Tests;

public sealed class ResumeCheckSpecs
{
    private static readonly string[] Free = ["workers", "devices-per-worker", "ps", "replicas", "audit-every", "device", "eval-every", "eval-samples", "evaluate", "checkpoint-every", "checkpoint-keep", "out", "steps", "monitor", "trace-every", "tensorboard", "histogram-every", "decode-threads"];

    private static RunOptions Changed(OptionRow row)
    {
        var plain = row.Read(new RunOptions());
        string[] examples = ["17", "0.25", "true", "false", "step", "cos", "zero", "skip", "resnet20", "imagenet", "synthetic", "adam", "classical", "l1", "squared-error", "constant", "loss", "cuda:0", "0.5, 0.5, 0.5", "1", "/elsewhere"];
        foreach (var example in examples.Where(example => example != plain && (row.Choices?.Contains(example) ?? true)))
        {
            try
            {
                return row.Write(new RunOptions(), example);
            }
            catch (FormatException)
            {
                // The next example may be of this row's type.
            }
        }
        throw new InvalidOperationException($"no example fits {row.Key}: add one");
    }

    [Fact]
    public void Same_options_may_go_on() => Assert.Empty(ResumeCheck.Differences(new RunOptions(), new RunOptions()));

    [Fact]
    public void Every_option_that_can_change_a_bit_forbids_and_is_named_and_no_other_does()
    {
        foreach (var row in OptionTable.Rows)
        {
            var differences = ResumeCheck.Differences(new RunOptions(), Changed(row));
            if (Free.Contains(row.Key) || row.Key == "epochs") Assert.Empty(differences);
            else Assert.StartsWith(row.Flag + " ", Assert.Single(differences));
        }
    }

    [Fact]
    public void Options_that_decide_the_result_are_all_held()
    {
        var held = OptionTable.Rows.Where(row => ResumeCheck.Differences(new RunOptions(), Changed(row)).Count > 0).Select(row => row.Key).ToHashSet();
        foreach (var key in (string[])["model", "stem", "data", "batch", "microbatches", "seed", "channels-last", "threads", "optimizer.momentum", "schedule.lr", "loss.label-smoothing", "augmentation.flip"])
            Assert.Contains(key, held);
    }

    [Fact]
    public void Difference_says_both_values()
    {
        var differences = ResumeCheck.Differences(new RunOptions { Batch = 512, Stem = null }, new RunOptions { Batch = 256, Stem = "cifar" });
        Assert.Equal(["--stem cifar: the run began with unset", "--batch 256: the run began with 512"], differences);
    }

    [Fact]
    public void Same_data_may_lie_in_another_folder() =>
        Assert.Empty(ResumeCheck.Differences(new RunOptions { Data = "cifar10:/old" }, new RunOptions { Data = "cifar10" }));

    [Fact]
    public void Epochs_may_change_unless_the_schedule_spans_them()
    {
        RunOptions With(double epochs, string kind, long? total) => new() { Epochs = epochs, Schedule = new ScheduleOptions { Kind = kind, TotalSteps = total } };
        Assert.Empty(ResumeCheck.Differences(With(1, "constant", null), With(2, "constant", null)));
        Assert.Empty(ResumeCheck.Differences(With(1, "one-cycle", 98), With(2, "one-cycle", 98)));
        Assert.Contains("--epochs 2: the run began with 1, which the one-cycle schedule spans", Assert.Single(ResumeCheck.Differences(With(1, "one-cycle", null), With(2, "one-cycle", null))));
    }

    [Fact]
    public void Evaluations_come_when_they_came_once_a_rate_or_the_end_hangs_on_them()
    {
        var plain = new RunOptions { EvalEvery = 50 };
        foreach (var options in (RunOptions[])[plain with { Schedule = new ScheduleOptions { Kind = "plateau" } }, plain with { EarlyStopping = new EarlyStoppingOptions { Patience = 3 } }])
            Assert.Equal(["--eval-every 25: the run began with 50"], ResumeCheck.Differences(options, options with { EvalEvery = 25 }));
        Assert.Empty(ResumeCheck.Differences(plain, plain with { EvalEvery = 25 }));
    }

    [Fact]
    public void What_was_opened_is_held_against_what_was_noted()
    {
        StoredRun Stored(Dictionary<string, string> facts) => new("config.yaml", new RunOptions(), new Dictionary<string, string>(), "", facts);
        var stored = Stored(new() { ["training-samples"] = "300", ["data-fingerprint"] = "d", ["layout-hash"] = "l", ["numeric-fingerprint"] = "n" });
        Assert.Empty(ResumeCheck.Differences(stored, new RunIdentity(300, "d", "l", "n")));
        Assert.Empty(ResumeCheck.Differences(stored, new RunIdentity(300, "d", "l")));
        Assert.Contains("301 samples, and the run began with 300", Assert.Single(ResumeCheck.Differences(stored, new RunIdentity(301, "d", "l", "n"))));
        Assert.Contains("other data", Assert.Single(ResumeCheck.Differences(stored, new RunIdentity(300, "e", "l", "n"))));
        Assert.Contains("other parameters", Assert.Single(ResumeCheck.Differences(stored, new RunIdentity(300, "d", "m", "n"))));
        Assert.Contains("other bits", Assert.Single(ResumeCheck.Differences(stored, new RunIdentity(300, "d", "l", "o"))));
        Assert.Empty(ResumeCheck.Differences(Stored([]), new RunIdentity(1, "x", "y", "z")));
    }
}
