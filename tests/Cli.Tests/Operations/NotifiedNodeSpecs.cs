using Cluster.Cli.Hosting.Supervision;
using Cluster.Cli.Tests.EndToEnd;

namespace Cluster.Cli.Tests.Operations;

/// <summary>Nodes that a service manager starts: what they tell it, over a real socket.</summary>
[Collection(SeveralProcesses.Name)]
[Trait("Clock", "wall")]
public sealed class NotifiedNodeSpecs : IDisposable
{
    private const string Ready = "READY=1", Stopping = "STOPPING=1";

    private readonly World _world = new();
    private readonly List<IDisposable> _open = [];

    public void Dispose()
    {
        for (var i = _open.Count; i-- > 0;) _open[i].Dispose();
        _world.Dispose();
    }

    [Fact]
    public async Task Nodes_are_ready_when_they_are_in_the_run_and_not_before_and_say_how_it_goes_and_that_they_stop()
    {
        var folder = Prepare(Training.ShortSteps);
        // An abstract name and paths: systemd uses either.
        var (managers, name) = (new[] { Manager($"@{Path.GetFileName(_world.Folder)}"), Manager(_world.PathOf("ps.sock")), Manager(_world.PathOf("w.sock")) }, _world.PathOf("c"));
        // The shard and the worker look for a coordinator that is not there yet.
        var shard = Node(managers[1], "--role", "ps", "--join", $"unix:{name}", "--listen", $"unix:{_world.PathOf("p")}");
        managers[1].WaitFor(static line => line == "STATUS=the node has not joined the run yet", "a status");
        Assert.DoesNotContain(Ready, managers[1].Lines);
        var coordinator = Node(managers[0], "--role", "coordinator", "--run", folder, "--listen", $"unix:{name}");
        managers[0].WaitFor(static line => line == Ready, "the coordinator's readiness");
        await coordinator.ToldAsync(folder, "membership", "ps-0");
        managers[1].WaitFor(static line => line == Ready, "the shard's readiness");
        Assert.DoesNotContain(managers[0].Lines, static line => line.Contains("is committed", StringComparison.Ordinal));

        var worker = Node(managers[2], "--role", "worker", "--join", $"unix:{name}");
        var outcome = await coordinator.EndAsync();
        Assert.Equal(Training.Expected(Training.ShortSteps), Training.HashOf(outcome));
        foreach (var node in (RunningCluster[])[shard, worker]) Assert.Equal(0, (await node.EndAsync()).ExitCode);
        foreach (var manager in managers)
        {
            manager.WaitFor(static line => line == Stopping, "the end");
            var lines = manager.Lines;
            Assert.Single(lines, static line => line == Ready);
            Assert.Equal(Stopping, Assert.Single(lines, static line => line == Stopping));
            Assert.True(Index(lines, Ready) < Index(lines, Stopping), string.Join(" | ", lines));
            Assert.Contains("WATCHDOG=1", lines);
            Assert.True(Index(lines, Ready) < Index(lines, "WATCHDOG=1"), string.Join(" | ", lines));
        }
        Assert.True(Index(managers[2].Lines, "STATUS=the node has not joined the run yet") < Index(managers[2].Lines, Ready));
        Assert.Contains("STATUS=it is done", managers[2].Lines);
    }

    [Fact]
    public async Task Node_without_a_coordinator_is_never_ready_and_stops_when_it_is_asked_to()
    {
        var manager = Manager(_world.PathOf("w.sock"));
        var worker = Node(manager, "--role", "worker", "--join", $"unix:{_world.PathOf("nobody")}");
        manager.WaitFor(static line => line == "STATUS=the node has not joined the run yet", "a status");
        worker.Signal(RunningCluster.Terminate);
        Assert.Equal(130, (await worker.EndAsync()).ExitCode);
        manager.WaitFor(static line => line == "STATUS=it was asked to stop", "the reason");
        Assert.Contains(Stopping, manager.Lines);
        Assert.DoesNotContain(Ready, manager.Lines);
    }

    [Fact]
    public void Worker_that_comes_too_late_has_nothing_to_do_and_its_manager_takes_that_for_no_failure()
    {
        var folder = Prepare(Training.ShortSteps);
        Training.HashOf(Processes.Run(Processes.Cluster, _world.Folder, "launch", "--resume", "--out", folder));
        var manager = Manager(_world.PathOf("c.sock"));
        _ = Node(manager, "--role", "coordinator", "--run", folder, "--listen", $"unix:{_world.PathOf("c")}");
        manager.WaitFor(static line => line == Stopping, "the end");
        Assert.Equal(1, manager.Lines.Count(static line => line == Ready));
    }

    [Fact]
    public void Manager_that_is_not_there_or_no_address_at_all_changes_nothing()
    {
        foreach (var address in (string[])[_world.PathOf("gone.sock"), "nonsense", "@" + new string('x', 300)])
        {
            var outcome = Processes.Run("env", _world.Folder, $"NOTIFY_SOCKET={address}", Processes.Cluster, "node", "--role", "worker", "--join", $"unix:{_world.PathOf("nobody")}", "--patience", "0.2");
            Assert.Equal(2, outcome.ExitCode);
            Assert.Contains("no coordinator lets this node in", Assert.Single(outcome.ErrorLines));
        }
    }

    [Fact]
    public void Refused_socket_is_nobody()
    {
        using var manager = new ManagerSocket(_world.PathOf("m.sock"));
        using var socket = NotifySocket.Open(manager.Address)!;
        Assert.True(socket.Send("READY=1\n"));
        manager.Dispose();
        File.Delete(manager.Address);
        Assert.False(socket.Send("WATCHDOG=1\n"));
    }

    private static int Index(IReadOnlyList<string> lines, string line) => lines.ToList().IndexOf(line);

    private string Prepare(int steps)
    {
        var prepared = Processes.Run(Processes.Cluster, _world.Folder, Training.Launch("run", steps, "--workers", "1", "--ps", "1", "--prepare"));
        Assert.Equal((0, ""), (prepared.ExitCode, prepared.Error));
        return _world.PathOf("run");
    }

    private ManagerSocket Manager(string address)
    {
        var manager = new ManagerSocket(address);
        _open.Add(manager);
        return manager;
    }

    private RunningCluster Node(ManagerSocket manager, params string[] arguments)
    {
        var environment = new Dictionary<string, string> { ["NOTIFY_SOCKET"] = manager.Address, ["WATCHDOG_USEC"] = "2000000" };
        var node = RunningCluster.Start(_world.Folder, environment, ["node", .. arguments]);
        _open.Add(node);
        return node;
    }
}
