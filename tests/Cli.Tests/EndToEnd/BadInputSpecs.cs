namespace Cluster.Cli.Tests.EndToEnd;

/// <summary>Through the real executable: one line per mistake, exit code 2, no stack trace, nothing written.</summary>
public sealed class BadInputSpecs : IDisposable
{
    private readonly World _world = new();

    public void Dispose() => _world.Dispose();

    [Theory]
    [InlineData("unknown option --momentm; did you mean --momentum?", "train", "--momentm", "0.9")]
    [InlineData("unknown option --frobnicate; 'cluster help train' lists them", "train", "--frobnicate")]
    [InlineData("foo is not expected here", "train", "foo")]
    [InlineData("unknown verb trian; did you mean train?", "trian")]
    [InlineData("unknown option --steps", "--steps", "4")]
    [InlineData("unknown recipe small-cn; did you mean small-cnn?", "train", "--recipe", "small-cn")]
    [InlineData("there is no recipe file nowhere/x.yaml", "train", "--recipe", "nowhere/x.yaml")]
    [InlineData("densenet-bc100-k12; did you mean resnet18?", "train", "--model", "resnet19")]
    [InlineData("--data cifr10: unknown data set cifr10; did you mean cifar10?", "train", "--data", "cifr10")]
    [InlineData("--data cifar10:nowhere: there is no folder nowhere", "train", "--data", "cifar10:nowhere")]
    [InlineData("--device tpu:0: unknown device tpu:0", "train", "--device", "tpu:0")]
    [InlineData("--device cuda:999: cuda:999 is not there", "train", "--device", "cuda:999")]
    [InlineData("--schedule cosinus: must be one of constant, step", "train", "--schedule", "cosinus")]
    [InlineData("--batch 510 is not divisible by --microbatches 8: use --batch 504", "train", "--batch", "510")]
    [InlineData("--workers 0: must be at least 1 and at most 1024", "train", "--workers", "0")]
    [InlineData("--workers 1025: must be at least 1 and at most 1024", "train", "--workers", "1025")]
    [InlineData("--workers two: must be a whole number", "train", "--workers", "two")]
    [InlineData("--ps 0: must be at least 1 and at most 256", "train", "--ps", "0")]
    [InlineData("--microbatches 4097: must be at least 1 and at most 4096", "train", "--microbatches", "4097")]
    [InlineData("--batch 99999999999: must be at least 1 and at most 1048576", "train", "--batch", "99999999999")]
    [InlineData("--lr -0.1: must be at least 0", "train", "--lr", "-0.1")]
    [InlineData("--lr nan: must be at least 0", "train", "--lr", "nan")]
    [InlineData("--weight-decay -1: must be at least 0", "train", "--weight_decay", "-1")]
    [InlineData("--momentum 1: must be at least 0 and below 1", "train", "--momentum", "1")]
    [InlineData("--momentum -0.5: must be at least 0 and below 1", "train", "--momentum=-0.5")]
    [InlineData("--momentum 0: Nesterov's look ahead needs momentum", "train", "--momentum", "0")]
    [InlineData("--dampening 0.1: Nesterov's momentum allows no dampening", "train", "--dampening", "0.1")]
    [InlineData("--steps 0: must be at least 1", "train", "--steps", "0")]
    [InlineData("--epochs 0: must be above 0", "train", "--epochs", "0")]
    [InlineData("--label-smoothing 1: must be at least 0 and below 1", "train", "--label-smoothing", "1")]
    [InlineData("'--lr'", "train", "--lr")]
    [InlineData("'--lr'", "train", "--lr", "0.1", "--lr", "0.2")]
    [InlineData("unknown study weight-decoy; did you mean weight-decay?", "study", "weight-decoy")]
    [InlineData("study needs to know of what", "study")]
    [InlineData("--minutes 0: give more than 0", "study", "weight-decay", "--minutes", "0")]
    [InlineData("--models resnet21: unknown model; did you mean resnet20?", "study", "weight-decay", "--models", "resnet21")]
    [InlineData("--variants l3: unknown penalty; did you mean l", "study", "weight-decay", "--variants", "none,l3")]
    [InlineData("data cannot gte; did you mean get?", "data", "gte")]
    [InlineData("data needs to know what to do", "data")]
    [InlineData("unknown data set cifar11; did you mean cifar10?", "data", "get", "cifar11")]
    [InlineData("which data set?", "data", "check")]
    [InlineData("names no folder after the colon", "data", "check", "cifar10:")]
    public void A_mistake_is_one_line_and_exit_code_2(string expected, params string[] arguments)
    {
        var outcome = Processes.Run(Processes.Cluster, _world.Folder, arguments);
        Assert.Equal(2, outcome.ExitCode);
        Assert.StartsWith("cluster: ", Assert.Single(outcome.ErrorLines));
        Assert.Contains(expected, outcome.Error);
        Assert.Empty(outcome.Output);
        Assert.Empty(Directory.EnumerateFileSystemEntries(_world.Folder));
    }

    [Fact]
    public void Several_mistakes_are_all_told_at_once()
    {
        var outcome = Processes.Run(Processes.Cluster, _world.Folder, "train", "--workers", "0", "--model", "alexnot", "--oops");
        Assert.Equal(2, outcome.ExitCode);
        Assert.Equal(3, outcome.ErrorLines.Length);
    }

    [Fact]
    public void A_folder_that_already_holds_a_run_is_refused_and_kept()
    {
        Directory.CreateDirectory(_world.PathOf("old"));
        _world.Write("old/commits.jsonl", "precious");
        var outcome = Processes.Run(Processes.Cluster, _world.Folder, "train", "--out", "old");
        Assert.Equal(2, outcome.ExitCode);
        Assert.Contains("--out old: the folder already holds a run (commits.jsonl)", Assert.Single(outcome.ErrorLines));
        Assert.Equal("precious", File.ReadAllText(_world.PathOf("old/commits.jsonl")));
        Assert.Single(Directory.EnumerateFileSystemEntries(_world.PathOf("old")));
    }

    [Fact]
    public void A_folder_that_cannot_be_written_is_named()
    {
        var outcome = Processes.Run(Processes.Cluster, _world.Folder, "train", "--out", "/proc/run");
        Assert.Equal(2, outcome.ExitCode);
        Assert.Contains("--out /proc/run: cannot write to /proc", Assert.Single(outcome.ErrorLines));
    }

    [Fact]
    public void A_mistake_in_a_recipe_names_file_and_line()
    {
        _world.Write("mine.yaml", "model: small-cnn\noptimizer:\n  momentun: 0.9\n");
        var outcome = Processes.Run(Processes.Cluster, _world.Folder, "train", "--recipe", "mine.yaml");
        Assert.Equal(2, outcome.ExitCode);
        Assert.Equal("cluster: mine.yaml line 3: unknown key optimizer.momentun; did you mean optimizer.momentum?", Assert.Single(outcome.ErrorLines));
    }

    [Fact]
    public void Missing_and_short_batch_files_are_named_one_line_each()
    {
        Directory.CreateDirectory(_world.PathOf("set"));
        _world.Write("set/data_batch_2.bin", "too short");
        var outcome = Processes.Run(Processes.Cluster, _world.Folder, "data", "check", "cifar10:set");
        Assert.Equal(2, outcome.ExitCode);
        Assert.Equal(6, outcome.ErrorLines.Length);
        Assert.Contains("data_batch_1.bin", outcome.ErrorLines[0]);
        Assert.Contains("30730000", outcome.ErrorLines[1].Replace(",", "", StringComparison.Ordinal));
    }

    /// <summary>A one-megabyte file system in a mount namespace of its own.</summary>
    [Fact]
    public void A_disk_that_is_too_full_is_found_before_anything_is_written()
    {
        Directory.CreateDirectory(_world.PathOf("small"));
        string[] mounted = ["-rm", "sh", "-c", "mount -t tmpfs -o size=1m none small && shift 0 && exec \"$0\" train --out small/run", Processes.Cluster];
        var probe = Processes.Run("unshare", _world.Folder, "-rm", "sh", "-c", "mount -t tmpfs -o size=1m none small");
        Assert.SkipUnless(probe.ExitCode == 0, $"no private mount is allowed here: {probe.Error.Trim()}");
        var outcome = Processes.Run("unshare", _world.Folder, mounted);
        Assert.Equal(2, outcome.ExitCode);
        Assert.Contains("has 1 MiB free and the run needs", Assert.Single(outcome.ErrorLines));
    }
}
