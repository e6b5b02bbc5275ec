using System.Diagnostics;
using Cluster.Cli.Launch;

namespace Cluster.Cli.Tests.Launch;

/// <summary>What is said of a SIGKILL that nobody here sent.</summary>
public sealed class MemoryEvidenceSpecs
{
    [Theory]
    [InlineData("low 0\nhigh 0\nmax 12\noom 3\noom_kill 2\noom_group_kill 7\n", 2L)]
    [InlineData("oom_kill_disable 0\nunder_oom 0\noom_kill 5\n", 5L)]
    [InlineData("oom_kill_disable 0\nunder_oom 0\n", null)]
    [InlineData("", null)]
    public void Counter_is_the_number_of_its_own_line(string text, long? count) => Assert.Equal(count, MemoryEvidence.CounterIn(text));

    [Fact]
    public void Counters_of_both_versions_of_control_groups_are_found()
    {
        Assert.Equal(["/sys/fs/cgroup/user.slice/a.scope/memory.events", "/sys/fs/cgroup/memory.events"], MemoryEvidence.FilesOf("0::/user.slice/a.scope\n"));
        Assert.Equal(["/sys/fs/cgroup/memory/docker/x/memory.oom_control", "/sys/fs/cgroup/memory/memory.oom_control"], MemoryEvidence.FilesOf("5:cpu,cpuacct:/docker/x\n4:memory:/docker/x\n"));
    }

    [Theory]
    [InlineData(2L, 3L, 210_400_000L, "from the kernel's out-of-memory killer (its counter rose from 2 to 3; it had 210 MB in memory at most)")]
    [InlineData(2L, 2L, 0L, "from outside (the kernel's out-of-memory counter did not rise)")]
    [InlineData(null, null, 5_000_000L, "from outside, or from the kernel's out-of-memory killer, whose counter cannot be read here (it had 5 MB in memory at most)")]
    public void Words_say_no_more_than_the_counter_shows(long? before, long? now, long peak, string words) => Assert.Equal(words, MemoryEvidence.Words(before, now, peak));

    [Fact]
    public void Peak_resident_size_of_a_living_process_is_read() =>
        Assert.InRange(MemoryEvidence.PeakResidentBytesOf(Environment.ProcessId), 1_000_000, Process.GetCurrentProcess().PeakWorkingSet64 + 1_000_000_000);

    [Fact]
    public async Task Supervisor_that_did_not_send_the_signal_says_so_and_one_that_did_does_not()
    {
        var observer = new RecordingObserver();
        var supervisor = new Supervisor([LaunchChild.Spec("worker-0", "serve")], new RestartPolicy(), observer);
        var run = supervisor.RunAsync();
        await observer.NextAsync("worker-0: ready");
        Assert.True(await supervisor.KillUnknownAsync("worker-0"));
        Assert.Contains(" was killed by SIGKILL from ", await observer.NextAsync("said worker-0"));
        await observer.NextAsync("worker-0: ready");
        Assert.True(await supervisor.KillAsync("worker-0"));
        Assert.Matches("was killed by SIGKILL after", await observer.NextAsync("said worker-0"));
        supervisor.RequestStop();
        await observer.EndOf(run);
    }

    [Fact]
    public async Task Replaced_process_sleeps_on_beside_its_successor_and_its_end_ends_nothing()
    {
        var observer = new RecordingObserver();
        var supervisor = new Supervisor([LaunchChild.Spec("coordinator", "coordinate") with { EndsRun = true }], new RestartPolicy(), observer);
        var run = supervisor.RunAsync();
        await observer.NextAsync("coordinator: ready");
        var between = false;
        var old = Assert.NotNull(await supervisor.ReplaceAsync("coordinator", () => between = true));
        await observer.NextAsync("coordinator: ready");
        Assert.True(between);
        var successor = Assert.NotNull(supervisor.ProcessOf("coordinator"));
        Assert.NotEqual(old, successor);
        Assert.Equal('T', OtherProcess.StateOf(old));
        Assert.True(supervisor.Wake(old));
        Signals.Send(old, ChildSignal.Terminate);
        await observer.NextAsync($"exited coordinator {old} 130 gone");
        Assert.Equal($"said coordinator (process {old}), in whose place another was started, was interrupted", await observer.NextAsync("said coordinator"));
        Assert.Equal(successor, supervisor.ProcessOf("coordinator"));
        Assert.False(supervisor.Wake(old));
        supervisor.RequestStop();
        await observer.EndOf(run);
    }
}
