using System.Net;
using System.Net.Sockets;
using Cluster.Workers.Data;

namespace Cluster.Cli.Tests.EndToEnd;

/// <summary>A run whose processes are started by hand, over TCP: who fits may come at any time, who does not is refused with the reason on both sides.</summary>
[Collection(SeveralProcesses.Name)]
[Trait("Clock", "wall")]
public sealed class NodeByHandSpecs : IDisposable
{
    private static readonly Dictionary<string, string> Secret = new() { ["CLUSTER_JOIN_SECRET"] = "sesame" };

    private readonly World _world = new();
    private readonly List<RunningCluster> _nodes = [];
    private string _address = "";

    public void Dispose()
    {
        foreach (var node in _nodes) node.Dispose();
        _world.Dispose();
    }

    [Fact]
    public async Task Worker_that_joins_in_mid_run_gets_leaves_and_changes_no_bit()
    {
        var folder = Prepare(Training.Steps);
        var coordinator = await CoordinatorAsync(folder);
        var shard = Node("--role", "ps", "--listen", $"unix:{_world.PathOf("ps")}");
        var first = Node("--role", "worker");
        await coordinator.CommittedAsync(folder, 3);
        var late = Node("--role", "worker");
        var outcome = await coordinator.EndAsync();
        Assert.Equal(Training.Expected(Training.Steps), Training.HashOf(outcome));
        Assert.Contains("worker-1 joined; 2 workers share the leaves.", outcome.Output);
        var log = File.ReadAllLines(Path.Combine(folder, "commits.jsonl"));
        Assert.DoesNotContain("\"worker\":1", log[0]);
        Assert.Contains("\"worker\":1", log[^1]);
        foreach (var node in (RunningCluster[])[shard, first, late]) Assert.Equal((0, ""), ((await node.EndAsync()).ExitCode, (await node.EndAsync()).Error));
        Assert.Equal(0, Processes.Run(Processes.Cluster, _world.Folder, "audit", folder).ExitCode);
    }

    [Fact]
    public async Task Beset_run_refuses_each_with_its_reason_on_both_sides_and_finishes_with_its_hash()
    {
        var folder = Prepare(Training.ShortSteps);
        var coordinator = await CoordinatorAsync(folder);
        _ = Node("--role", "ps", "--listen", $"unix:{_world.PathOf("ps")}");
        // The run waits for its second worker while strangers knock.
        var first = Node("--role", "worker", "--name", "worker-0");
        await coordinator.ToldAsync(folder, "membership", "ps-0");
        await coordinator.ToldAsync(folder, "membership", "worker-0");

        await RefusedAsync("worker-1", "the join secret of worker-1 differs", "a guess", "--role", "worker", "--name", "worker-1");
        await RefusedAsync("worker-0", "worker-0 is taken by a living process", "sesame", "--role", "worker", "--name", "worker-0", "--patience", "1");
        await RefusedAsync("ps-1", "ps-1 has no place: this run has 1 parameter shard, on ps-0", "sesame", "--role", "ps", "--name", "ps-1", "--listen", $"unix:{_world.PathOf("more")}");

        using var crowd = new Crowd(_address);
        crowd.Knock(halfOpen: 100, garbage: 50);
        var second = Node("--role", "worker");
        await coordinator.CommittedAsync(folder, 2);
        crowd.Knock(halfOpen: 50, garbage: 50);
        var outcome = await coordinator.EndAsync();
        Assert.Equal(Training.Expected(Training.ShortSteps), Training.HashOf(outcome));
        foreach (var node in (RunningCluster[])[first, second]) Assert.Equal(0, (await node.EndAsync()).ExitCode);
        var refusals = RunEvents.Of(folder).Where(static e => e.Kind == "node-refused").ToList();
        Assert.InRange(refusals.Count, 4, 3 * (Contracts.Limits.ToldRefusals + 2));
        Assert.Contains(refusals, static e => e.Node == "unknown");

        async Task RefusedAsync(string name, string reason, string secret, params string[] arguments)
        {
            var node = Node(secret, arguments);
            var refused = await node.EndAsync();
            Assert.Equal(2, refused.ExitCode);
            Assert.Contains(reason, Assert.Single(refused.ErrorLines));
            Assert.Empty(refused.OutputLines);
            await coordinator.ToldAsync(folder, "node-refused", name);
            Assert.Equal("membership", RunEvents.Single(folder, "node-refused", $"{name} was not let in: {reason}").Phase);
        }
    }

    [Fact]
    public async Task Worker_with_another_data_set_is_sent_away_with_the_reason_on_both_sides()
    {
        Assert.SkipWhen(Datasets.NeedsDownload("cifar10"), "there is no second data set on this machine: './cluster data get cifar10' brings it");
        var folder = Prepare(Training.ShortSteps);
        var coordinator = await CoordinatorAsync(folder);
        var worker = Node("--role", "worker", "--data", "cifar10");
        var outcome = await worker.EndAsync();
        Assert.Equal(2, outcome.ExitCode);
        Assert.Contains("its data set is another one", Assert.Single(outcome.ErrorLines));
        await coordinator.ToldAsync(folder, "node-refused", "worker-0");
        coordinator.Signal(RunningCluster.Terminate);
        Assert.Equal(130, (await coordinator.EndAsync()).ExitCode);
    }

    [Fact]
    public async Task Second_coordinator_at_a_port_is_refused_and_the_run_stays_as_it_was()
    {
        var folder = Prepare(Training.ShortSteps);
        await CoordinatorAsync(folder);
        var other = Prepare(Training.ShortSteps, "other");
        var second = await NodeAt(_address, "--role", "coordinator", "--run", other).EndAsync();
        Assert.Equal(2, second.ExitCode);
        Assert.Equal($"cluster: cannot listen on {_address}: another process listens there already; stop it, or choose another address", Assert.Single(second.ErrorLines));
        Assert.True(File.Exists(Path.Combine(other, "config.yaml")));

        var open = await NodeAt("0.0.0.0:0", "--role", "coordinator", "--run", other).EndAsync();
        Assert.Equal(2, open.ExitCode);
        Assert.Contains("0.0.0.0:0 can be reached by other machines, and the traffic is not encrypted", Assert.Single(open.ErrorLines));
    }

    private string Prepare(int steps, string name = "run")
    {
        var prepared = Processes.Run(Processes.Cluster, _world.Folder, Training.Launch(name, steps, "--workers", "2", "--ps", "1", "--prepare"));
        Assert.Equal((0, ""), (prepared.ExitCode, prepared.Error));
        return _world.PathOf(name);
    }

    private async Task<RunningCluster> CoordinatorAsync(string folder)
    {
        var coordinator = NodeAt("127.0.0.1:0", "--role", "coordinator", "--run", folder);
        _address = (await coordinator.LineAsync("listening at ")).Split(' ')[^1];
        return coordinator;
    }

    private RunningCluster NodeAt(string listen, params string[] arguments) => Keep(RunningCluster.Start(_world.Folder, Secret, ["node", "--listen", listen, .. arguments]));

    private RunningCluster Node(params string[] arguments) => Node("sesame", arguments);

    private RunningCluster Node(string secret, string[] arguments) =>
        Keep(RunningCluster.Start(_world.Folder, new Dictionary<string, string> { ["CLUSTER_JOIN_SECRET"] = secret }, ["node", "--join", _address, .. arguments]));

    private RunningCluster Keep(RunningCluster node)
    {
        _nodes.Add(node);
        return node;
    }

    /// <summary>Connections that never become links.</summary>
    private sealed class Crowd(string address) : IDisposable
    {
        private readonly List<Socket> _sockets = [];
        private readonly Random _random = new(5);

        public void Knock(int halfOpen, int garbage)
        {
            for (var i = 0; i < halfOpen; i++) _sockets.Add(Dial());
            for (var i = 0; i < garbage; i++)
            {
                using var socket = Dial();
                var bytes = new byte[1 + _random.Next(4000)];
                _random.NextBytes(bytes);
                socket.Send(bytes);
            }
        }

        public void Dispose()
        {
            foreach (var socket in _sockets) socket.Dispose();
        }

        private Socket Dial()
        {
            var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            socket.Connect(IPEndPoint.Parse(address));
            return socket;
        }
    }
}
