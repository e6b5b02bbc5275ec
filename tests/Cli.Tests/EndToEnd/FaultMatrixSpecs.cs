namespace Cluster.Cli.Tests.EndToEnd;

/// <summary>
/// Every class of fault in real processes: the right node, phase and cause stand in events.jsonl within 2 s of the evidence,
/// and the state has the bits of the undisturbed run. Several classes share one run; what lasts keeps the run going for what needs time.
/// </summary>
[Collection(SeveralProcesses.Name)]
[Trait("Clock", "wall")]
public sealed class FaultMatrixSpecs : IDisposable
{
    private const int Steps = 60;

    private static readonly TimeSpan Promise = TimeSpan.FromSeconds(2);

    private readonly World _world = new();

    private string Folder => _world.PathOf("run");

    public void Dispose() => _world.Dispose();

    [Fact]
    public void Nan_hang_backlog_full_disk_and_a_paused_coordinator_are_named_and_change_no_bit()
    {
        Launch("nan:worker-1@3", "hang:worker-2@5", "backlog:ps-1@7+8,ms=1500", "disk-full:coordinator@14+5", "stop:coordinator@20+2");
        Named(Fault("nan:worker-1@3", "finds a NaN"), "non-finite", "worker-1", "step", "worker-1 found a non-finite value in leaf [0-7] of step [0-9]+, first in '[a-z0-9.]+'");
        // Its budget is 2 s.
        Named(Fault("hang:worker-2@5", "hangs in leaf"), "worker-hung", "worker-2", "step", "has reported no leaf .* although it is alive", budget: TimeSpan.FromSeconds(2));
        Named(Fault("backlog:ps-1@7", "is late"), "shard-late", "ps-1", "step", "ps-1 has not summed the gradients of step [0-9]+ although all leaves are computed");
        Named(Fault("disk-full:coordinator@14", "finds its disk full"), "commit-waits", "coordinator", "step", "No space left on device");
        Named(Fault("stop:coordinator@20", "coordinator goes on"), "coordinator-paused", "coordinator", "run", "stood still for [12]");
        // What does not come back by itself is brought back.
        RunEvents.First(Folder, "process", "worker-2 is killed and started again: it has reported no leaf for");
    }

    [Fact]
    public void Stop_memory_kill_missing_data_version_skew_and_slowness_are_named_and_a_zombie_changes_no_bit()
    {
        Launch(
            "stop:worker-1@3+2", "oom:worker-2@5", "no-data:worker-0@8", "skew:worker-1@8", "disk-full:coordinator@9+6",
            "slow:worker-2@14+8", "zombie:coordinator@40+3", "disk-full:coordinator@42+3");
        Named(Fault("stop:worker-1@3", "was stopped"), "worker-lost", "worker-1", "step", "worker-1 is lost while step [0-9]+ was [a-z]+: nothing was heard of it for 500 ms");
        Named(Fault("oom:worker-2@5", "was killed"), "process-ended", "worker-2", "process", "was killed by SIGKILL from (outside|the kernel's out-of-memory killer)");
        Named(Fault("no-data:worker-0@8", "finds its data set"), "node-unfit", "worker-0", "membership", "data_batch_1.bin is missing");
        Named(RunEvents.First(Folder, "process-ended", "worker-1 (process", "code 2"), "node-refused", "worker-1", "membership", "the run has version .* and the node .*: install .* on the node");
        // Where a leaf takes long, ten of them are beyond the budget of a hang.
        var slow = Fault("slow:worker-2@14", "is slow");
        var isHang = First(slow, "worker-hung", "worker-2") is { } hung && !(First(slow, "worker-late", "worker-2") is { } late && late.Time <= hung.Time);
        if (isHang) Named(slow, "worker-hung", "worker-2", "step", "has reported no leaf", budget: TimeSpan.FromSeconds(2));
        // The evidence is two late leaves in a row, and a second one comes after a while.
        else Named(slow, "worker-late", "worker-2", "step", "worker-2 is slow: its last [0-9]+ leaves", budget: TimeSpan.FromSeconds(1));
        Named(Fault("zombie:coordinator@40", "wakes up"), "coordinator-paused", "coordinator", "run", "stood still for [23]");
        Assert.Equal("coordinator", RunEvents.First(Folder, "stepped-down", "this one had term").Node);
        Assert.DoesNotContain(RunEvents.Of(Folder), static e => e.Kind is "failed" or "restored");
    }

    private void Launch(params string[] faults)
    {
        var outcome = Processes.Run(Processes.Cluster, _world.Folder, Training.Launch("run", Steps, ["--workers", "3", "--ps", "2", .. faults.SelectMany(static f => (string[])["--fault", f])]));
        Assert.Equal(Training.Expected(Steps), Training.HashOf(outcome));
        var audit = Processes.Run(Processes.Cluster, _world.Folder, "audit", Folder);
        Assert.True(audit.ExitCode == 0, audit.Output + audit.Error);
    }

    private RunEvent Fault(string fault, string words) =>
        RunEvents.Of(Folder).FirstOrDefault(e => e.Kind == "fault" && e.Sentence.StartsWith("fault " + fault, StringComparison.Ordinal) && e.Sentence.Contains(words, StringComparison.Ordinal))
            ?? throw new InvalidOperationException($"fault {fault} did not say '{words}':\n{string.Join('\n', RunEvents.Of(Folder))}");

    /// <summary>Somebody was named for it: the first event of this kind about this node from the evidence on.</summary>
    private void Named(RunEvent evidence, string kind, string node, string phase, string sentence, TimeSpan budget = default)
    {
        var found = First(evidence, kind, node)
            ?? throw new InvalidOperationException($"no {kind} of {node} after '{evidence.Sentence}':\n{string.Join('\n', RunEvents.Of(Folder))}");
        Assert.Matches(sentence, found.Sentence);
        Assert.Equal(phase, found.Phase);
        Assert.True(found.Time - evidence.Time <= Promise + budget, $"{kind} of {node} came {(found.Time - evidence.Time).TotalSeconds:0.00} s after '{evidence.Sentence}'");
    }

    private RunEvent? First(RunEvent evidence, string kind, string node) =>
        RunEvents.Of(Folder).FirstOrDefault(e => e.Kind == kind && e.Node == node && e.Time >= evidence.Time - Promise);
}
