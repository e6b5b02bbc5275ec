namespace Cluster.Cli.Tests.EndToEnd;

/// <summary>A network that cuts, swallows, delays, narrows, damages, doubles and swaps what real processes send each other: always the bits of <c>train</c>, and the node and the cause are named.</summary>
[Collection(SeveralProcesses.Name)]
[Trait("Clock", "wall")]
public sealed class NetworkFaultSpecs : IDisposable
{
    private static readonly TimeSpan Promise = TimeSpan.FromSeconds(2);

    private readonly World _world = new();

    private string Folder => _world.PathOf("run");

    public void Dispose() => _world.Dispose();

    [Fact]
    public void Every_network_fault_on_workers_changes_no_bit_and_is_named_within_2_seconds()
    {
        // At last nobody is left who hears and is heard: the run waits for the network, longer than the 500 ms lease.
        Run("--workers", "3", "--ps", "2", Faults(
            "corrupt:worker-1@2", "duplicate:worker-1@3", "reorder:worker-1@4", "delay:worker-2@5+0.3", "throttle:worker-2@6+0.3,mbs=8", "cut:worker-1@7",
            "black-hole:worker-1@9+1", "black-hole-in:worker-2@9+1", "black-hole-out:worker-0@9+1"));
        Damaged("corrupt:worker-1@2", "worker-1", "flipped a bit of byte", "CRC32C");
        Damaged("duplicate:worker-1@3", "worker-1", "twice at byte", "damaged bytes");
        Damaged("reorder:worker-1@4", "worker-1", "swapped two segments", "damaged bytes");
        Lost("cut:worker-1@7", "worker-1 lost its connections in step 7", "worker-lost", "its process is gone or its network was cut");
        Lost("black-hole:worker-1@9+1", "worker-1 was cut off in step 9 for 1 s", "worker-lost", "nothing was heard of it for 500 ms");
        Lost("black-hole-in:worker-2@9+1", "worker-2 hears nothing in step 9 for 1 s", "worker-lost", "it heard nothing of the coordinator for 500 ms");
        Lost("black-hole-out:worker-0@9+1", "worker-0 is not heard in step 9 for 1 s", "worker-lost", "nothing was heard of it for 500 ms");
        RunEvents.Single(Folder, "fault", "fault delay:worker-2@5+0.3: worker-2 has a slow network in step 5");
        RunEvents.Single(Folder, "fault", "fault throttle:worker-2@6+0.3,mbs=8: worker-2 has a narrow network in step 6");
        // Nobody died: every process of the start carried the run to its end.
        Assert.Equal(6, RunEvents.Of(Folder).Count(static e => e.Kind == "process-started"));
    }

    [Fact]
    public void Every_network_fault_on_parameter_servers_changes_no_bit_and_is_named_within_2_seconds()
    {
        Run("--workers", "2", "--ps", "2", Faults(
            "corrupt:ps-0@2", "duplicate:ps-0@3", "reorder:ps-0@4", "delay:ps-1@5+0.3", "throttle:ps-1@6+0.3,mbs=8", "cut:ps-1@7", "black-hole:ps-0@9+1"));
        Damaged("corrupt:ps-0@2", "ps-0", "flipped a bit of byte", "CRC32C");
        Damaged("duplicate:ps-0@3", "ps-0", "twice at byte", "damaged bytes");
        Damaged("reorder:ps-0@4", "ps-0", "swapped two segments", "damaged bytes");
        Lost("cut:ps-1@7", "ps-1 lost its connections in step 7", "shard-lost", "its process is gone or its network was cut");
        Lost("black-hole:ps-0@9+1", "ps-0 was cut off in step 9 for 1 s", "shard-lost", "nothing was heard of it for 500 ms");
        Assert.Equal(5, RunEvents.Of(Folder).Count(static e => e.Kind == "process-started"));
    }

    private static string[] Faults(params string[] faults) => [.. faults.SelectMany(static fault => new[] { "--fault", fault })];

    private void Run(string workers, string count, string ps, string shards, string[] faults)
    {
        var outcome = Processes.Run(Processes.Cluster, _world.Folder, Training.Launch("run", Training.ShortSteps, [workers, count, ps, shards, .. faults]));
        Assert.True(outcome.ExitCode == 0, outcome.Error + string.Join('\n', RunEvents.Of(Folder)));
        Assert.Equal(Training.Expected(Training.ShortSteps), Training.HashOf(outcome));
        Assert.Equal(Training.ShortSteps, Training.CommittedSteps(Folder));
        Assert.DoesNotContain(RunEvents.Of(Folder), static e => e.Kind == "fault" && e.Sentence.Contains("missed", StringComparison.Ordinal));
        var audit = Processes.Run(Processes.Cluster, _world.Folder, "audit", Folder);
        Assert.True(audit.ExitCode == 0, audit.Output + audit.Error);
    }

    /// <summary>The damage was done, and whoever got it found it by its checksum and says from whom it came.</summary>
    private void Damaged(string fault, string node, string done, string found)
    {
        RunEvents.Single(Folder, "fault", $"fault {fault}: {node}");
        var evidence = RunEvents.First(Folder, "fault", done);
        Assert.Equal(node, evidence.Node);
        Assert.True(
            RunEvents.Of(Folder).Any(e =>
                e.Kind is "link-lost" or "worker-lost" or "shard-lost" && e.Sentence.Contains(node, StringComparison.Ordinal) && e.Sentence.Contains(found, StringComparison.Ordinal) && IsPrompt(evidence, e)),
            $"nobody found '{evidence.Sentence}' of {evidence.Time:ss.fff}:\n{string.Join('\n', RunEvents.Of(Folder))}");
    }

    private void Lost(string fault, string struck, string kind, string cause)
    {
        var evidence = RunEvents.Single(Folder, "fault", $"fault {fault}: {struck}");
        Assert.True(
            RunEvents.Of(Folder).Any(e => e.Kind == kind && e.Node == evidence.Node && e.Sentence.StartsWith($"{evidence.Node} is lost", StringComparison.Ordinal) && e.Sentence.Contains(cause, StringComparison.Ordinal) && IsPrompt(evidence, e)),
            $"{evidence.Node} is not named for '{fault}' of {evidence.Time:ss.fff}:\n{string.Join('\n', RunEvents.Of(Folder))}");
    }

    private static bool IsPrompt(RunEvent evidence, RunEvent found) => (found.Time - evidence.Time).Duration() <= Promise;
}
