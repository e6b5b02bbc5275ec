using Cluster.Contracts;

namespace Cluster.Simulation;

/// <summary>Starts processes, and starts them again when they have died; a coordinator that does not answer gets another one beside it.</summary>
internal sealed class Supervisor(World world)
{
    private readonly List<CoordinatorProcess> _coordinators = [];
    private PsNode[] _nodes = [];
    private WorkerProcess[] _workers = [];

    public IReadOnlyList<WorkerProcess> Workers => _workers;
    public IReadOnlyList<PsNode> Nodes => _nodes;
    public IReadOnlyList<CoordinatorProcess> Coordinators => _coordinators;
    public CoordinatorProcess Coordinator => _coordinators[^1];

    /// <summary>Whom coordinators look for.</summary>
    public IEnumerable<Process> Peers => [.. _nodes, .. _workers];

    /// <summary>No coordinator is left.</summary>
    public bool IsQuiet => _coordinators.All(static c => !c.IsAlive);

    public void Begin()
    {
        _nodes = [.. Enumerable.Range(0, world.Scenario.Shards).Select(i => new PsNode(world, i, 1, world.Disk.Term))];
        _workers = [.. Enumerable.Range(0, world.Scenario.Workers).Select(i => new WorkerProcess(world, i, 1))];
        StartCoordinator();
    }

    /// <summary>The node, if this incarnation of it lives.</summary>
    public PsNode? Node(NodeId id) => _nodes[id.Index] is { IsAlive: true } node && node.Id == id ? node : null;

    public WorkerProcess? Worker(WorkerId id) => id.Index < _workers.Length && _workers[id.Index].IsAlive ? _workers[id.Index] : null;

    public void Crash(Process process) => Crash(process, world.Random.Between(1, world.Random.Chance(0.3) ? 4_000 : 300));

    /// <param name="delay">Milliseconds until it is started again.</param>
    public void Crash(Process process, double delay)
    {
        if (!process.IsAlive) return;
        if (world.IsTracing) world.Say(process, "crashes");
        process.Crash();
        switch (process)
        {
            case PsNode node:
                world.After(delay, () =>
                {
                    _nodes[node.Id.Index] = new PsNode(world, node.Id.Index, node.Incarnation + 1, world.Disk.Term);
                    if (world.IsTracing) world.Say(_nodes[node.Id.Index], "starts");
                });
                break;
            case WorkerProcess worker:
                world.After(delay, () =>
                {
                    _workers[worker.Id.Index] = new WorkerProcess(world, worker.Id.Index, worker.Incarnation + 1);
                    if (world.IsTracing) world.Say(_workers[worker.Id.Index], "starts");
                });
                break;
            default:
                StartAnotherIfNeeded(delay);
                break;
        }
    }

    /// <summary>One more worker; its index is the next.</summary>
    public WorkerProcess Join()
    {
        _workers = [.. _workers, new WorkerProcess(world, _workers.Length, 1)];
        if (world.IsTracing) world.Say(_workers[^1], "starts");
        return _workers[^1];
    }

    /// <summary>Everything dies at once and is started again: the supervisor died, and the run is resumed.</summary>
    public void CrashAll(double delay)
    {
        foreach (var process in (Process[])[.. _coordinators.Where(static c => c.IsAlive), .. _nodes, .. _workers]) Crash(process, delay);
    }

    /// <summary>A coordinator has ended by itself.</summary>
    public void Ended(CoordinatorProcess coordinator)
    {
        if (!world.IsFinished && coordinator == Coordinator) StartAnotherIfNeeded(world.Random.Between(1, 300));
    }

    /// <summary>The coordinator has not been heard of for so long: another one is started, although it may be alive.</summary>
    public void StartBeside(Process silent, double milliseconds) => world.After(milliseconds, () =>
    {
        if (!world.IsFinished && silent == Coordinator && silent.IsAlive) StartCoordinator();
    });

    private void StartAnotherIfNeeded(double delay) => world.After(delay, () =>
    {
        if (!world.IsFinished && !Coordinator.IsAlive) StartCoordinator();
    });

    private void StartCoordinator()
    {
        if (_coordinators.Count == SimulationEndpoints.MaxCoordinators) throw new InvariantViolation(InvariantNames.Finishes, $"{_coordinators.Count} coordinators were started: they drive each other out");
        var coordinator = new CoordinatorProcess(world, _coordinators.Count);
        if (world.IsTracing) world.Say(coordinator, "starts");
        if (_coordinators.Count > 0) world.Count("takeovers");
        _coordinators.Add(coordinator);
        coordinator.Begin();
    }

    public override string ToString() =>
        string.Join("; ", _coordinators.Where(static c => c.IsAlive).Select(static c => $"{c} in term {c.State.Term}, {c.State.Phase}, step {c.State.Step.Step} {c.State.Step.Phase}, awaits [{string.Join(", ", c.State.Awaited)}]"));
}
