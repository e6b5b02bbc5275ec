using System.Diagnostics;
using Cluster.Cli.Tests.Launch;

namespace Cluster.Cli.Tests.EndToEnd;

/// <summary>Signals to the processes of a launched run: to the supervisor, and past it to a worker.</summary>
[Collection(SeveralProcesses.Name)]
[Trait("Clock", "wall")]
public sealed class LaunchSignalSpecs : IDisposable
{
    private static readonly TimeSpan Promise = TimeSpan.FromSeconds(2);

    private static readonly string[] Nodes = ["coordinator", "ps-0", "worker-0", "worker-1"];

    private readonly World _world = new();
    private readonly List<OtherProcess> _children = [];

    public void Dispose()
    {
        foreach (var child in _children)
        {
            child.Kill();
            child.Dispose();
        }
        _world.Dispose();
    }

    [Fact]
    public async Task Terminated_run_ends_with_130_after_a_checkpoint_and_goes_on_in_several_processes_or_in_one()
    {
        var folder = NewFolder();
        using var cluster = Start("--workers", "2", "--checkpoint-every", "1000");
        await cluster.CommittedAsync(folder, 5);
        await WatchChildrenAsync(cluster, folder);
        cluster.Signal(RunningCluster.Terminate);
        var outcome = await cluster.EndAsync();
        Assert.Equal(130, outcome.ExitCode);
        var committed = Training.CommittedSteps(folder);
        Assert.InRange(committed, 5, Training.Steps - 1);
        Assert.Equal($"cluster: interrupted after step {committed}; 'train --resume' goes on from there", outcome.ErrorLines[^1]);
        Assert.Equal($"step-{committed:000000}", Assert.Single(Training.Checkpoints(folder)));
        AllAreGone(TimeSpan.FromMilliseconds(1));

        var copy = _world.PathOf("copy");
        CopyFolder(folder, copy);
        Assert.Equal(Training.Expected(Training.Steps), Training.HashOf(Processes.Run(Processes.Cluster, _world.Folder, "launch", "--resume", "--workers", "1", "--out", folder)));
        Assert.Equal(Training.Expected(Training.Steps), Training.HashOf(Processes.Run(Processes.Cluster, _world.Folder, "train", "--resume", "--workers", "1", "--out", copy)));
        Assert.Equal(0, Processes.Run(Processes.Cluster, _world.Folder, "audit", folder).ExitCode);
    }

    [Fact]
    public async Task Killed_supervisor_has_no_children_2_seconds_later_and_the_run_goes_on_to_the_same_bits()
    {
        var folder = NewFolder();
        using (var cluster = Start("--workers", "2", "--checkpoint-every", "4"))
        {
            await cluster.AppearsAsync(Directory.CreateDirectory(Path.Combine(folder, "checkpoints")).FullName, "step-000004");
            await cluster.CommittedAsync(folder, 6);
            await WatchChildrenAsync(cluster, folder);
            cluster.Signal(RunningCluster.Kill);
            AllAreGone(Promise);
            Assert.Equal(128 + RunningCluster.Kill, (await cluster.EndAsync()).ExitCode);
        }
        var resumed = Processes.Run(Processes.Cluster, _world.Folder, "launch", "--resume", "--out", folder);
        Assert.Equal(Training.Expected(Training.Steps), Training.HashOf(resumed));
        RunEvents.Single(folder, "took-over", "Took over at step");
        RunEvents.Single(folder, "restored", "all load the checkpoint of step");
        Assert.Equal(0, Processes.Run(Processes.Cluster, _world.Folder, "audit", folder).ExitCode);
    }

    [Fact]
    public async Task Terminated_worker_leaves_as_planned_and_is_started_again()
    {
        var folder = NewFolder();
        using var cluster = Start("--workers", "2");
        await cluster.CommittedAsync(folder, 3);
        await WatchChildrenAsync(cluster, folder);
        _children[^1].Send(RunningCluster.Terminate);
        await cluster.ToldAsync(folder, "worker-left", "worker-1");
        var outcome = await cluster.EndAsync();
        Assert.Equal(Training.Expected(Training.Steps), Training.HashOf(outcome));
        RunEvents.Single(folder, "worker-left", "worker-1 left: it was asked to stop");
        RunEvents.Single(folder, "membership", "worker-1 has left as planned");
        RunEvents.Single(folder, "process-ended", "was interrupted");
        Assert.DoesNotContain(RunEvents.Of(folder), static e => e is { Kind: "worker-lost", Node: "worker-1" } && e.Sentence.Contains("its process is gone", StringComparison.Ordinal));
        Assert.Contains("worker-1 was interrupted after", outcome.Error);
        Assert.Equal(0, Processes.Run(Processes.Cluster, _world.Folder, "audit", folder).ExitCode);
    }

    private string NewFolder() => Directory.CreateDirectory(_world.PathOf("run")).FullName;

    private RunningCluster Start(params string[] more) => RunningCluster.Start(_world.Folder, Training.Launch("run", Training.Steps, more));

    /// <summary>Finds the run's processes by what the supervisor told; the last is worker-1.</summary>
    private async Task WatchChildrenAsync(RunningCluster cluster, string folder)
    {
        await cluster.ToldAsync(folder, "all processes", _ => Nodes.All(node => RunEvents.ProcessOf(folder, node) is not null));
        foreach (var node in Nodes) _children.Add(new OtherProcess(RunEvents.ProcessOf(folder, node)!.Value));
    }

    private void AllAreGone(TimeSpan within)
    {
        var clock = Stopwatch.StartNew();
        foreach (var (child, node) in _children.Zip(Nodes))
            Assert.True(child.DiesWithin(within > clock.Elapsed ? within - clock.Elapsed : TimeSpan.FromMilliseconds(1)), $"{node} (process {child.Id}) lives {clock.Elapsed} later");
    }

    private static void CopyFolder(string from, string to)
    {
        foreach (var file in Directory.EnumerateFiles(from, "*", SearchOption.AllDirectories))
        {
            var copy = Path.Combine(to, Path.GetRelativePath(from, file));
            Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
            File.Copy(file, copy);
        }
    }
}
