using System.Globalization;
using Cluster.Cli.Bench.Hosts;
using Cluster.Cli.Tests.EndToEnd;

namespace Cluster.Cli.Tests.Hosts;

/// <summary><c>launch --hostfile</c> and torchrun's words over hosts that are network namespaces; the remote shell is a script that enters one.</summary>
[Collection(SeveralProcesses.Name)]
[Trait("Clock", "wall")]
public sealed class HostfileRunSpecs : IDisposable
{
    private readonly World _world = new();
    private readonly List<RunningCluster> _running = [];

    public void Dispose()
    {
        foreach (var process in _running) process.Dispose();
        _world.Dispose();
    }

    [Fact]
    public async Task Run_over_a_hostfile_has_the_undisturbed_bits_though_a_remote_process_is_killed()
    {
        using var network = SeveralHosts.Make(3);
        var launch = Launch(network, "run", Training.Steps, "--ps", "2", "--fault", "kill:worker-1@10", "--fault", "kill:ps-1@20");
        await launch.CommittedAsync(Prepared("run"), 3);
        // Other processes of this machine have no secret to read, here or there.
        Assert.DoesNotContain(CommandLines(), static line => line.Contains("sesame-of-these-specs", StringComparison.Ordinal));
        var outcome = await launch.EndAsync();
        Assert.Equal(Training.Expected(Training.Steps), Training.HashOf(outcome));
        Assert.Contains($"{network.AddressOf(1)}: ps-0, worker-0, worker-1; {network.AddressOf(2)}: ps-1, worker-2", outcome.Error);
        var events = RunEvents.Of(_world.PathOf("run"));
        Assert.Contains(events, static e => e.Kind == "process" && e.Node == "worker-1" && e.Sentence.Contains("it is started again"));
        Assert.Contains(events, static e => e.Kind == "shard-lost");
        Assert.DoesNotContain(events, static e => e.Kind == "standby-same-host");
    }

    [Fact]
    public async Task Remote_processes_end_within_two_seconds_of_their_supervisor_and_the_run_can_be_resumed()
    {
        using var network = SeveralHosts.Make(3);
        var launch = Launch(network, "run", Training.Steps, "--ps", "2");
        await launch.CommittedAsync(Prepared("run"), 3);
        Assert.NotEmpty(Nodes(network));
        launch.Signal(RunningCluster.Kill);
        await launch.EndAsync();
        var deadline = DateTime.UtcNow.AddSeconds(2);
        while (Nodes(network).Count > 0 && DateTime.UtcNow < deadline) await Task.Delay(20, TestContext.Current.CancellationToken);
        Assert.Empty(Nodes(network));
        var resumed = await Start(network, 0, ["launch", "--resume", "--out", "run", .. Remote(network)]).EndAsync();
        Assert.Equal(Training.Expected(Training.Steps), Training.HashOf(resumed));
    }

    [Fact]
    public async Task Host_that_cannot_be_reached_and_a_missing_program_get_one_line_each()
    {
        using var network = SeveralHosts.Make(1);
        _world.Write("hosts", "10.77.0.9\n10.77.0.8 slots=2");
        _world.Write("ssh", "#!/bin/sh\nif [ \"$1\" = 10.77.0.8 ]; then echo 'sh: /opt/none: not found' >&2; exit 127; fi\necho 'connect to host 10.77.0.9 port 22: No route to host' >&2\nexit 255\n");
        Executable("ssh");
        var outcome = await Start(network, 0, [.. Training.Launch("run", 5), "--hostfile", "hosts", "--ssh", _world.PathOf("ssh"), "--insecure"]).EndAsync();
        Assert.Equal(2, outcome.ExitCode);
        Assert.Equal(2, outcome.ErrorLines.Length);
        Assert.Contains("host 10.77.0.9 cannot be reached over ssh (connect to host 10.77.0.9 port 22: No route to host): check its name", outcome.ErrorLines[0]);
        Assert.Contains("host 10.77.0.8 has no program at", outcome.ErrorLines[1]);
        Assert.False(Directory.Exists(_world.PathOf("run")));
    }

    [Fact]
    public async Task Two_machines_in_torchruns_words_make_one_run_with_the_same_bits()
    {
        using var network = SeveralHosts.Make(2);
        string[] words = ["--nnodes=2", "--nproc_per_node=1", $"--rdzv_endpoint={network.AddressOf(0)}:29400", "--rdzv_backend=c10d", "--rdzv_id=7", "--insecure"];
        var run = Training.Launch("run", Training.ShortSteps, [.. words, "--node_rank=0"]);
        var second = Start(network, 1, ["launch", .. words, "--node_rank=1"]);
        var outcome = await Start(network, 0, run).EndAsync();
        Assert.Equal(Training.Expected(Training.ShortSteps), Training.HashOf(outcome));
        Assert.Contains("the coordinator itself is the meeting place", outcome.Error);
        Assert.Contains("2 workers", outcome.Output);
        Assert.Equal(0, (await second.EndAsync()).ExitCode);
        // A worker that is late may miss a step that the other one is through with; it takes part nevertheless.
        Assert.Contains(File.ReadAllLines(Path.Combine(_world.PathOf("run"), "commits.jsonl")), static line => line.Contains("\"worker\":1", StringComparison.Ordinal));
    }

    private RunningCluster Launch(HostNetwork network, string name, int steps, params string[] more)
    {
        _world.Write("hosts", $"{network.AddressOf(1)} slots=2\n{network.AddressOf(2)} # one more\n");
        // What a remote shell does: the host, then words for a shell there.
        _world.Write("enter", $"#!/bin/sh\nhost=$1; shift\nexec ip netns exec {network.NamespaceOf(0)[..^1]}$((${{host##*.}} - 1)) sh -c \"$*\"\n");
        Executable("enter");
        return Start(network, 0, [.. Training.Launch(name, steps, more), .. Remote(network)]);
    }

    private string[] Remote(HostNetwork network) => ["--hostfile", "hosts", "--ssh", _world.PathOf("enter"), "--listen", $"{network.AddressOf(0)}:29500", "--insecure"];

    private RunningCluster Start(HostNetwork network, int host, string[] arguments)
    {
        var (program, all) = network.On(host, Processes.Cluster, arguments);
        var process = RunningCluster.StartProgram(program, _world.Folder, new Dictionary<string, string> { ["CLUSTER_JOIN_SECRET"] = "sesame-of-these-specs" }, all);
        _running.Add(process);
        return process;
    }

    /// <summary>The run's folder, which the launch makes; here before, so that it can be watched.</summary>
    private string Prepared(string name)
    {
        var folder = _world.PathOf(name);
        SpinWait.SpinUntil(() => Directory.Exists(folder), TimeSpan.FromMinutes(1));
        return folder;
    }

    private void Executable(string name) => File.SetUnixFileMode(_world.PathOf(name), UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);

    /// <summary>The processes of nodes on the hosts.</summary>
    private static List<string> Nodes(HostNetwork network) =>
        [.. CommandLines().Where(line => line.Contains(" node --role ", StringComparison.Ordinal) && line.Contains(network.AddressOf(0), StringComparison.Ordinal))];

    private static IEnumerable<string> CommandLines()
    {
        foreach (var folder in Directory.EnumerateDirectories("/proc").Where(static d => int.TryParse(Path.GetFileName(d), CultureInfo.InvariantCulture, out _)))
        {
            string? line = null;
            try
            {
                line = File.ReadAllText(Path.Combine(folder, "cmdline")).Replace('\0', ' ');
            }
            catch (IOException)
            {
                // It has ended.
            }
            if (!string.IsNullOrEmpty(line)) yield return line;
        }
    }
}
