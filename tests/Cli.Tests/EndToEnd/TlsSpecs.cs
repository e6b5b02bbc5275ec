using Cluster.Cli.Certs;

namespace Cluster.Cli.Tests.EndToEnd;

/// <summary>Runs whose processes talk with TLS: always the bits of <c>train</c>, whatever happens to processes and network, and nobody gets in who should not.</summary>
[Collection(SeveralProcesses.Name)]
[Trait("Clock", "wall")]
public sealed class TlsSpecs : IDisposable
{
    private const int HangUp = 1;

    private readonly World _world = new();
    private readonly List<RunningCluster> _nodes = [];
    private string _address = "";

    public TlsSpecs() => Certificates("pki");

    public void Dispose()
    {
        foreach (var node in _nodes) node.Dispose();
        _world.Dispose();
    }

    private string Folder => _world.PathOf("run");

    [Fact]
    public void Launched_run_with_TLS_has_the_hash_of_train_and_goes_on_without_it()
    {
        const int Half = Training.ShortSteps / 2;
        var first = Processes.Run(Processes.Cluster, _world.Folder, Training.Launch("run", Half, "--workers", "2", "--ps", "2", "--tls", "pki"));
        Assert.Equal(Training.Expected(Half), Training.HashOf(first));
        Assert.Empty(first.ErrorLines);
        Assert.Contains("listening at 127.0.0.1:", first.Output);
        // How processes talk is no part of a run.
        Assert.DoesNotContain("tls", File.ReadAllText(Path.Combine(Folder, "config.yaml")));
        var second = Processes.Run(Processes.Cluster, _world.Folder, "launch", "--resume", "--out", "run", "--steps", $"{Training.ShortSteps}");
        Assert.Equal(Training.Expected(Training.ShortSteps), Training.HashOf(second));
    }

    [Fact]
    public void Processes_that_die_and_a_network_that_cuts_and_damages_change_no_bit_with_TLS()
    {
        var outcome = Processes.Run(Processes.Cluster, _world.Folder, Training.Launch("run", Training.ShortSteps,
            "--workers", "2", "--ps", "2", "--replicas", "1", "--tls", "pki",
            "--fault", "cut:worker-1@2", "--fault", "corrupt:worker-0@4", "--fault", "kill:coordinator@6", "--fault", "kill:ps-0@8", "--fault", "kill:worker-1@10"));
        Assert.True(outcome.ExitCode == 0, outcome.Error + string.Join('\n', RunEvents.Of(Folder)));
        Assert.Equal(Training.Expected(Training.ShortSteps), Training.HashOf(outcome));
        RunEvents.Single(Folder, "fault", "fault cut:worker-1@2: worker-1 lost its connections");
        RunEvents.Single(Folder, "fault", "fault corrupt:worker-0@4");
        RunEvents.First(Folder, "took-over", "comes next");
    }

    [Fact]
    public async Task Strangers_are_refused_with_their_reason_on_both_sides_certificates_are_renewed_and_the_run_finishes_with_its_hash()
    {
        Prepare();
        var coordinator = await CoordinatorAsync();
        var shard = Node("pki", "--role", "ps", "--listen", "127.0.0.1:0");
        var first = Node("pki", "--role", "worker", "--name", "worker-0");
        await coordinator.ToldAsync(Folder, "membership", "ps-0");
        await coordinator.ToldAsync(Folder, "membership", "worker-0");

        Certificates("other");
        Certificates("expired", DateTimeOffset.UtcNow.AddDays(-200));
        Certificates("swapped");
        foreach (var kind in (string[])[".pem", ".key"]) File.Copy(_world.PathOf("swapped/ps" + kind), _world.PathOf("swapped/worker" + kind), overwrite: true);
        await MistakenAsync("expired", "worker.pem expired on");
        await MistakenAsync("swapped", "the certificate worker.pem is that of a ps, not of a worker");
        await MistakenAsync("other", "authority");
        await MistakenAsync(null, "TLS");
        await coordinator.ToldAsync(Folder, "refusals of certificates", static events => events.Count(static e => e.Kind == "node-refused") >= 2);

        Certificates("pki");
        coordinator.Signal(HangUp);
        await coordinator.LineAsync("coordinator has loaded its certificates anew");
        first.Signal(HangUp);
        await first.LineAsync("worker-0 has loaded its certificates anew");
        File.WriteAllText(_world.PathOf("pki/ps.pem"), "nothing");
        shard.Signal(HangUp);
        var second = Node("pki", "--role", "worker");
        var outcome = await coordinator.EndAsync();
        Assert.Equal(Training.Expected(Training.ShortSteps), Training.HashOf(outcome));
        foreach (var node in (RunningCluster[])[first, second]) Assert.Equal(0, (await node.EndAsync()).ExitCode);
        Assert.Single((await shard.EndAsync()).ErrorLines, static line => line.StartsWith("ps could not load its certificates anew: ", StringComparison.Ordinal) && line.EndsWith("stays in use", StringComparison.Ordinal));
        // The two that were not good in themselves never got as far as the door.
        RunEvents.First(Folder, "node-refused", "is not signed by the cluster's authority");
        RunEvents.First(Folder, "node-refused", "speaks no TLS");
        Assert.DoesNotContain(RunEvents.Of(Folder), static e => e.Kind == "node-refused" && e.Sentence.Contains("expired", StringComparison.Ordinal));

        async Task MistakenAsync(string? tls, string reason)
        {
            var node = Node(tls, "--role", "worker", "--name", "worker-1", "--patience", "2");
            var refused = await node.EndAsync();
            Assert.Equal(2, refused.ExitCode);
            Assert.Contains(reason, Assert.Single(refused.ErrorLines));
        }
    }

    [Fact]
    public async Task SIGHUP_to_launch_reaches_every_process()
    {
        Directory.CreateDirectory(Folder);
        using var cluster = RunningCluster.Start(_world.Folder, Training.Launch("run", Training.Steps, "--workers", "2", "--tls", "pki"));
        await cluster.CommittedAsync(Folder, 2);
        Certificates("pki");
        cluster.Signal(HangUp);
        var outcome = await cluster.EndAsync();
        Assert.Equal(Training.Expected(Training.Steps), Training.HashOf(outcome));
        foreach (var name in (string[])["launch", "coordinator", "ps-0", "worker-0", "worker-1"]) Assert.Contains($"{name} has loaded its certificates anew", outcome.Output);
        Assert.DoesNotContain("could not load", outcome.Error);
    }

    [Fact]
    public void Mistakes_with_certificates_stop_a_launch_before_anything_is_written()
    {
        File.Delete(_world.PathOf("pki/worker.key"));
        Mistaken("--tls pki: pki/worker.key does not exist", "--tls", "pki");
        Certificates("pki");
        File.SetUnixFileMode(_world.PathOf("pki/ps.key"), UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead);
        Mistaken("can be read by others than its owner", "--tls", "pki");
        Certificates("pki");
        Mistaken("--fault zombie:coordinator@3+3: not with --tls", "--tls", "pki", "--fault", "zombie:coordinator@3");

        void Mistaken(string expected, params string[] more)
        {
            var outcome = Processes.Run(Processes.Cluster, _world.Folder, Training.Launch("run", Training.ShortSteps, more));
            Assert.Equal(2, outcome.ExitCode);
            Assert.Contains(expected, Assert.Single(outcome.ErrorLines));
            Assert.False(Directory.Exists(Folder));
        }
    }

    private void Certificates(string folder, DateTimeOffset? at = null)
    {
        var plan = CertsPlan.Parse(null, null, null, new List<string>());
        CertsIssue.Run(_world.PathOf(folder), _world.PathOf(folder), plan, "box", at ?? TimeProvider.System.GetUtcNow());
    }

    private void Prepare()
    {
        var prepared = Processes.Run(Processes.Cluster, _world.Folder, Training.Launch("run", Training.ShortSteps, "--workers", "2", "--ps", "1", "--prepare"));
        Assert.Equal((0, ""), (prepared.ExitCode, prepared.Error));
    }

    private async Task<RunningCluster> CoordinatorAsync()
    {
        var coordinator = Keep(RunningCluster.Start(_world.Folder, "node", "--role", "coordinator", "--run", "run", "--listen", "127.0.0.1:0", "--tls", "pki"));
        _address = (await coordinator.LineAsync("listening at ")).Split(' ')[^1];
        return coordinator;
    }

    private RunningCluster Node(string? tls, params string[] arguments) =>
        Keep(RunningCluster.Start(_world.Folder, ["node", "--join", _address, .. arguments, .. tls is null ? Array.Empty<string>() : ["--tls", tls]]));

    private RunningCluster Keep(RunningCluster node)
    {
        _nodes.Add(node);
        return node;
    }
}
