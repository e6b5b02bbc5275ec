using System.Text.Json;
using Cluster.Cli.Configuration;

namespace Cluster.Cli.Tests.EndToEnd;

/// <summary>A run in several processes, undisturbed and with processes that die and stop inside a step: always the bits of <c>train</c>.</summary>
[Collection(SeveralProcesses.Name)]
[Trait("Clock", "wall")]
public sealed class LaunchSpecs : IDisposable
{
    private static readonly TimeSpan Promise = TimeSpan.FromSeconds(2);

    private readonly World _world = new();

    public void Dispose() => _world.Dispose();

    [Fact]
    public void Launched_run_has_the_hash_of_train_and_says_it_last()
    {
        var outcome = Launch("--workers", "3", "--ps", "2");
        Assert.Equal(Training.Expected(Training.ShortSteps), Training.HashOf(outcome));
        Assert.Empty(outcome.ErrorLines);
        var folder = _world.PathOf("run");
        Assert.Equal(Training.ShortSteps, Training.CommittedSteps(folder));
        using var summary = JsonDocument.Parse(File.ReadAllText(Path.Combine(folder, "summary.json")));
        Assert.Equal(Training.Expected(Training.ShortSteps), summary.RootElement.GetProperty("state_sha256").GetString());
        foreach (var node in (string[])["coordinator", "ps-0", "ps-1", "worker-0", "worker-1", "worker-2"]) Assert.NotNull(RunEvents.ProcessOf(folder, node));
    }

    [Fact]
    public void Worker_killed_in_a_step_and_another_stopped_in_one_change_no_bit_and_are_named_within_2_seconds()
    {
        var outcome = Launch("--workers", "3", "--ps", "2", "--fault", "kill:worker-1@4", "--fault", "stop:worker-2@7+2");
        Assert.Equal(Training.Expected(Training.ShortSteps), Training.HashOf(outcome));
        var folder = _world.PathOf("run");
        Named("kill:worker-1@4", "worker-1 was killed in step 4", "worker-1 is lost while step [45] was [a-z]+: its process is gone");
        Named("stop:worker-2@7+2", "worker-2 was stopped in step 7", "worker-2 is lost while step ([789]|1.) was [a-z]+: nothing was heard of it for 500 ms");
        RunEvents.Single(folder, "process-ended", "worker-1 (process");
        Audit(folder);

        // By the time that the loss is noticed, the others may be a step further.
        void Named(string fault, string struck, string lost)
        {
            var evidence = RunEvents.Single(folder, "fault", $"fault {fault}: {struck}");
            var found = RunEvents.First(folder, "worker-lost", $"{evidence.Node} is lost");
            Assert.Matches(lost, found.Sentence);
            Assert.Equal((evidence.Node, "step"), (found.Node, found.Phase));
            Assert.InRange(found.Time - evidence.Time, -Promise, Promise);
        }
    }

    [Fact]
    public void Workers_of_several_devices_of_which_one_is_killed_in_a_step_change_no_bit()
    {
        var outcome = Launch("--workers", "2", "--devices-per-worker", "2", "--ps", "2", "--fault", "kill:worker-1@4");
        Assert.Equal(Training.Expected(Training.ShortSteps), Training.HashOf(outcome));
        RunEvents.Single(_world.PathOf("run"), "process-ended", "worker-1 (process");
        Audit(_world.PathOf("run"));
    }

    [Fact]
    public void Run_that_fails_ends_at_once_with_1_and_the_coordinators_last_line()
    {
        var outcome = Launch("--workers", "2", "--lr", "1e30");
        Assert.Equal(1, outcome.ExitCode);
        Assert.Matches("^cluster: worker-[01] found a non-finite value in leaf . of step 2.*Lower the learning rate", outcome.ErrorLines[^1]);
        Assert.DoesNotContain("started again", outcome.Error);
        RunEvents.Single(_world.PathOf("run"), "failed", "found a non-finite value");
    }

    [Fact]
    public void Shard_with_a_standby_and_the_coordinator_are_killed_and_nothing_is_lost()
    {
        var outcome = Launch("--workers", "2", "--ps", "2", "--replicas", "1", "--fault", "kill:ps-0@4", "--fault", "kill:coordinator@8");
        Assert.Equal(Training.Expected(Training.ShortSteps), Training.HashOf(outcome));
        var folder = _world.PathOf("run");
        Assert.StartsWith("ps-0", RunEvents.Single(folder, "shard-lost", "its process is gone").Node);
        Assert.Equal(("coordinator", "term"), (RunEvents.Single(folder, "took-over", "Took over at step 7").Node, RunEvents.Single(folder, "took-over", "comes next").Phase));
        Assert.DoesNotContain(RunEvents.Of(folder), static e => e.Kind is "restored" or "resumed");
        Assert.Contains(RunEvents.Of(folder), static e => e.Kind == "term" && e.Sentence.Contains("ps-0", StringComparison.Ordinal));
        Audit(folder);
    }

    [Fact]
    public void Shard_without_a_standby_is_killed_and_all_go_back_to_a_checkpoint_and_replay()
    {
        var outcome = Launch("--workers", "2", "--ps", "2", "--replicas", "0", "--checkpoint-every", "3", "--fault", "kill:ps-1@9");
        Assert.Equal(Training.Expected(Training.ShortSteps), Training.HashOf(outcome));
        var folder = _world.PathOf("run");
        Assert.Matches("ends at step 8: all load the checkpoint of step [36].", RunEvents.First(folder, "restored", "all load").Sentence);
        Assert.Matches("Steps [47] to 8 are in the log .* are replayed", RunEvents.First(folder, "replay", "are replayed").Sentence);
        Assert.Equal(Training.ShortSteps, Training.CommittedSteps(folder));
        Audit(folder);
    }

    private Outcome Launch(params string[] more) => Processes.Run(Processes.Cluster, _world.Folder, Training.Launch("run", Training.ShortSteps, more));

    private void Audit(string folder)
    {
        Assert.All(RunEvents.Of(folder), static e => Assert.Equal(EventKinds.PhaseOf(e.Kind) ?? "no phase of " + e.Kind, e.Phase));
        var audit = Processes.Run(Processes.Cluster, _world.Folder, "audit", folder);
        Assert.True(audit.ExitCode == 0, audit.Output + audit.Error);
    }
}
