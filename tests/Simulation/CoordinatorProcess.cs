using Cluster.Contracts;
using Cluster.Coordinator.Core;

namespace Cluster.Simulation;

/// <summary>A coordinator. Carries out what <see cref="RunProtocol"/> decides, and notices who is there.</summary>
internal sealed partial class CoordinatorProcess : Process
{
    private readonly Dictionary<int, Peer> _peers = [];
    private readonly Queue<IStepInput> _next = [];
    private double _heardAt;
    private long _budget, _grace;
    private bool _isFeeding;

    public CoordinatorProcess(World world, int number) : base(world, $"coordinator-{number}", SimulationEndpoints.Coordinator(number), number)
    {
        var scenario = world.Scenario;
        State = RunState.Start(
            new TermRules(scenario.Shards, scenario.Replicas, SimulationLimits.GraceMilliseconds),
            new StepRules(scenario.Shards, Arithmetic.Chunks, StepScaling.Of(scenario.Rule, Arithmetic.Tensors), scenario.NonFinite, new StragglerRules(1.5, 5, 300, 3_000)) { AuditEvery = scenario.AuditEvery },
            claimant: (long)(world.Random.Bits() >> 1) + 1, world.Disk.Term);
        _heardAt = world.Now;
    }

    public RunState State { get; private set; }

    /// <summary>It does nothing more: another coordinator acts, or the run is over.</summary>
    public bool HasEnded { get; private set; }

    /// <summary>A process as this coordinator sees it.</summary>
    private sealed record Peer(Process Process, bool IsUp, double HeardAt);

    public void Begin() => After(0, Look);

    public void End(string why)
    {
        if (World.IsTracing) World.Say(this, $"ends: {why}");
        HasEnded = true;
        base.Crash();
        World.Supervisor.Ended(this);
    }

    public override void Crash()
    {
        base.Crash();
        TearAppend();
    }

    public override void Receive(Process from, object message, object? tensors)
    {
        // A link belongs to one incarnation; what comes over one that was closed is gone.
        if (!_peers.TryGetValue(from.Endpoint, out var peer) || peer.Process != from || !peer.IsUp)
        {
            World.Count("messages over a closed link");
            return;
        }
        _heardAt = World.Now;
        if (World.IsTracing) World.Say(this, $"from {from}: {EventText.Of(message)}");
        if (message is SlotSnapshot snapshot) Take(snapshot, (ShardTensors)tensors!);
        else Feed(World.Plant.ToCoordinator(State, (IStepInput)message), (IStepInput)message);
    }

    /// <summary>Who is here: heartbeats, their absence, and links that were closed.</summary>
    private void Look()
    {
        foreach (var process in World.Supervisor.Peers)
        {
            if (!IsAlive) return;
            Look(process);
        }
        if (!IsAlive) return;
        if (World.Now - _heardAt >= SimulationLimits.AskAgainMilliseconds)
        {
            _heardAt = World.Now;
            World.Count("asked again");
            AskForSnapshots();
            Feed(new AskAgain());
        }
        After(SimulationLimits.MembershipTickMilliseconds, Look);
    }

    private void Look(Process process)
    {
        var isReachable = process.IsAlive && !process.IsPaused && !World.Network.IsCut(process, this) && !World.Network.IsCut(this, process);
        var peer = _peers.GetValueOrDefault(process.Endpoint);
        var heardAt = isReachable && peer?.Process == process ? World.Now : peer?.HeardAt ?? World.Now;
        if (peer is { IsUp: true })
        {
            var isClosed = (!peer.Process.IsAlive || peer.Process != process) && !World.Network.IsCut(process, this);
            if (isClosed || World.Now - heardAt > SimulationLimits.SilenceMilliseconds)
            {
                peer = peer with { IsUp = false };
                _peers[process.Endpoint] = peer;
                var cause = isClosed ? "its link was closed" : "it has been silent for too long";
                Feed(peer.Process is PsNode node ? new NodeLost(node.Id, cause) : World.Plant.Lost(new WorkerLost(((WorkerProcess)peer.Process).Id, cause)));
                return;
            }
            _peers[process.Endpoint] = peer with { HeardAt = heardAt };
            return;
        }
        if (!isReachable) return;
        _peers[process.Endpoint] = new Peer(process, IsUp: true, World.Now);
        Feed(process is PsNode up ? new NodeUp(up.Id, World.Plant.HostOf(up.Id)) : new WorkerJoined(((WorkerProcess)process).Id));
    }

    private void Feed(IStepInput? input) => Feed(input, input);

    /// <param name="input">What the core gets.</param>
    /// <param name="sent">What was sent: differs when a bug is planted.</param>
    private void Feed(IStepInput? input, IStepInput? sent)
    {
        if (input is null || !IsAlive) return;
        _next.Enqueue(input);
        if (_isFeeding) return;
        _isFeeding = true;
        try
        {
            while (IsAlive && _next.TryDequeue(out var one)) Advance(one, ReferenceEquals(one, input) ? sent! : one);
        }
        finally
        {
            _isFeeding = false;
            _next.Clear();
        }
    }

    private void Advance(IStepInput input, IStepInput sent)
    {
        var before = State;
        if (World.IsTracing && input is not (LeafDone or ShardReduced or ShardApplied or TermPromised or PlaceHeld or ShardLoaded)) World.Say(this, $"decides on {EventText.Of(input)}");
        var (next, effects) = RunProtocol.Advance(State, input, World.Now);
        World.Invariants.Decides(this, before, next, sent, effects);
        State = next;
        foreach (var effect in World.Plant.Effects(State, effects))
        {
            if (!IsAlive) return;
            Run(effect);
        }
        foreach (var more in World.Plant.AlsoFeed(State, input)) _next.Enqueue(more);
    }

    private Process? WorkerOf(WorkerId worker) =>
        _peers.TryGetValue(SimulationEndpoints.Worker(worker.Index), out var peer) && peer.IsUp ? peer.Process : null;

    private void Send(ReplicaId replica, IReplicaInput message, object? tensors = null)
    {
        if (World.Supervisor.Node(replica.Node) is { } node) World.Network.Send(this, node, new ToSlot(replica.Shard, message), tensors);
    }

    private void Send(WorkerId worker, IWorkerInput message)
    {
        if (WorkerOf(worker) is { } process) World.Network.Send(this, process, message);
    }

    private ReplicaId Primary(ShardId shard) => State.Places[shard.Index].PrimaryReplica;
}
